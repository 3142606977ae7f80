import { Chunker, type CutChunk } from '../../pipeline/chunking/chunker.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { chunkKey, InputHasher } from '../../pipeline/keys/index.ts';
import { LIMITS, type ChunkLimits } from '../../pipeline/limits.ts';
import type { KernelModule } from '../../pipeline/parsing/structural/kernel.ts';
import type { LookupContent, LookupPart } from '../../pipeline/plan/lookup.ts';
import type { IngestBlobStore } from '../../pipeline/storage/blob-store.ts';

export interface LookupCutterDeps {
  readonly blobs: IngestBlobStore;
  readonly kernel?: KernelModule | undefined;
  readonly chunkLimits: ChunkLimits;
}

/** Cuts the records' text of a lookup, which begins on `startLine`, into parts as an input is cut, and
 *  stores them as chunks. */
export class LookupCutter {
  readonly #blobs: IngestBlobStore;
  readonly #chunker: Chunker;
  readonly #hasher: InputHasher;
  readonly #parts: LookupPart[] = [];
  readonly #writing: Promise<unknown>[] = [];

  constructor(
    { blobs, kernel, chunkLimits }: LookupCutterDeps,
    { format, dialect, columns }: Pick<LookupContent, 'format' | 'dialect' | 'columns'>,
    startLine: number,
  ) {
    this.#blobs = blobs;
    const options = { kernel, startLine };
    this.#chunker = new Chunker(format === 'csv' ? dialect : 'ndjson', chunkLimits, options);
    this.#hasher = new InputHasher(columns.map(({ name }) => name));
  }

  /** Takes more of the text. Throws `input-malformed` for a record too long to be read. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#chunker.pushTo(bytes, this.#take);
    await this.#settle(LIMITS.uploadWritesInFlightMax);
  }

  /** Resolves when all parts are durable. */
  async finish(): Promise<{ readonly key: string; readonly parts: readonly LookupPart[] }> {
    this.#chunker.finishTo(this.#take);
    await this.#settle(0);
    return { key: this.#hasher.digest(), parts: this.#parts };
  }

  readonly #take = ({ kind, bytes, fullBytes, line, lines }: CutChunk): void => {
    if (kind === 'oversized') {
      throw new SluiceError('input-malformed', `a record has ${fullBytes} bytes, more than fit`, {
        details: { line: line + 1, recordBytesMax: LIMITS.recordBytesMax },
      });
    }
    const key = chunkKey(bytes);
    this.#hasher.add(key);
    this.#parts.push({ key, bytes: fullBytes, lines });
    const written = this.#blobs.putNow(`chunks/${key}`, bytes);
    // It is awaited in its turn: one that fails meanwhile is not unhandled.
    written.catch(() => undefined);
    this.#writing.push(written);
  };

  async #settle(writesMax: number): Promise<void> {
    while (this.#writing.length > writesMax) await this.#writing.shift();
  }
}
