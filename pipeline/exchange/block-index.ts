import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';

const VERSION = 1;

/** Bytes of a block's checksum, see `blockSum`. */
export const BLOCK_SUM_BYTES = 16;

/** Keys are cut to so many bytes in an index: 64 times less than what a block holds. */
export const INDEX_KEY_BYTES_MAX = 1024;

/** Writes the sparse index of an output: for each block its bytes, its records, its checksum and its
 *  first key; and the last key of all. */
export class BlockIndexWriter {
  private readonly blocks = new ByteWriter();
  private count = 0;

  startBlock(keys: Uint8Array, start: number, end: number): void {
    const kept = Math.min(end, start + INDEX_KEY_BYTES_MAX);
    this.blocks.block(keys.subarray(start, kept));
  }

  endBlock(bytes: number, records: number, sum: Uint8Array): void {
    this.count += 1;
    this.blocks.count(bytes);
    this.blocks.count(records);
    this.blocks.raw(sum);
  }

  finish(lastKey: Uint8Array): Uint8Array {
    const writer = new ByteWriter();
    writer.byte(VERSION);
    writer.count(this.count);
    writer.raw(this.blocks.finish());
    writer.block(lastKey.subarray(0, INDEX_KEY_BYTES_MAX));
    return writer.finish();
  }
}

/** The blocks of one output. All arrays are by block. */
export interface BlockIndex {
  readonly count: number;
  /** First byte of each block in the output; one entry more, where the last block ends. */
  readonly starts: Float64Array;
  /** Records before each block; one entry more, all records. */
  readonly ordinals: Float64Array;
  /** What keys and checksums lie in. */
  readonly bytes: Uint8Array;
  readonly sumStarts: Uint32Array;
  /** First key of each block; one entry more, the last key of all. Whole where `isWholeKey`. */
  readonly keyStarts: Uint32Array;
  readonly keyEnds: Uint32Array;
}

/** Whether the key of a block is all of the key. */
export function isWholeKey({ keyStarts, keyEnds }: BlockIndex, block: number): boolean {
  return keyEnds[block]! - keyStarts[block]! < INDEX_KEY_BYTES_MAX;
}

/** Reads what `BlockIndexWriter` wrote; a view on the bytes. Throws `blob-corrupt`. */
export function readBlockIndex(bytes: Uint8Array): BlockIndex {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) {
    throw new SluiceError('blob-corrupt', 'An exchange index has another format or version');
  }
  const count = reader.count();
  const index = {
    ...{ count, bytes, starts: new Float64Array(count + 1), ordinals: new Float64Array(count + 1) },
    sumStarts: new Uint32Array(count),
    ...{ keyStarts: new Uint32Array(count + 1), keyEnds: new Uint32Array(count + 1) },
  };
  for (let block = 0; block <= count; block++) {
    const length = reader.count();
    index.keyStarts[block] = reader.position;
    index.keyEnds[block] = reader.position + length;
    reader.raw(length);
    if (block === count) break;
    index.starts[block + 1] = index.starts[block]! + reader.count();
    index.ordinals[block + 1] = index.ordinals[block]! + reader.count();
    index.sumStarts[block] = reader.position;
    reader.raw(BLOCK_SUM_BYTES);
  }
  return index;
}
