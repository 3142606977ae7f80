import type { InputCell } from '../aggregation/input-cell.ts';
import type { MeasureState } from '../aggregation/measure-state.ts';
import { readAggregateHead } from '../aggregation/partial-codec.ts';
import { skipMeasure } from '../aggregation/group-cursor.ts';
import type { AggregateShape, MeasureShape } from '../aggregation/shape.ts';
import { ValueCounts, type HeldValue } from '../aggregation/value-counts.ts';
import type { ColumnType } from '../protocol/job.ts';
import { invariant } from '../errors.ts';
import type { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import type { EntryEngine } from './entry-engine.ts';
import { orderedKey, type GroupEntries } from './group-entries.ts';
import { KeyArena } from './key-arena.ts';

/** Different values of a measure that are counted at a time: beyond, they go to the entries. */
const COUNTED_VALUES_MAX = 100_000;

/** Behind a group's key, in two bytes: the group itself; the values of its measures have their number
 *  plus one. */
export const GROUP_TAG = 0;
export const TAG_BYTES = 2;

/**
 * The groups of a chunk, and the values of their spread measures, as entries in one order: a group
 * by its key, its values by the key, the measure and the value; measures of the same values share them. An entry's record begins with the
 * length of the group's key in it. A group goes on as it stands in the partial, where its spread
 * measures know nothing; a value with how often it came and the position of the first record.
 */
export class ValueCollector {
  readonly #shape: AggregateShape;
  readonly #keys = new KeyArena();
  readonly #records = new ByteWriter();
  #ends = new Uint32Array(4096);
  readonly #states: SpreadValues[] = [];

  constructor(shape: AggregateShape) {
    this.#shape = shape;
  }

  /** The state of a spread measure, of groups whose keys `keyOf` gives. */
  stateOf(
    measure: MeasureShape & { readonly type: ColumnType },
    at: number,
    keyOf: (group: number) => Uint8Array,
  ): MeasureState {
    if (measure.values !== undefined) return TAKEN_FROM_OTHERS;
    const state = new SpreadValues(measure.type, (group, held) => {
      const prefixLength = this.#begin(keyOf(group), at + 1);
      appendValue(held.value, measure.type, this.#keys);
      this.#records.count(prefixLength);
      writeValue(this.#records, held);
      this.#end();
    });
    this.#states.push(state);
    return state;
  }

  /** `partial` holds the groups. Once. */
  finish(partial: Uint8Array, blockBytes: number, engine: EntryEngine): GroupEntries {
    for (const state of this.#states) state.spill();
    const { shape, groups, reader } = readAggregateHead(partial);
    for (let group = 0; group < groups; group++) {
      const start = reader.position;
      const prefixLength = this.#begin(reader.block(), GROUP_TAG);
      for (const measure of shape.measures) skipMeasure(measure, reader);
      this.#records.count(prefixLength);
      this.#records.slice(partial, start, reader.position);
      this.#end();
    }
    const { count, slices } = this.#keys;
    const starts = new Uint32Array(count + 1);
    starts.set(this.#ends.subarray(0, count), 1);
    const records = { bytes: this.#records.written, starts, ends: this.#ends };
    return { ...engine.writeSorted(slices, records, count, count, blockBytes), groups };
  }

  /** Begins an entry; the length of its group's key. */
  #begin(key: Uint8Array, tag: number): number {
    orderedKey(key, 0, this.#shape, this.#keys);
    const length = this.#keys.openLength;
    this.#keys.raw(Uint8Array.of(tag >> 8, tag & 0xff));
    return length;
  }

  #end(): void {
    const at = this.#keys.count;
    this.#keys.endKey();
    if (at === this.#ends.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#ends);
      this.#ends = grown;
    }
    this.#ends[at] = this.#records.length;
  }
}

/** Of a measure whose values another one has. */
const TAKEN_FROM_OTHERS: MeasureState = {
  reserve: () => undefined,
  add: () => undefined,
  write(_group, writer) {
    writer.count(0);
  },
  merge() {
    invariant(false, 'values are merged by the next wave');
  },
  text: () => null,
};

/** Values on their way to the entries; equal ones are counted where that saves some. */
class SpreadValues implements MeasureState {
  readonly #counts: ValueCounts;
  readonly #take: (group: number, held: HeldValue) => void;

  constructor(type: ColumnType, take: (group: number, held: HeldValue) => void) {
    this.#counts = new ValueCounts(type);
    this.#take = take;
  }

  reserve(): void {
    // Groups exist when they have values.
  }

  add(group: number, cell: InputCell, position: number): void {
    if (cell.isNull) return;
    this.#counts.addCell(group, cell, position);
    if (this.#counts.size >= COUNTED_VALUES_MAX) this.spill();
  }

  spill(): void {
    this.#counts.drain(this.#take);
  }

  /** Knows nothing of a group: its values are entries of their own. */
  write(_group: number, writer: ByteWriter): void {
    writer.count(0);
  }

  merge(): void {
    invariant(false, 'values are merged by the next wave');
  }

  text(): null {
    return null;
  }
}

/** Writes a value, how often it came, and where first. */
export function writeValue(writer: ByteWriter, { value, count, position }: HeldValue): void {
  if (value instanceof Uint8Array) writer.block(value);
  else writer.scalar(value);
  writer.count(count);
  writer.count(position);
}

/** The inverse, of values of a type. */
export function readValue(reader: ByteReader, type: ColumnType): HeldValue {
  const value = type === 'string' ? reader.block() : reader.scalar();
  return { value, count: reader.count(), position: reader.count() };
}

/** Numbers and times by value, texts by their bytes. */
function appendValue(value: HeldValue['value'], type: ColumnType, keys: KeyArena): void {
  if (value instanceof Uint8Array) keys.text(value, 0, value.length, false);
  else if (typeof value === 'bigint') keys.bigint(value, false);
  else if (type === 'number') keys.double(value, false);
  else keys.integer(value, false);
}
