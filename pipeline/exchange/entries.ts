import { SluiceError } from '../errors.ts';
import { BLOCK_SUM_BYTES } from './block-index.ts';
import { blockSum } from './entry-writer.ts';
import { compareKeys } from './order-by-key.ts';
import {
  fromBase64,
  sliceBytes,
  storedSlice,
  type Bound,
  type SliceDocument,
} from './wave-document.ts';

/** Entries of several slices, in the order of the slices. All arrays are by entry. */
export interface Entries {
  /** The slices, one after another. */
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly keyStarts: Uint32Array;
  readonly keyEnds: Uint32Array;
  /** A record begins where its key ends. */
  readonly recordEnds: Uint32Array;
  /** First entry of each slice; one more, where the last one ends. */
  readonly sliceStarts: readonly number[];
}

/**
 * Reads the entries of `[lower, upper)` from slices that hold them all. Throws `blob-corrupt` with
 * the slice's name where a block is not what its checksum says.
 */
export function readEntries(
  documents: readonly SliceDocument[],
  slices: readonly Uint8Array[],
  lower: Bound | null = null,
  upper: Bound | null = null,
): Entries {
  const total = documents.reduce((sum, slice) => sum + sliceBytes(slice), 0);
  const reader = new EntryReader(new Uint8Array(total), lower, upper);
  documents.forEach((document, i) => {
    const bytes = slices[i] ?? new Uint8Array(0);
    verify(document, bytes);
    reader.add(bytes, i);
    reader.sliceStarts.push(reader.count);
  });
  return reader;
}

/** The slice of each entry. */
export function slicesOf({ sliceStarts, count }: Entries): Uint32Array {
  const slices = new Uint32Array(count);
  for (let slice = 0; slice + 1 < sliceStarts.length; slice++) {
    slices.fill(slice, sliceStarts[slice], sliceStarts[slice + 1]);
  }
  return slices;
}

/** Whether two entries have the same key. */
export function isSameKey(
  { bytes, keyStarts, keyEnds }: Entries,
  left: number,
  right: number,
): boolean {
  const order = compareKeys(
    ...([bytes, keyStarts[left]!, keyEnds[left]!] as const),
    ...([bytes, keyStarts[right]!, keyEnds[right]!] as const),
  );
  return order === 0;
}

/** Checks a slice block by block. Throws `blob-corrupt` with its name. */
export function verify(document: SliceDocument, bytes: Uint8Array): void {
  const sums = fromBase64(document.sums);
  let start = 0;
  let isSame = bytes.length === sliceBytes(document);
  document.blocks.forEach((length, block) => {
    const sum = blockSum(bytes.subarray(start, start + length));
    isSame &&= sum.every((byte, i) => byte === sums[block * BLOCK_SUM_BYTES + i]);
    start += length;
  });
  if (isSame) return;
  const { name } = storedSlice(document);
  throw new SluiceError('blob-corrupt', `${name} does not match its checksums`, {
    details: { name },
  });
}

class EntryReader implements Entries {
  readonly bytes: Uint8Array;
  count = 0;
  keyStarts = new Uint32Array(4096);
  keyEnds = new Uint32Array(4096);
  recordEnds = new Uint32Array(4096);
  readonly sliceStarts = [0];
  private length = 0;
  private readonly lower: OpenBound | null;
  private readonly upper: OpenBound | null;

  constructor(bytes: Uint8Array, lower: Bound | null, upper: Bound | null) {
    this.bytes = bytes;
    this.lower = lower === null ? null : { ...lower, bytes: fromBase64(lower.key) };
    this.upper = upper === null ? null : { ...upper, bytes: fromBase64(upper.key) };
  }

  /** Adds a slice's entries, ascending: those below the range are passed, at its end it stops. */
  add(slice: Uint8Array, position: number): void {
    const { bytes, lower, upper } = this;
    bytes.set(slice, this.length);
    const end = this.length + slice.length;
    let at = this.length;
    this.length = end;
    let isBelow = lower !== null;
    for (let entry = 0; at < end; entry++) {
      let keyLength = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = bytes[at++]!;
        keyLength += (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      let recordLength = 0;
      shift = 0;
      do {
        byte = bytes[at++]!;
        recordLength += (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
      const keyEnd = at + keyLength;
      const recordEnd = keyEnd + recordLength;
      isBelow &&= isBefore(lower!, bytes, at, keyEnd, position, entry);
      if (!isBelow) {
        if (upper !== null && !isBefore(upper, bytes, at, keyEnd, position, entry)) return;
        this.append(at, keyEnd, recordEnd);
      }
      at = recordEnd;
    }
  }

  private append(keyStart: number, keyEnd: number, recordEnd: number): void {
    const entry = this.count++;
    if (entry === this.keyStarts.length) {
      this.keyStarts = doubled(this.keyStarts);
      this.keyEnds = doubled(this.keyEnds);
      this.recordEnds = doubled(this.recordEnds);
    }
    this.keyStarts[entry] = keyStart;
    this.keyEnds[entry] = keyEnd;
    this.recordEnds[entry] = recordEnd;
  }
}

interface OpenBound extends Bound {
  readonly bytes: Uint8Array;
}

/** Whether an entry is before a bound. */
function isBefore(
  bound: OpenBound,
  bytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  slice: number,
  entry: number,
): boolean {
  const order = compareKeys(bytes, keyStart, keyEnd, bound.bytes, 0, bound.bytes.length);
  if (order !== 0) return order < 0;
  return slice < bound.slice || (slice === bound.slice && entry < bound.entry);
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}
