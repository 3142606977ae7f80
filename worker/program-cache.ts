import { SluiceError, toSluiceError } from '../pipeline/errors.ts';
import type { ChunkProgram } from '../pipeline/execution/chunk-program.ts';
import { ENGINE_VERSION, type ChunkContext } from '../pipeline/execution/context.ts';
import { lookupKeys } from '../pipeline/execution/join/lookup-tables.ts';
import { contextKey } from '../pipeline/keys/index.ts';
import { LIMITS } from '../pipeline/limits.ts';
import type { WorkerBlobs } from './storage/worker-blobs.ts';

/** Contexts of jobs that run side by side; a compiled program takes up to some MiB. */
const PROGRAMS_MAX = 16;

/** Makes a program of a context and the texts of its lookups by key. */
export type Compile = (
  context: ChunkContext,
  lookups: ReadonlyMap<string, Uint8Array>,
) => ChunkProgram;

/** Compiled programs by contextKey, least recently used first out; they hold their lookups. */
export class ProgramCache {
  readonly #blobs: WorkerBlobs;
  readonly #compile: Compile;
  readonly #max: number;
  readonly #engine: string;
  readonly #programs = new Map<string, Promise<ChunkProgram>>();
  /** Of those that are compiled. */
  readonly #lookupBytes = new Map<string, number>();

  /** `engine` is what `compile` computes as. */
  constructor(
    blobs: WorkerBlobs,
    compile: Compile,
    max: number = PROGRAMS_MAX,
    engine: string = ENGINE_VERSION,
  ) {
    this.#engine = engine;
    this.#blobs = blobs;
    this.#compile = compile;
    this.#max = max;
  }

  /**
   * Errors: those of the store; `blob-corrupt` when the context is not what its key says;
   * `engine-mismatch` when another engine is to compute it, whose results are named by the task's key.
   */
  get(key: string): Promise<ChunkProgram> {
    const known = this.#programs.get(key);
    this.#programs.delete(key);
    const program = known ?? this.#load(key);
    this.#programs.set(key, program);
    this.#makeRoom(key);
    return program;
  }

  #load(key: string): Promise<ChunkProgram> {
    const loading = this.#compiled(key);
    loading.then(
      ({ lookupMemoryBytes }) => {
        if (this.#programs.get(key) !== loading) return;
        this.#lookupBytes.set(key, lookupMemoryBytes);
        this.#makeRoom(key);
      },
      // A failure is not kept: the next task tries again.
      () => {
        if (this.#programs.get(key) === loading) this.#forget(key);
      },
    );
    return loading;
  }

  async #compiled(key: string): Promise<ChunkProgram> {
    const context = verifiedContext(key, await this.#blobs.get(`contexts/${key}`));
    if (context.engine !== this.#engine) throw mismatch(context.engine, this.#engine);
    const lookups = new Map<string, Uint8Array>();
    for (const lookup of lookupKeys(context)) {
      lookups.set(lookup, await this.#blobs.get(`lookups/${lookup}`));
    }
    return this.#compile(context, lookups);
  }

  /** Forgets the programs used longest ago, but that of `newest`. */
  #makeRoom(newest: string): void {
    for (const key of [...this.#programs.keys()]) {
      const lookupBytes = [...this.#lookupBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
      const isTooMuch = lookupBytes > LIMITS.lookupMemoryBytesMax;
      if (this.#programs.size <= this.#max && !isTooMuch) return;
      if (key === newest) continue;
      if (this.#programs.size > this.#max || (this.#lookupBytes.get(key) ?? 0) > 0) {
        this.#forget(key);
      }
    }
  }

  #forget(key: string): void {
    this.#programs.delete(key);
    this.#lookupBytes.delete(key);
  }
}

function mismatch(wanted: string, own: string): SluiceError {
  return new SluiceError(
    'engine-mismatch',
    `tasks are to be computed by ${wanted}, and this worker is ${own}: run workers of the version of ` +
      'their master',
    { details: { wanted, own } },
  );
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
