import { Readable } from 'node:stream';
import type { UnmarkedCompression } from '../../pipeline/dialect/compression.ts';
import { SluiceError, errorDocument, toSluiceError } from '../../pipeline/errors.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import { CHUNK_LIMITS, LIMITS } from '../../pipeline/limits.ts';
import type { InputDescription } from '../../pipeline/protocol/index.ts';
import { answeredCount } from '../coordination/waves.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { Coordinator } from '../driver/coordinator.ts';
import type { LocalFile } from '../service.ts';
import type { JobFacts } from '../storage/job-record.ts';
import { BodyPump } from './body-pump.ts';
import type { EarlierReading, FromSession, ToSession } from './ingest-messages.ts';
import type { IngestThreads, SessionPort } from './ingest-threads.ts';
import { firstResumePoint, nextResumePoint } from './resume-point.ts';

export interface IngestDeps {
  readonly coordinator: Coordinator;
  readonly ingestThreads: Pick<IngestThreads, 'open'>;
}

export interface IngestRequest {
  readonly job: ActiveJob;
  readonly formatHint: InputDescription['format'] | null;
  readonly compressionHint?: UnmarkedCompression | null | undefined;
  /** Whether a plan without steps makes a profile. */
  readonly profile: boolean;
  readonly body: Readable | LocalFile;
  /** Fires when the client went away. */
  readonly signal: AbortSignal;
  /** Called with the bytes received so far. */
  readonly onBytes?: ((bytesReceived: number) => void) | undefined;
  /** Of a resumable upload, whose bytes are counted where they are received. */
  readonly earlier?: EarlierReading;
  /** Called when another chunk is stored and committed. */
  readonly onStored?: () => void;
}

/**
 * Reads one input to its end: sends it to an ingest thread, and tells the coordinator of each chunk
 * in file order. The body is not read while the thread has enough of it, nor while the backlog of
 * unanswered chunks is full. Rejects when the input ended early or cannot be read; the job is failed
 * then.
 */
export async function ingest(deps: IngestDeps, request: IngestRequest): Promise<void> {
  const { job } = request;
  try {
    await readInput(deps, request);
  } catch (thrown) {
    const error = inputError(thrown, request);
    await deps.coordinator.applyDurably(job.id, {
      kind: 'input-failed',
      error: errorDocument(error),
    });
    throw error;
  }
}

/** As `ingest`, but a failure leaves the job as it is. */
export async function readInput(deps: IngestDeps, request: IngestRequest): Promise<void> {
  const { job } = request;
  const inputHash = await new IngestSession(deps, request).run();
  job.facts = { ...job.facts, inputHash };
  deps.coordinator.apply(job.id, { kind: 'input-complete', waves: job.facts.waves?.length ?? 1 });
}

/** One input, as the main thread sees it. */
class IngestSession {
  readonly #deps: IngestDeps;
  readonly #job: ActiveJob;
  readonly #body: Readable | LocalFile;
  readonly #onBytes: (bytesReceived: number) => void;
  readonly #onStored: () => void;
  readonly #stop: AbortSignal;
  readonly #session: SessionPort;
  readonly #pump: BodyPump | null;
  /** The first failure on this side: what the input is failed with. */
  #failure: { readonly reason: unknown } | null = null;
  /** Whether bytes are counted as they come. */
  readonly #counts: boolean;
  #isOver = false;

  constructor(deps: IngestDeps, request: IngestRequest) {
    const { job, formatHint, profile, body, signal } = request;
    this.#deps = deps;
    this.#job = job;
    this.#body = body;
    this.#onBytes = request.onBytes ?? (() => undefined);
    this.#onStored = request.onStored ?? (() => undefined);
    this.#counts = request.earlier === undefined;
    this.#stop = AbortSignal.any([signal, job.signal]);
    const file = body instanceof Readable ? null : body.path;
    const ring = new SharedArrayBuffer(file === null ? LIMITS.uploadBytesInFlightMax : 0);
    this.#session = deps.ingestThreads.open({
      ...{ planText: job.facts.planText, formatHint, profile },
      compressionHint: request.compressionHint ?? null,
      lookupFiles: job.facts.lookupFiles,
      ...{ chunkLimits: CHUNK_LIMITS, ring, file },
      roomChunks: this.#room(),
      earlier: request.earlier ?? null,
    });
    const { port } = this.#session;
    this.#pump =
      body instanceof Readable ? new BodyPump(body, port, ring, (n) => this.#count(n)) : null;
  }

  /** Returns the input's hash. The session is over then, and nothing of it is being written. */
  async run(): Promise<string> {
    const onStop = (): void => this.#fail(this.#stop.reason);
    this.#stop.addEventListener('abort', onStop, { once: true });
    if (this.#stop.aborted) onStop();
    this.#pump?.ended().catch((thrown: unknown) => this.#fail(thrown));
    void this.#grantRoom();
    try {
      return await this.#outcome();
    } finally {
      this.#isOver = true;
      this.#stop.removeEventListener('abort', onStop);
      this.#session.release();
      this.#destroyBody(null);
      this.#job.settle();
    }
  }

  async #outcome(): Promise<string> {
    const { port, crash } = this.#session;
    const end = await new Promise<Extract<FromSession, { kind: 'finished' | 'failed' }>>(
      (resolve, reject) => {
        const onCrash = (): void => reject(toSluiceError(crash.reason));
        crash.addEventListener('abort', onCrash, { once: true });
        port.on('message', (message: FromSession) => {
          if (message.kind === 'finished' || message.kind === 'failed') resolve(message);
          else this.#receive(message);
        });
      },
    );
    if (this.#failure !== null) throw this.#failure.reason;
    if (end.kind === 'failed') throw errorOf(end.error);
    return end.inputHash;
  }

  #receive(message: Exclude<FromSession, { kind: 'finished' | 'failed' }>): void {
    if (this.#failure !== null) return;
    try {
      this.#perform(message);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #perform(message: Exclude<FromSession, { kind: 'finished' | 'failed' }>): void {
    const { coordinator } = this.#deps;
    switch (message.kind) {
      case 'taken':
        if (this.#pump === null) this.#count(message.bytes);
        else this.#pump.acknowledge(message.bytes);
        return;
      case 'described':
        this.#checkWaves(message.facts.waves);
        coordinator.saveFacts(this.#job, {
          ...message.facts,
          ...firstResumePoint(this.#job.facts, message),
        });
        return;
      case 'stored': {
        const { chunk, answer } = message;
        const stored = { kind: 'chunk-stored', index: chunk.index } as const;
        const event = answer === null ? stored : { ...stored, answer };
        const before = this.#job.facts;
        this.#job.facts = { ...before, ...nextResumePoint(before, message) };
        try {
          coordinator.apply(this.#job.id, event, [chunk]);
        } catch (thrown) {
          // Nobody goes on behind a chunk that has no row.
          this.#job.facts = before;
          throw thrown;
        }
        this.#onStored();
        return;
      }
    }
  }

  /** Chunks of one job are all read in one way. */
  #checkWaves(waves: JobFacts['waves']): void {
    const { state, facts } = this.#job;
    const keysOf = (one: JobFacts['waves']): string => (one ?? []).map((w) => w.contextKey).join();
    if (state.chunkCount === 0 || keysOf(facts.waves) === keysOf(waves)) return;
    throw new SluiceError(
      'conflict',
      'The server was updated while the input was arriving, and would read the rest of it in ' +
        'another way: upload the file again.',
    );
  }

  /** Stops the session; its end comes when nothing is being written any more. */
  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#failure ??= { reason };
    this.#destroyBody(toSluiceError(reason));
    this.#post({ kind: 'abort' });
  }

  #destroyBody(error: Error | null): void {
    if (!(this.#body instanceof Readable)) return;
    if (error === null) this.#body.destroy();
    else this.#body.destroy(error);
  }

  /** Counts bytes of the body as they come. */
  #count(bytes: number): void {
    if (!this.#counts) return;
    const job = this.#job;
    const bytesReceived = job.facts.bytesReceived + bytes;
    if (bytesReceived > LIMITS.uploadBytesMax) {
      const message = `the upload exceeds ${LIMITS.uploadBytesMax} bytes`;
      this.#fail(new SluiceError('limit-exceeded', message));
      return;
    }
    job.facts = { ...job.facts, bytesReceived };
    this.#deps.coordinator.touch(job.id);
    this.#onBytes(bytesReceived);
  }

  /** Chunks that may be stored: those that are answered, and the backlog. */
  #room(): number {
    return answeredCount(this.#job.state) + this.#deps.coordinator.window().backlogChunks;
  }

  async #grantRoom(): Promise<void> {
    let granted = this.#room();
    while (!this.#isOver && !this.#job.signal.aborted) {
      // When this much of the backlog is free: a message is not worth one chunk.
      const next = granted + LIMITS.backlogChunksMin / 8;
      await this.#job.until(() => this.#isOver || this.#room() >= next);
      granted = this.#room();
      this.#post({ kind: 'room', chunks: granted });
    }
  }

  #post(message: ToSession): void {
    this.#session.port.postMessage(message);
  }
}

function errorOf({ code, message, details }: ErrorDocument): SluiceError {
  return new SluiceError(code, message, { details });
}

function inputError(thrown: unknown, { job, signal }: IngestRequest): SluiceError {
  const { bytesReceived, bytesTotal } = job.facts;
  if (signal.aborted && !job.signal.aborted) {
    const total = bytesTotal === null ? '' : ` of ${bytesTotal}`;
    return new SluiceError(
      'input-truncated',
      `The client went away after ${bytesReceived}${total} bytes. Upload the file again: ` +
        'chunks that were done are not processed twice.',
      { details: { bytesReceived, bytesTotal }, cause: thrown },
    );
  }
  if (job.signal.aborted) return toSluiceError(job.signal.reason);
  return toSluiceError(thrown);
}
