import { skipMeasure } from '../aggregation/group-cursor.ts';
import { writeGroup } from '../aggregation/csv-groups.ts';
import type { MeasureState } from '../aggregation/measure-state.ts';
import { measureState } from '../aggregation/measure-states.ts';
import { readAggregateHead } from '../aggregation/partial-codec.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { parseDouble, parseInteger } from '../values/number.ts';
import { isSameKey, slicesOf, type Entries } from './entries.ts';
import type { EntryEngine } from './entry-engine.ts';
import { NO_KEY } from './entry-writer.ts';
import { KeyArena } from './key-arena.ts';

/** Groups of a partial as the output of a task. */
export interface GroupEntries {
  readonly output: Uint8Array[];
  readonly index: Uint8Array;
  readonly groups: number;
}

/** A partial's groups as entries, in the order that groups are written in at last. An entry's record
 *  is the group as it stands in the partial: its key and what its measures wrote. */
export function groupEntries(
  partial: Uint8Array,
  blockBytes: number,
  engine: EntryEngine,
): GroupEntries {
  const head = readAggregateHead(partial);
  const { shape, groups, reader } = head;
  const written = engine.writeGroups(partial, head, blockBytes);
  if (written !== null) return { ...written, groups };
  const keys = new KeyArena();
  const starts = new Uint32Array(groups);
  const ends = new Uint32Array(groups);
  for (let group = 0; group < groups; group++) {
    starts[group] = reader.position;
    const length = reader.count();
    orderedKey(partial, reader.position, shape, keys);
    keys.endKey();
    reader.seek(reader.position + length);
    for (let m = 0; m < shape.measures.length; m++) skipMeasure(shape.measures[m]!, reader);
    ends[group] = reader.position;
  }
  const records = { bytes: partial, starts, ends };
  return { ...engine.writeSorted(keys.slices, records, groups, groups, blockBytes), groups };
}

/** Groups merged, as RFC 4180 records in the order of their keys, and how many there are. */
export interface MergedGroups {
  readonly csv: Uint8Array;
  readonly groups: number;
  /** Groups that came, of all partials. */
  readonly groupsIn: number;
}

/**
 * Puts together what is known of each group by tasks that took values together, see `reduceValues`;
 * `shape` is the reduced one. Else as `mergeGroups`.
 */
export function mergeReduced(
  entries: Entries,
  order: Uint32Array,
  { keyTypes, measures }: AggregateShape,
): MergedGroups {
  const { bytes, keyEnds, count } = entries;
  const writer = new ByteWriter();
  const reader = new ByteReader(bytes);
  let states: readonly MeasureState[] = [];
  let groups = 0;
  for (let i = 0; i < count || (groups === 0 && keyTypes.length === 0); groups++) {
    const slot = groups % STATE_GROUPS;
    if (slot === 0) states = measures.map((measure) => measureState(measure));
    for (const state of states) state.reserve(slot + 1);
    const first = order[i]!;
    let key: Uint8Array = NO_KEY;
    for (; i < count && isSameKey(entries, first, order[i]!); i++) {
      reader.seek(keyEnds[order[i]!]! + 1);
      const own = reader.block();
      if (own.length > 0) key = own;
      for (const state of states) state.merge(slot, reader, 0);
    }
    writeGroup(writer, slot, key, keyTypes.length, states);
  }
  return { csv: writer.finish(), groups, groupsIn: count === 0 ? 0 : groups };
}

/** Merges the groups of several partials, each the entries of a slice, or where they were `gathered` of
 *  several; slices are in file order, and `order` is that of the keys. Without keys there is one group,
 *  also of no records. */
export function mergeGroups(
  entries: Entries,
  order: Uint32Array,
  shape: AggregateShape,
  engine: EntryEngine,
  gathered = false,
): MergedGroups {
  const { keyTypes, measures } = shape;
  const { bytes, keyEnds, count } = entries;
  // Records are seldom longer than what they are made of.
  const writer = new ByteWriter(bytes.length);
  const reader = new ByteReader(bytes);
  const slices = slicesOf(entries);
  let states: readonly MeasureState[] = [];
  let groups = 0;
  const kernel = engine.mergerOf(entries, shape);
  let merged = 0;
  for (let i = 0; i < count; groups++) {
    const run = kernel?.run(i);
    if (run !== undefined && run.groups > 0) {
      writer.raw(run.csv);
      i = run.next;
      groups += run.groups - 1;
      continue;
    }
    const slot = merged++ % STATE_GROUPS;
    if (slot === 0) states = measures.map((measure) => measureState(measure));
    for (const state of states) state.reserve(slot + 1);
    const first = order[i]!;
    reader.seek(keyEnds[first]!);
    const key = reader.block();
    for (; i < count && isSameKey(entries, first, order[i]!); i++) {
      const entry = order[i]!;
      const offset = gathered ? 0 : slices[entry]! * POSITIONS;
      reader.seek(keyEnds[entry]!);
      reader.skipBlock();
      for (let s = 0; s < states.length; s++) states[s]!.merge(slot, reader, offset);
    }
    writeGroup(writer, slot, key, keyTypes.length, states);
  }
  if (groups === 0 && keyTypes.length === 0) {
    states = measures.map((measure) => measureState(measure));
    for (const state of states) state.reserve(1);
    writeGroup(writer, groups++, NO_KEY, 0, states);
  }
  return { csv: writer.written, groups, groupsIn: count };
}

/** Groups that are done are not held: what measures know of so many is, at a time. */
const STATE_GROUPS = 1024;

/** More than the records of one partial: what lies between the positions of one slice and the next. */
export const POSITIONS = 2 ** 32;

/** A group's key, which begins at `start`, in bytes of the order of its values: ascending, NULL last. */
export function orderedKey(
  bytes: Uint8Array,
  start: number,
  { keyTypes }: AggregateShape,
  arena: KeyArena,
): void {
  let at = start;
  for (let column = 0; column < keyTypes.length; column++) {
    let tag = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[at++]!;
      tag |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    if (tag === 0) arena.null(false);
    else {
      orderedText(bytes, at, at + tag - 1, keyTypes[column]!, arena);
      at += tag - 1;
    }
  }
}

/** Canonical dates, timestamps and booleans sort by their bytes as by their values. */
function orderedText(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: ColumnType,
  arena: KeyArena,
): void {
  if (type === 'number') {
    arena.double(canonicalDouble(bytes, start, end), false);
    return;
  }
  const whole = type === 'integer' ? parseInteger(bytes, start, end) : null;
  if (typeof whole === 'number') arena.integer(whole, false);
  else if (whole !== null) arena.bigint(whole, false);
  else arena.text(bytes, start, end, false);
}

/** `nan`, `inf` and `-inf` too, which no text of a file casts to. */
function canonicalDouble(bytes: Uint8Array, start: number, end: number): number {
  const value = parseDouble(bytes, start, end);
  if (!Number.isNaN(value) || end - start < 3 || end - start > 4) return value;
  if (bytes[start] === MINUS) return -Infinity;
  return bytes[start] === LETTER_I ? Infinity : NaN;
}

const MINUS = 0x2d;
const LETTER_I = 0x69;
