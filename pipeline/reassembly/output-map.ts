import { invariant } from '../errors.ts';

/** What a merged chunk adds to the job. */
export interface OutputEntry {
  readonly outputBytes: number;
  readonly outputRecords: number;
  readonly rejected: number;
  readonly recordsIn: number;
  /** Line ends in the chunk. */
  readonly lines: number;
  /** Bytes of the chunk in the input. */
  readonly bytesIn: number;
}

/** A place in the chunks' outputs: which chunk, and how far into it. */
export interface Located {
  readonly chunk: number;
  /** Bytes, records or rejects from the chunk's first, by what was asked. */
  readonly within: number;
}

const MEASURES = [
  'outputBytes',
  'outputRecords',
  'rejected',
  'recordsIn',
  'lines',
  'bytesIn',
] as const satisfies readonly (keyof OutputEntry)[];

/**
 * What the chunks merged so far hold, in file order, with prefix sums: finds the chunk of an output
 * byte, an output record or a reject in O(log chunks). 48 bytes a chunk.
 */
export class OutputMap {
  #count = 0;
  /** Prefix sums: entry `chunk` is what all chunks before it hold. */
  readonly #sums: Record<keyof OutputEntry, Float64Array<ArrayBuffer>> = {
    outputBytes: new Float64Array(65),
    outputRecords: new Float64Array(65),
    rejected: new Float64Array(65),
    recordsIn: new Float64Array(65),
    lines: new Float64Array(65),
    bytesIn: new Float64Array(65),
  };

  /** Chunks merged so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds the next chunk in file order; its index must be `count`. */
  append(chunk: number, entry: OutputEntry): void {
    invariant(chunk === this.#count, 'chunks are merged in file order, each once');
    for (const measure of MEASURES) {
      this.#sums[measure] = withRoom(this.#sums[measure], chunk + 2);
      const sums = this.#sums[measure];
      sums[chunk + 1] = sums[chunk]! + entry[measure];
    }
    this.#count = chunk + 1;
  }

  /** What all chunks together hold. */
  totals(): OutputEntry {
    return this.before(this.#count);
  }

  /** What the chunks before `chunk` hold; `chunk` is at most `count`. */
  before(chunk: number): OutputEntry {
    invariant(chunk >= 0 && chunk <= this.#count, 'the chunk is merged');
    return {
      outputBytes: this.#sums.outputBytes[chunk]!,
      outputRecords: this.#sums.outputRecords[chunk]!,
      rejected: this.#sums.rejected[chunk]!,
      recordsIn: this.#sums.recordsIn[chunk]!,
      lines: this.#sums.lines[chunk]!,
      bytesIn: this.#sums.bytesIn[chunk]!,
    };
  }

  /** What one chunk holds. */
  entry(chunk: number): OutputEntry {
    const start = this.before(chunk);
    const end = this.before(chunk + 1);
    return {
      outputBytes: end.outputBytes - start.outputBytes,
      outputRecords: end.outputRecords - start.outputRecords,
      rejected: end.rejected - start.rejected,
      recordsIn: end.recordsIn - start.recordsIn,
      lines: end.lines - start.lines,
      bytesIn: end.bytesIn - start.bytesIn,
    };
  }

  /** Chunk of an output byte, counted without header; null beyond what is there. */
  locate(byteOffset: number): Located | null {
    return this.#locate(this.#sums.outputBytes, byteOffset);
  }

  /** Chunk of an output record, counted from 0; null beyond what is there. */
  locateRecord(record: number): Located | null {
    return this.#locate(this.#sums.outputRecords, record);
  }

  /** Chunk of a reject, counted from 0; null beyond what is there. */
  locateReject(reject: number): Located | null {
    return this.#locate(this.#sums.rejected, reject);
  }

  /** The last chunk that starts at or before `position`: chunks that hold nothing are passed. */
  #locate(sums: Float64Array, position: number): Located | null {
    if (!(position >= 0) || position >= sums[this.#count]!) return null;
    let low = 0;
    let high = this.#count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! <= position) low = middle;
      else high = middle;
    }
    return { chunk: low, within: position - sums[low]! };
  }
}

function withRoom(sums: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  if (length <= sums.length) return sums;
  const grown = new Float64Array(length * 2);
  grown.set(sums);
  return grown;
}
