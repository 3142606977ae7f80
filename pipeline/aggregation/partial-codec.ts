import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import type { GroupTable } from './group-table.ts';
import type { MeasureState } from './measure-state.ts';
import type { AggregateShape } from './shape.ts';

/**
 * An aggregate's partial: the shape as JSON, the number of records, the number of groups, and for
 * each group its key and what each measure wrote. Groups ascend by the bytes of their keys.
 */
export function encodeAggregate(
  shape: AggregateShape,
  records: number,
  table: GroupTable,
  states: readonly MeasureState[],
): Uint8Array {
  const writer = new ByteWriter();
  encodeAggregateHead(writer, shape, records, table.count);
  for (const group of table.sortedGroups()) {
    writer.block(table.key(group));
    for (const state of states) state.write(group, writer);
  }
  return writer.finish();
}

/** What stands before the groups. */
export function encodeAggregateHead(
  writer: ByteWriter,
  shape: AggregateShape,
  records: number,
  groups: number,
): void {
  writer.text(JSON.stringify(shape));
  writer.count(records);
  writer.count(groups);
}

export interface AggregateHead {
  readonly shape: AggregateShape;
  readonly records: number;
  readonly groups: number;
  /** Stands at the first group. */
  readonly reader: ByteReader;
}

/** Reads up to the groups. Throws `blob-corrupt`. */
export function readAggregateHead(partial: Uint8Array): AggregateHead {
  const reader = new ByteReader(partial);
  const text = reader.text();
  let shape: AggregateShape;
  try {
    shape = JSON.parse(text) as AggregateShape;
  } catch (error) {
    throw new SluiceError('blob-corrupt', 'An aggregate partial has no shape', { cause: error });
  }
  return { shape, records: reader.count(), groups: reader.count(), reader };
}
