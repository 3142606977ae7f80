import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { SluiceError, errorDocument, invariant, toSluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { isFinal } from '../coordination/job-state.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { EarlierReading } from '../ingest/ingest-messages.ts';
import type { IngestDeps } from '../ingest/ingest-session.ts';
import type { UploadPart } from '../service.ts';
import { PROCESS_TIMERS } from '../timers.ts';
import type { Timers } from '../timers.ts';
import type { UploadFacts } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import { gathered } from './gathered.ts';
import type { Spool } from './spool.ts';
import { UploadReader } from './upload-reader.ts';

export interface UploadDeps extends IngestDeps {
  readonly store: SqliteJobStore;
  readonly now: () => number;
  readonly log: Logger;
  /** An upload whose client is gone keeps its reader for so long. */
  readonly readerIdleMs: number;
  /** Those of the process when left out. */
  readonly timers?: Timers;
  /** Called with the length of what a client sent. */
  readonly onReceived: (bytes: number) => void;
}

/**
 * One resumable upload whose input is not complete. What comes is appended to the spool and given
 * to a reader that makes chunks of it. What can be read on from (a stored chunk's end, for plain
 * UTF-8) needs no spool before it; other inputs keep theirs until they are complete.
 *
 * | state   | means                                        | left                              |
 * | ------- | -------------------------------------------- | --------------------------------- |
 * | idle    | no reader; all that counts is durable        | the next part                     |
 * | reading | a reader takes the parts as they come        | end of input; failure; long pause |
 * | over    | the input is complete, or the job is over    | never                             |
 */
export class OpenUpload {
  readonly job: ActiveJob;
  readonly #deps: UploadDeps;
  readonly #spool: Spool;
  #reader: UploadReader | null = null;
  #received = 0;
  #isWriting = false;
  #dropping: Promise<void> | null = null;
  #callOffIdle: () => void = () => undefined;

  private constructor(deps: UploadDeps, job: ActiveJob, spool: Spool) {
    this.#deps = deps;
    this.job = job;
    this.#spool = spool;
  }

  /** Takes up an upload where it can be gone on with for certain. */
  static async open(deps: UploadDeps, job: ActiveJob, spool: Spool): Promise<OpenUpload> {
    const upload = new OpenUpload(deps, job, spool);
    await upload.#recover();
    return upload;
  }

  /** What the client need not send again. Durable, but while a part is being written. */
  get receivedBytes(): number {
    return this.#received;
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether all bytes have come. */
  get isWhole(): boolean {
    return this.#received === this.job.facts.bytesTotal;
  }

  get #facts(): UploadFacts {
    const { upload } = this.job.facts;
    invariant(upload !== undefined, 'the job of an upload has its facts');
    return upload;
  }

  /**
   * Appends a part. Resolves with the new offset when all bytes up to it are durable, and, when the
   * upload is whole, in chunks. A part that is cut off, by its body's failure or by the signal,
   * counts as far as it came; one with a checksum counts as a whole or not at all.
   */
  async write(part: UploadPart): Promise<number> {
    if (this.#isWriting) throw new SluiceError('upload-locked', 'another request is writing');
    this.#isWriting = true;
    this.#callOffIdle();
    const signal = AbortSignal.any([part.signal, this.job.signal]);
    const stopBody = (): void => void part.body.destroy(toSluiceError(signal.reason));
    signal.addEventListener('abort', stopBody, { once: true });
    if (signal.aborted) stopBody();
    try {
      if (this.#spool.end !== this.#received) await this.#startOver();
      if (part.offset !== this.#received) throw offsetConflict(part.offset, this.#received);
      if (part.checksum === null) await this.#take({ ...part, signal });
      else await this.#takeChecked({ ...part, signal }, part.checksum);
    } finally {
      signal.removeEventListener('abort', stopBody);
      this.#isWriting = false;
      this.#armIdleTimer();
    }
    if (this.isWhole) await this.finish(signal);
    return this.#received;
  }

  /** Resolves when the whole input is in chunks. Rejects with its failure. */
  async finish(signal: AbortSignal): Promise<void> {
    await this.#openReader().finish(signal);
  }

  /** Ends the reader; the next part starts another one. */
  async suspend(): Promise<void> {
    this.#callOffIdle();
    const reader = this.#reader;
    reader?.stop(new SluiceError('closing', 'the upload waits for its client'));
    await reader?.ended.catch(() => undefined);
    await this.#spool.close();
  }

  /** Deletes the spool. The input is complete or the job is over, and a loss of power leaves it so. */
  async remove(): Promise<void> {
    await this.suspend();
    await this.#dropping;
    await this.#deps.store.sync();
    await this.#spool.remove();
  }

  /** Finds the offset up to which everything is durable, after a crash or a failed write. */
  async #recover(): Promise<void> {
    // What the facts say is in chunks is dropped here.
    await this.#deps.store.sync();
    const { durableBytes, resumePoint } = this.#facts;
    const inChunks = resumePoint?.rawOffset ?? 0;
    const spooled = this.#spool.start > inChunks ? 0 : Math.min(durableBytes, this.#spool.end);
    if (spooled > inChunks) await this.#spool.truncate(spooled);
    else await this.#spool.restartAt(inChunks);
    this.#setReceived(Math.max(spooled, inChunks));
  }

  async #take({ body, signal }: UploadPart): Promise<void> {
    const reader = this.#openReader();
    try {
      for await (const bytes of gathered(body)) {
        this.#checkLength(this.#received + bytes.length);
        await reader.ready(signal);
        await this.#spool.append(bytes);
        this.#setReceived(this.#received + bytes.length);
        this.#deps.onReceived(bytes.length);
        reader.push(bytes);
        if (this.#unsyncedBytes() > LIMITS.spoolUnsyncedBytesMax) await this.#makeDurable();
      }
    } catch (thrown) {
      await this.#makeDurable();
      throw thrown;
    }
    await this.#makeDurable();
  }

  /** Spools the part first: the reader sees nothing of it before it is right. */
  async #takeChecked(part: UploadPart, checksum: NonNullable<UploadPart['checksum']>) {
    const { offset, signal } = part;
    try {
      await this.#spoolChecked(part, checksum);
    } catch (thrown) {
      await this.#spool.truncate(offset);
      throw thrown;
    }
    const end = this.#spool.end;
    this.#deps.onReceived(end - offset);
    const reader = this.#openReader();
    this.#setReceived(end);
    await this.#makeDurable();
    try {
      for await (const bytes of this.#spool.read(offset, end)) {
        await reader.ready(signal);
        reader.push(bytes);
      }
    } catch (thrown) {
      // The part counts already, and this reader lacks some of it: a new one finds it in the spool.
      await this.suspend();
      throw thrown;
    }
  }

  async #spoolChecked(
    { body, offset }: UploadPart,
    checksum: NonNullable<UploadPart['checksum']>,
  ): Promise<void> {
    const hash = createHash(checksum.algorithm);
    for await (const bytes of gathered(body)) {
      const end = this.#spool.end + bytes.length;
      this.#checkLength(end);
      if (end - offset > LIMITS.uploadCheckedBytesMax) {
        const message = `a part with a checksum has at most ${LIMITS.uploadCheckedBytesMax} bytes`;
        throw new SluiceError('limit-exceeded', message);
      }
      hash.update(bytes);
      await this.#spool.append(bytes);
    }
    if (hash.digest().equals(checksum.digest)) return;
    throw new SluiceError(
      'checksum-mismatch',
      `the part's bytes do not match Upload-Checksum, and were dropped: send them again`,
      { details: { algorithm: checksum.algorithm, offset, bytes: this.#spool.end - offset } },
    );
  }

  #setReceived(bytesReceived: number): void {
    this.#received = bytesReceived;
    this.job.facts = { ...this.job.facts, bytesReceived };
    this.#deps.coordinator.touch(this.job.id);
  }

  #checkLength(end: number): void {
    const { bytesTotal } = this.job.facts;
    const bytesMax = bytesTotal ?? LIMITS.uploadBytesMax;
    if (end <= bytesMax) return;
    const bound = bytesTotal === null ? 'the limit' : 'its length';
    const message = `the upload exceeds ${bound} of ${bytesMax} bytes`;
    throw new SluiceError('limit-exceeded', message, { details: { bytesMax } });
  }

  #unsyncedBytes(): number {
    const { durableBytes, resumePoint } = this.#facts;
    return this.#received - Math.max(durableBytes, resumePoint?.rawOffset ?? 0);
  }

  async #makeDurable(): Promise<void> {
    if (isFinal(this.job.state)) return;
    const durableBytes = this.#received;
    try {
      await this.#spool.sync();
      const activeAt = new Date(this.#deps.now()).toISOString();
      const upload = { ...this.#facts, durableBytes, activeAt };
      if (isFinal(this.job.state)) return;
      this.#deps.coordinator.saveFacts(this.job, { upload });
      await this.#deps.store.sync();
    } catch (thrown) {
      // Of what the system took, nobody knows now what the disk has.
      await this.#startOver();
      throw thrown;
    }
  }

  /** Goes back to what is durable. */
  async #startOver(): Promise<void> {
    await this.suspend();
    await this.#recover();
  }

  #openReader(): UploadReader {
    this.#reader ??= this.#startReader();
    return this.#reader;
  }

  #startReader(): UploadReader {
    const { job } = this;
    const [wave] = job.facts.waves ?? [];
    const { resumePoint } = this.#facts;
    const start = resumePoint?.rawOffset ?? 0;
    const from =
      resumePoint === null || wave === undefined
        ? null
        : { ...resumePoint, context: wave.context, contextKey: wave.contextKey };
    const earlier: EarlierReading = {
      chunkKeys: this.#deps.store.chunkKeys(job.id),
      from,
    };
    const replay = this.#spool.read(start, this.#received);
    const reader = new UploadReader(this.#deps, {
      ...{ job, earlier, replay },
      onStored: () => this.#dropStored(),
    });
    reader.ended.then(
      () => this.#onEnd(reader),
      (thrown: unknown) => this.#onFailure(reader, thrown),
    );
    return reader;
  }

  #onEnd(reader: UploadReader): void {
    if (this.#reader === reader) this.#reader = null;
    void this.remove().catch((thrown: unknown) => this.#warn('cannot delete a spool', thrown));
  }

  /** What may pass leaves the upload as it is; what is wrong with the input fails the job. */
  #onFailure(reader: UploadReader, thrown: unknown): void {
    if (this.#reader === reader) this.#reader = null;
    const error = toSluiceError(thrown);
    if (this.job.signal.aborted || error.code === 'closing') return;
    if (error.retryable) {
      this.#warn('reading an upload stopped', error);
      return;
    }
    void this.#deps.coordinator.applyDurably(this.job.id, {
      kind: 'input-failed',
      ofUpload: true,
      error: errorDocument(error),
    });
  }

  /** Deletes what is in chunks that survive a loss of power. */
  #dropStored(): void {
    const offset = this.#facts.resumePoint?.rawOffset ?? 0;
    if (this.#dropping !== null || !this.#spool.hasFileBefore(offset)) return;
    this.#dropping = this.#deps.store
      .sync()
      .then(() => this.#spool.dropBefore(offset))
      .catch((thrown: unknown) => this.#warn('cannot shorten a spool', thrown))
      .finally(() => {
        this.#dropping = null;
      });
  }

  #armIdleTimer(): void {
    const { timers = PROCESS_TIMERS, readerIdleMs } = this.#deps;
    this.#callOffIdle = timers.after(readerIdleMs, () => {
      void this.suspend().catch((thrown: unknown) => this.#warn('cannot close a spool', thrown));
    });
  }

  #warn(message: string, thrown: unknown): void {
    this.#deps.log.warn({ jobId: this.job.id, err: thrown }, message);
  }
}

function offsetConflict(given: number, received: number): SluiceError {
  return new SluiceError(
    'conflict',
    `Upload-Offset is ${given}, and the upload goes on at ${received}: ask for it with HEAD`,
    { details: { given, offset: received } },
  );
}
