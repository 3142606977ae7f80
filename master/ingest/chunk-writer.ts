import type { CutChunk } from '../../pipeline/chunking/chunker.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { toSluiceError } from '../../pipeline/errors.ts';
import { chunkKey, InputHasher, oversizedKey, taskKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { FileBlobStore, FileSlice } from '../../pipeline/storage/file-blob-store.ts';
import type { StoredAnswer } from './ingest-messages.ts';
import type { NewChunk } from '../storage/job-record.ts';
import { storeOversizedResult } from './oversized-record.ts';
import { readStoredStatistics } from './stored-result.ts';

export interface ChunkWriterOptions {
  readonly blobs: FileBlobStore;
  readonly contextKey: string;
  readonly onError: ChunkContext['onError'];
  /** Column names: part of the input's identity. */
  readonly header: readonly string[];
  /** Called for each chunk in file order, when it is durable. */
  readonly onStored: (chunk: NewChunk, answer: StoredAnswer | null) => void;
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
  }

  /** Chunks taken so far. */
  get count(): number {
    return this.#count;
  }

  /** Has handed the bytes to the system when it returns. Failures come from `settle`. */
  take(cut: CutChunk): void {
    const isWhole = cut.kind === 'records';
    const key = isWhole ? chunkKey(cut.bytes) : oversizedKey(cut.bytes, cut.fullBytes);
    this.#hasher.add(key);
    const task = taskKey(key, this.#options.contextKey);
    const { byteOffset, fullBytes, line } = cut;
    const chunk: NewChunk = {
      ...{ index: this.#count++, wave: 0, chunkKey: key, taskKey: task },
      ...{ byteOffset, bytes: fullBytes, line },
    };
    const written = isWhole ? this.#write(key, cut) : this.#answer(task, cut);
    const before = this.#stored;
    this.#stored = this.#announce(before, written, chunk, isWhole);
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
    chunk: NewChunk,
    isWhole: boolean,
  ): Promise<void> {
    // Both are waited for, so that nothing is being written when the last of these has settled.
    for (const one of await Promise.allSettled([before, written])) {
      if (one.status === 'rejected') throw toSluiceError(one.reason);
    }
    // The same chunk under the same plan was done before: no task is needed.
    const statistics = await readStoredStatistics(this.#options.blobs, chunk.taskKey);
    this.#options.onStored(chunk, statistics === null ? null : { statistics, reused: isWhole });
  }
}
