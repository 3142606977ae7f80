import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { BLOCK_SUM_BYTES, readBlockIndex, type BlockIndex } from './block-index.ts';
import { blockSum } from './entry-writer.ts';
import { base64, type SliceDocument } from './wave-document.ts';

/** A list in an output. */
export interface ListPlace {
  readonly start: number;
  readonly bytes: number;
  readonly sum: Uint8Array;
}

/** What is in an output that others are to be compared with. */
export interface DistinctIndex {
  readonly records: BlockIndex;
  /** Its blocks lie behind those of the records: `keysStart` is to be added. */
  readonly keys: BlockIndex;
  readonly keysStart: number;
  /** Records known to be duplicates of others in the same output. */
  readonly duplicates: ListPlace;
}

/** The exchange section of an output of records, keys and duplicates, in this order. */
export function encodeDistinctIndex(
  records: Uint8Array,
  keys: Uint8Array,
  duplicates: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter();
  writer.block(records);
  writer.block(keys);
  writer.count(duplicates.length);
  writer.raw(blockSum(duplicates));
  return writer.finish();
}

/** The inverse. Throws `blob-corrupt`. */
export function readDistinctIndex(bytes: Uint8Array): DistinctIndex {
  const reader = new ByteReader(bytes);
  const records = readBlockIndex(reader.block());
  const keys = readBlockIndex(reader.block());
  const keysStart = records.starts[records.count]!;
  const duplicates = {
    start: keysStart + keys.starts[keys.count]!,
    ...{ bytes: reader.count(), sum: reader.raw(BLOCK_SUM_BYTES) },
  };
  return { records, keys, keysStart, duplicates };
}

/** A list, and the result whose records or keys it is about: its key, or its number among all whose
 *  keys were gathered. */
export interface OutputList extends ListPlace {
  readonly of: string | number;
}

/** The exchange section of lists, which stand in the output one after another. */
export function encodeLists(
  lists: readonly { readonly of: string | number; readonly list: Uint8Array }[],
): Uint8Array {
  const writer = new ByteWriter();
  writer.count(lists.length);
  for (const { of, list } of lists) {
    writer.text(typeof of === 'string' ? of : '');
    if (typeof of === 'number') writer.count(of);
    writer.count(list.length);
    writer.raw(blockSum(list));
  }
  return writer.finish();
}

/** The inverse. Throws `blob-corrupt`. */
export function readLists(bytes: Uint8Array): OutputList[] {
  const reader = new ByteReader(bytes);
  let start = 0;
  const lists = Array.from({ length: reader.count() }, () => {
    const name = reader.text();
    const list = { of: name === '' ? reader.count() : name, start, bytes: reader.count() };
    start += list.bytes;
    return { ...list, sum: reader.raw(BLOCK_SUM_BYTES) };
  });
  if (!reader.done) throw new SluiceError('blob-corrupt', 'An index is longer than it says');
  return lists;
}

export function sliceOfList(result: string, { start, bytes, sum }: ListPlace): SliceDocument {
  return { result, start, blocks: [bytes], sums: base64(sum) };
}
