import type { CutChunk } from '../../pipeline/chunking/chunker.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { chunkKey, InputHasher, oversizedKey, taskKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { FileSlice, IngestBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { StoredAnswer } from './ingest-messages.ts';
import type { NewChunk } from '../storage/job-record.ts';
import { storeOversizedResult } from './oversized-record.ts';
import { readStoredStatistics } from './stored-result.ts';

export interface ChunkWriterOptions {
  readonly blobs: IngestBlobStore;
  readonly contextKey: string;
  readonly onError: ChunkContext['onError'];
  /** Column names: part of the input's identity. */
  readonly header: readonly string[];
  /** Keys of the first chunks, where they were stored by an earlier session. */
  readonly knownKeys: readonly string[];
  /** Whether those come again, to be passed over. */
  readonly knownComeAgain: boolean;
  /** Called for each new chunk in file order, when it is durable. */
  readonly onStored: (chunk: NewChunk, answer: StoredAnswer | null, endLine: number) => void;
  /** Where chunks are already, so that they need not be written; null where they must be. */
  readonly place: ChunkPlace | null;
}

/** Tells where a chunk's bytes stay readable for as long as the store is. */
export type ChunkPlace = (cut: CutChunk) => FileSlice;

/** Hashes and writes chunks while they are lent, and waits for the disk behind their back. */
export class ChunkWriter {
  readonly #options: ChunkWriterOptions;
  readonly #hasher: InputHasher;
  #count = 0;
  #stored: Promise<void> = Promise.resolve();
  readonly #writing: Promise<void>[] = [];

  constructor(options: ChunkWriterOptions) {
    this.#options = options;
    this.#hasher = new InputHasher(options.header);
    if (options.knownComeAgain) return;
    for (const key of options.knownKeys) this.#hasher.add(key);
    this.#count = options.knownKeys.length;
  }

  /** Chunks taken so far, and those before them. */
  get count(): number {
    return this.#count;
  }

  /** Has handed the bytes to the system when it returns. Failures come from `settle`. */
  take(cut: CutChunk): void {
    const isWhole = cut.kind === 'records';
    const key = isWhole ? chunkKey(cut.bytes) : oversizedKey(cut.bytes, cut.fullBytes);
    this.#hasher.add(key);
    if (this.#isKnown(key)) return;
    const task = taskKey(key, this.#options.contextKey);
    const { byteOffset, fullBytes, line } = cut;
    const chunk: NewChunk = {
      ...{ index: this.#count++, wave: 0, chunkKey: key, taskKey: task },
      ...{ byteOffset, bytes: fullBytes, line },
    };
    const written = isWhole ? this.#write(key, cut) : this.#answer(task, cut);
    const before = this.#stored;
    const announced = { chunk, isWhole, endLine: line + cut.lines };
    this.#stored = this.#announce(before, written, announced);
    // Each is awaited by `settle` in its turn: one that fails meanwhile is not unhandled.
    written.catch(() => undefined);
    this.#stored.catch(() => undefined);
    this.#writing.push(this.#stored);
  }

  /** Resolves when at most `writesMax` chunks are not durable yet. Rejects when a write failed. */
  async settle(writesMax: number = LIMITS.uploadWritesInFlightMax): Promise<void> {
    while (this.#writing.length > writesMax) await this.#writing.shift();
  }

  /** Resolves when nothing is being written any more, whether it succeeded or not. */
  async rest(): Promise<void> {
    await Promise.allSettled(this.#writing.splice(0));
  }

  /** Identity of the input that was taken. Once. */
  inputHash(): string {
    return this.#hasher.digest();
  }

  /** Passes over a chunk that an earlier session stored. Throws when it is not the same one. */
  #isKnown(key: string): boolean {
    const known = this.#options.knownKeys[this.#count];
    if (known === undefined) return false;
    if (known !== key) {
      throw new SluiceError(
        'conflict',
        `Chunk ${this.#count} of the input is another one than before the upload was cut off: ` +
          'upload the file again.',
        { details: { chunk: this.#count, before: known, now: key } },
      );
    }
    this.#count += 1;
    return true;
  }

  async #write(key: string, cut: CutChunk): Promise<void> {
    const { blobs, place } = this.#options;
    if (place === null) await blobs.putNow(`chunks/${key}`, cut.bytes);
    else blobs.referNow(`chunks/${key}`, place(cut));
  }

  async #answer(task: string, cut: CutChunk): Promise<void> {
    const { blobs, onError } = this.#options;
    await storeOversizedResult(blobs, onError, cut, task);
  }

  async #announce(
    before: Promise<void>,
    written: Promise<void>,
    { chunk, isWhole, endLine }: AnnouncedChunk,
  ): Promise<void> {
    // Both are waited for, so that nothing is being written when the last of these has settled.
    for (const one of await Promise.allSettled([before, written])) {
      if (one.status === 'rejected') throw toSluiceError(one.reason);
    }
    // The same chunk under the same plan was done before: no task is needed.
    const statistics = await readStoredStatistics(this.#options.blobs, chunk.taskKey);
    const answer = statistics === null ? null : { statistics, reused: isWhole };
    this.#options.onStored(chunk, answer, endLine);
  }
}

interface AnnouncedChunk {
  readonly chunk: NewChunk;
  readonly isWhole: boolean;
  readonly endLine: number;
}
