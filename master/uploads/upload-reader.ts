import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { EarlierReading } from '../ingest/ingest-messages.ts';
import type { IngestDeps } from '../ingest/ingest-session.ts';
import { readInput } from '../ingest/ingest-session.ts';

/** Bytes that wait for the ingest session; it holds more of them itself. */
const WAITING_BYTES = 256 * 1024;

export interface ReaderRequest {
  readonly job: ActiveJob;
  readonly earlier: EarlierReading;
  /** What was received before and is read again first. */
  readonly replay: AsyncIterable<Uint8Array>;
  /** Called when another chunk is stored. */
  readonly onStored: () => void;
}

/** An ingest session that lives longer than one request: it takes the parts as they come. */
export class UploadReader {
  readonly #feed = new PassThrough({ highWaterMark: WAITING_BYTES });
  readonly #stop = new AbortController();
  readonly #replayed: Promise<void>;
  /** Settles with the input: resolves when it was read to its end. */
  readonly ended: Promise<void>;
  #isOver = false;

  constructor(deps: IngestDeps, { job, earlier, replay, onStored }: ReaderRequest) {
    // The session destroys the feed at its end; what is written after that is nobody's.
    this.#feed.on('error', () => undefined);
    const { upload } = job.facts;
    this.ended = readInput(deps, {
      ...{ job, body: this.#feed, signal: this.#stop.signal, earlier, onStored },
      formatHint: upload?.formatHint ?? null,
      profile: true,
    }).finally(() => {
      this.#isOver = true;
    });
    this.ended.catch(() => undefined);
    this.#replayed = this.#replay(replay);
    this.#replayed.catch((thrown: unknown) => this.stop(thrown));
  }

  /** Resolves when bytes may be pushed. Rejects with the input's failure, or the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#unless(this.#replayed, signal);
    await this.#drained(signal);
  }

  /** Hands over bytes that stay the reader's. */
  push(bytes: Uint8Array): void {
    if (!this.#feed.destroyed) this.#feed.write(bytes);
  }

  /** All bytes were pushed. Resolves when they are in chunks. Rejects as `ready` does. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.ready(signal);
    if (!this.#feed.writableEnded) this.#feed.end();
    await this.#unless(this.ended, signal);
  }

  /** Ends the session in the middle of the input. `ended` rejects when nothing is written any more. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  async #replay(replay: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of replay) {
      if (this.#isOver) return;
      this.push(bytes);
      await this.#drained(this.#stop.signal);
    }
  }

  async #drained(signal: AbortSignal): Promise<void> {
    while (this.#feed.writableNeedDrain && !this.#feed.destroyed) {
      await this.#unless(once(this.#feed, 'drain'), signal);
    }
    if (this.#feed.destroyed) await this.ended;
  }

  /** Waits for `work`, while the input can be read and the signal has not fired. */
  async #unless(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
    work.catch(() => undefined);
    signal.throwIfAborted();
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(reasonOf(signal));
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      await Promise.race([work, this.ended, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new SluiceError('aborted', 'the request was stopped');
}
