import type { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { groupLimitExceeded, type GroupTableLimits } from './group-table.ts';
import { measureState } from './measure-states.ts';
import { encodeAggregateHead, readAggregateHead } from './partial-codec.ts';
import type { AggregateShape, MeasureShape } from './shape.ts';

/** A partial's groups, one after another. */
class GroupCursor {
  readonly #shape: AggregateShape;
  readonly #bytes: Uint8Array;
  readonly reader: ByteReader;
  #left: number;
  #start = 0;
  key: Uint8Array | null = null;

  constructor(shape: AggregateShape, bytes: Uint8Array, reader: ByteReader, groups: number) {
    this.#shape = shape;
    this.#bytes = bytes;
    this.reader = reader;
    this.#left = groups;
    this.next();
  }

  /** Steps to the next group's key; null behind the last. The group before must have been read. */
  next(): void {
    this.#start = this.reader.position;
    this.key = this.#left > 0 ? this.reader.block() : null;
    this.#left -= 1;
  }

  /** Reads over the group's measures; returns all of the group as it stands. */
  group(): Uint8Array {
    for (const measure of this.#shape.measures) skipMeasure(measure, this.reader);
    return this.#bytes.subarray(this.#start, this.reader.position);
  }
}

/**
 * Two partials of one aggregate as one. Their groups are in order, so nothing is looked up: where
 * one of them has few groups, the other's are copied. Measures must not depend on the order of
 * records. Throws `group-limit`.
 */
export function mergeSorted(
  left: Uint8Array,
  right: Uint8Array,
  limits: GroupTableLimits,
): Uint8Array {
  const leftHead = readAggregateHead(left);
  const rightHead = readAggregateHead(right);
  const { shape } = leftHead;
  const states = shape.measures.map((measure) => measureState(measure));
  const a = new GroupCursor(shape, left, leftHead.reader, leftHead.groups);
  const b = new GroupCursor(shape, right, rightHead.reader, rightHead.groups);
  const body = new ByteWriter();
  let groups = 0;
  let keyBytes = 0;
  let merged = 0;
  while (a.key !== null || b.key !== null) {
    const key = a.key ?? b.key!;
    const order = a.key === null ? 1 : b.key === null ? -1 : Buffer.compare(a.key, b.key);
    groups += 1;
    keyBytes += order > 0 ? b.key!.length : key.length;
    if (groups > limits.groupCountMax || keyBytes > limits.keyBytesMax) {
      throw groupLimitExceeded(groups - 1, keyBytes, limits);
    }
    if (order === 0) {
      body.block(key);
      for (const state of states) {
        state.reserve(merged + 1);
        state.merge(merged, a.reader, 0);
        state.merge(merged, b.reader, 0);
        state.write(merged, body);
      }
      merged += 1;
    } else body.raw((order < 0 ? a : b).group());
    if (order <= 0) a.next();
    if (order >= 0) b.next();
  }
  const writer = new ByteWriter();
  encodeAggregateHead(writer, shape, leftHead.records + rightHead.records, groups);
  writer.raw(body.finish());
  return writer.finish();
}

/** Functions whose states are one block. */
const BLOCKS = new Set<string>([
  ...['quantile_cont', 'quantile_disc', 'approx_quantile', 'mode', 'first', 'last', 'any_value'],
  ...['string_agg', 'approx_count_distinct'],
]);

function skipMeasure({ function: name, type, distinct }: MeasureShape, reader: ByteReader): void {
  if (distinct === true || BLOCKS.has(name)) {
    reader.block();
  } else if (type === null || name === 'count') {
    reader.count();
  } else if (name === 'min' || name === 'max') {
    if (reader.byte() === 0) return;
    if (type === 'string') reader.block();
    else reader.scalar();
  } else if (reader.count() > 0) {
    // Sums: the scale and the mantissa; spreads have one of the values and one of their squares.
    for (let sums = name === 'sum' || name === 'avg' ? 1 : 2; sums > 0; sums--) {
      reader.count();
      reader.scalar();
    }
  }
}
