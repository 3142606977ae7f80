import { SluiceError } from '../errors.ts';
import { canonicalJson } from '../keys/canonical-json.ts';
import { RESULT_HEAD_BYTES } from '../result/result-format.ts';
import { BLOCK_SUM_BYTES, type BlockIndex } from './block-index.ts';

/** Bytes `[start, end)` of an earlier result, stored under `name`. */
export interface Slice {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Blocks of a result's output, side by side. */
export interface SliceDocument {
  readonly result: string;
  /** First byte in the output. */
  readonly start: number;
  /** Bytes of each block. */
  readonly blocks: readonly number[];
  /** Checksums of the blocks, one after another, in base64. */
  readonly sums: string;
}

/**
 * A place in the order of all entries: by key, then by slice, then by position in the slice. Entries
 * whose key equals `key` are before it in the slices before `slice`, and in that slice itself the
 * first `entry` ones.
 */
export interface Bound {
  /** In base64. */
  readonly key: string;
  readonly slice: number;
  readonly entry: number;
}

/** What gathered entries are of: a lookup, or the records that it meets; all others are of records. */
export type GatheredSide = 'lookup' | 'records';

/** What stands in a sub-task's place for the bytes of a chunk. */
export type WaveDocument =
  | {
      /** The records of `[lower, upper)` in the order of their keys. */
      readonly kind: 'merge';
      readonly lower: Bound | null;
      readonly upper: Bound | null;
      readonly slices: readonly SliceDocument[];
      /** Records that stand in no task's slices, told of here so that they are counted once. */
      readonly filtered: number;
      /** Of each slice: the place of its output among all; left out where it does not matter. */
      readonly runs?: readonly number[];
      /** Whether entries were gathered: what they say of places is of all outputs then. */
      readonly gathered?: true;
    }
  | {
      /** The entries of `[lower, upper)` in the order of their keys, to be merged with others. */
      readonly kind: 'gather';
      readonly side: GatheredSide;
      readonly lower: Bound | null;
      readonly upper: Bound | null;
      readonly slices: readonly SliceDocument[];
      readonly filtered: number;
      /** Of each slice: the place of its output among all, if its entries were not gathered. */
      readonly runs?: readonly number[];
    }
  | {
      /** The one value of measure `measure` of the group with this key, in base64, at a place among
       *  `count` values. The slices begin at the place `first`. */
      readonly kind: 'pick';
      readonly key: string;
      readonly measure: number;
      readonly count: number;
      readonly first: number;
      readonly slices: readonly SliceDocument[];
      readonly filtered: number;
    }
  | {
      /** `count` records as they stand, the first `skip` of the slices left out. */
      readonly kind: 'range';
      readonly skip: number;
      readonly count: number;
      readonly slices: readonly SliceDocument[];
      /** As above, and with the records of the slices that are left out. */
      readonly filtered: number;
      /** As above. */
      readonly runs?: readonly number[];
    }
  | {
      /** As 'merge', of the keys that two kinds of slices share: the first `builds` are of a lookup. */
      readonly kind: 'match';
      readonly lower: Bound | null;
      readonly upper: Bound | null;
      readonly builds: number;
      readonly gathered?: true;
      readonly slices: readonly SliceDocument[];
      readonly filtered: number;
    }
  | {
      /** The records of the first slice, and the matches of their keys, which the others list. */
      readonly kind: 'joined';
      readonly slices: readonly SliceDocument[];
      readonly filtered: number;
      /** As above, of the first slice. */
      readonly runs?: readonly number[];
    }
  | {
      /** The records of the first slice but those whose ordinals the others list. */
      readonly kind: 'without';
      readonly slices: readonly SliceDocument[];
      readonly filtered: number;
      /** As above, of the first slice. */
      readonly runs?: readonly number[];
    };

const VERSION = 1;

export function encodeDocument(document: WaveDocument): Uint8Array {
  return new TextEncoder().encode(canonicalJson({ version: VERSION, ...document }));
}

/** Reads what `encodeDocument` wrote. Throws `blob-corrupt`. */
export function decodeDocument(bytes: Uint8Array): WaveDocument {
  try {
    const { version, ...document } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly version: number;
    } & WaveDocument;
    if (version === VERSION) return document;
  } catch (error) {
    throw new SluiceError('blob-corrupt', 'The document of a task is not JSON', { cause: error });
  }
  throw new SluiceError('blob-corrupt', 'The document of a task has another version');
}

/** Blocks `[from, to)` of a result, in whose output they begin at `start`. */
export function sliceOf(
  result: string,
  index: BlockIndex,
  from: number,
  to: number,
  start = 0,
): SliceDocument {
  const sums = new Uint8Array((to - from) * BLOCK_SUM_BYTES);
  const blocks: number[] = [];
  for (let block = from; block < to; block++) {
    const sum = index.sumStarts[block]!;
    blocks.push(index.starts[block + 1]! - index.starts[block]!);
    sums.set(index.bytes.subarray(sum, sum + BLOCK_SUM_BYTES), (block - from) * BLOCK_SUM_BYTES);
  }
  return { result, start: start + index.starts[from]!, blocks, sums: base64(sums) };
}

export function sliceBytes({ blocks }: SliceDocument): number {
  return blocks.reduce((sum, bytes) => sum + bytes, 0);
}

/** Where a slice is in the store. */
export function storedSlice(slice: SliceDocument): Slice {
  const start = RESULT_HEAD_BYTES + slice.start;
  return { name: `results/${slice.result}`, start, end: start + sliceBytes(slice) };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

export function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
