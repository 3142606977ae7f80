import { GroupCursor } from '../aggregation/group-cursor.ts';
import { writeGroup } from '../aggregation/csv-groups.ts';
import { decodeKey } from '../aggregation/key-encoder.ts';
import { measureState } from '../aggregation/measure-states.ts';
import { readAggregateHead } from '../aggregation/partial-codec.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { parseDouble, parseInteger } from '../values/number.ts';
import type { Entries } from './entries.ts';
import { EntryWriter, NO_KEY } from './entry-writer.ts';
import { KeyArena } from './key-arena.ts';
import { compareKeys, orderByKey } from './order-by-key.ts';

/** Groups of a partial as the output of a task. */
export interface GroupEntries {
  readonly output: Uint8Array[];
  readonly index: Uint8Array;
  readonly groups: number;
}

/** A partial's groups as entries, in the order that groups are written in at last. An entry's record
 *  is the group as it stands in the partial: its key and what its measures wrote. */
export function groupEntries(partial: Uint8Array, blockBytes: number): GroupEntries {
  const { shape, groups, reader } = readAggregateHead(partial);
  const cursor = new GroupCursor(shape, partial, reader, groups);
  const keys = new KeyArena();
  const records: Uint8Array[] = [];
  for (; cursor.key !== null; cursor.next()) {
    orderedKey(cursor.key, shape, keys);
    keys.endKey();
    records.push(cursor.group());
  }
  const { bytes, starts } = keys;
  const order = orderByKey(bytes, starts, starts.subarray(1), groups);
  const entries = new EntryWriter(blockBytes);
  for (const group of order) {
    const record = records[group]!;
    entries.add(bytes, starts[group]!, starts[group + 1]!, record, 0, record.length);
  }
  const last = order.at(-1);
  const lastKey = last === undefined ? NO_KEY : bytes.subarray(starts[last], starts[last + 1]);
  return { ...entries.finish(lastKey), groups };
}

/** Groups merged, as RFC 4180 records in the order of their keys, and how many there are. */
export interface MergedGroups {
  readonly csv: Uint8Array;
  readonly groups: number;
}

/** Merges the groups of several partials, each the entries of a slice; slices are in file order.
 *  Without keys there is one group, also of no records. */
export function mergeGroups(entries: Entries, shape: AggregateShape): MergedGroups {
  const { bytes, keyStarts, keyEnds, recordEnds, count } = entries;
  const order = orderByKey(bytes, keyStarts, keyEnds, count);
  const states = shape.measures.map((measure) => measureState(measure));
  const writer = new ByteWriter();
  const slices = slicesOf(entries);
  let groups = 0;
  for (let i = 0; i < count; groups++) {
    const first = order[i]!;
    for (const state of states) state.reserve(groups + 1);
    let key: Uint8Array = NO_KEY;
    for (; i < count && isSameKey(entries, first, order[i]!); i++) {
      const entry = order[i]!;
      const reader = new ByteReader(bytes.subarray(keyEnds[entry], recordEnds[entry]));
      key = reader.block();
      for (const state of states) state.merge(groups, reader, slices[entry]! * POSITIONS);
    }
    writeGroup(writer, groups, decodeKey(key, shape.keyTypes.length), states);
  }
  if (groups === 0 && shape.keyTypes.length === 0) {
    for (const state of states) state.reserve(1);
    writeGroup(writer, groups++, [], states);
  }
  return { csv: writer.finish(), groups };
}

/** More than the records of one partial: what lies between the positions of one slice and the next. */
const POSITIONS = 2 ** 32;

/** The slice of each entry. */
function slicesOf({ sliceStarts, count }: Entries): Uint32Array {
  const slices = new Uint32Array(count);
  for (let slice = 0; slice + 1 < sliceStarts.length; slice++) {
    slices.fill(slice, sliceStarts[slice], sliceStarts[slice + 1]);
  }
  return slices;
}

function isSameKey({ bytes, keyStarts, keyEnds }: Entries, left: number, right: number): boolean {
  const order = compareKeys(
    ...([bytes, keyStarts[left]!, keyEnds[left]!] as const),
    ...([bytes, keyStarts[right]!, keyEnds[right]!] as const),
  );
  return order === 0;
}

/** A group's key in bytes of the order of its values: ascending, NULL last. */
function orderedKey(key: Uint8Array, { keyTypes }: AggregateShape, arena: KeyArena): void {
  decodeKey(key, keyTypes.length).forEach((text, column) => {
    if (text === null) arena.null(false);
    else orderedText(text, keyTypes[column]!, arena);
  });
}

/** Canonical dates, timestamps and booleans sort by their bytes as by their values. */
function orderedText(text: Uint8Array, type: ColumnType, arena: KeyArena): void {
  if (type === 'number') {
    arena.double(canonicalDouble(text), false);
    return;
  }
  const whole = type === 'integer' ? parseInteger(text, 0, text.length) : null;
  if (typeof whole === 'number') arena.integer(whole, false);
  else if (whole !== null) arena.bigint(whole, false);
  else arena.text(text, 0, text.length, false);
}

/** `nan`, `inf` and `-inf` too, which no text of a file casts to. */
function canonicalDouble(text: Uint8Array): number {
  const value = parseDouble(text, 0, text.length);
  if (!Number.isNaN(value) || text.length < 3 || text.length > 4) return value;
  if (text[0] === MINUS) return -Infinity;
  return text[0] === LETTER_I ? Infinity : NaN;
}

const MINUS = 0x2d;
const LETTER_I = 0x69;
