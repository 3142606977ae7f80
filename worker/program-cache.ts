import { SluiceError, toSluiceError } from '../pipeline/errors.ts';
import type { ChunkProgram } from '../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../pipeline/execution/context.ts';
import { contextKey } from '../pipeline/keys/index.ts';
import type { WorkerBlobs } from './storage/worker-blobs.ts';

/** Contexts of jobs that run side by side; a compiled program takes up to some MiB. */
const PROGRAMS_MAX = 16;

/** Compiled programs by contextKey, least recently used first out. */
export class ProgramCache {
  readonly #blobs: WorkerBlobs;
  readonly #compile: (context: ChunkContext) => ChunkProgram;
  readonly #max: number;
  readonly #programs = new Map<string, Promise<ChunkProgram>>();

  constructor(
    blobs: WorkerBlobs,
    compile: (context: ChunkContext) => ChunkProgram,
    max: number = PROGRAMS_MAX,
  ) {
    this.#blobs = blobs;
    this.#compile = compile;
    this.#max = max;
  }

  /** Errors: those of the store; `blob-corrupt` when the context is not what its key says. */
  get(key: string): Promise<ChunkProgram> {
    const known = this.#programs.get(key);
    this.#programs.delete(key);
    const program = known ?? this.#load(key);
    this.#programs.set(key, program);
    if (this.#programs.size > this.#max) {
      const [oldest] = this.#programs.keys();
      if (oldest !== undefined) this.#programs.delete(oldest);
    }
    return program;
  }

  #load(key: string): Promise<ChunkProgram> {
    const loading = this.#blobs
      .get(`contexts/${key}`)
      .then((bytes) => this.#compile(verifiedContext(key, bytes)));
    // A failure is not kept: the next task tries again.
    loading.catch(() => {
      if (this.#programs.get(key) === loading) this.#programs.delete(key);
    });
    return loading;
  }
}

function verifiedContext(key: string, bytes: Uint8Array): ChunkContext {
  let cause: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const context = JSON.parse(text) as ChunkContext;
    if (contextKey(context) === key) return context;
  } catch (thrown) {
    cause = toSluiceError(thrown);
  }
  throw new SluiceError('blob-corrupt', `contexts/${key} does not match its hash`, {
    cause,
    details: { name: `contexts/${key}` },
  });
}
