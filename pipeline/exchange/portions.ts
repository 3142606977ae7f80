import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { BLOCK_SUM_BYTES, readBlockIndex, type BlockIndex } from './block-index.ts';
import type { ListPlace } from './distinct-index.ts';
import { blockSum } from './entry-writer.ts';

/** Values of a measure of one group, in order, of which other outputs may have more. */
export interface Portion {
  /** The group's key, as in the order of all entries. */
  readonly key: Uint8Array;
  /** Number of the measure. */
  readonly measure: number;
  /** Values, each as often as it came. */
  readonly count: number;
}

/** What is in an output of groups. */
export interface GroupIndex {
  readonly groups: BlockIndex;
  /** Behind the groups. */
  readonly portions: readonly (Portion & { readonly place: ListPlace })[];
}

/** The exchange section of groups and of portions, which stand behind them in this order. */
export function encodeGroupIndex(
  groups: Uint8Array,
  portions: readonly (Portion & { readonly values: Uint8Array })[],
): Uint8Array {
  const writer = new ByteWriter();
  writer.block(groups);
  writer.count(portions.length);
  for (const { key, measure, count, values } of portions) {
    writer.block(key);
    writer.count(measure);
    writer.count(count);
    writer.count(values.length);
    writer.raw(blockSum(values));
  }
  return writer.finish();
}

/** The inverse. Throws `blob-corrupt`. */
export function readGroupIndex(bytes: Uint8Array): GroupIndex {
  const reader = new ByteReader(bytes);
  const groups = readBlockIndex(reader.block());
  let start = groups.starts[groups.count]!;
  const portions = Array.from({ length: reader.count() }, () => {
    const portion = { key: reader.block(), measure: reader.count(), count: reader.count() };
    const place = { start, bytes: reader.count(), sum: reader.raw(BLOCK_SUM_BYTES) };
    start += place.bytes;
    return { ...portion, place };
  });
  return { groups, portions };
}
