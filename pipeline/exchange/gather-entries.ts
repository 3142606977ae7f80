import { skipMeasure } from '../aggregation/group-cursor.ts';
import type { MeasureState } from '../aggregation/measure-state.ts';
import { measureState } from '../aggregation/measure-states.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import { isSpread } from '../aggregation/spread-measures.ts';
import type { HeldValue } from '../aggregation/value-counts.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { isSameKey, slicesOf, type Entries } from './entries.ts';
import { EntryWriter, NO_KEY } from './entry-writer.ts';
import type { Exchange } from './exchange.ts';
import { encodeGathered } from './gathered.ts';
import { OWN_CHUNK } from './own-chunk.ts';
import { POSITIONS } from './group-entries.ts';
import { GROUP_TAG, readValue, writeValue } from './value-entries.ts';
import type { WaveDocument } from './wave-document.ts';

/** The output of a task that gathered entries. */
export interface GatheredEntries {
  readonly output: Uint8Array[];
  readonly exchange: Uint8Array;
  /** Entries that came but those of values, and that were left: groups of equal keys are merged. */
  readonly groupsIn: number;
  readonly groups: number;
}

/**
 * Entries in the order of their keys, as a task of the next wave would have found them in the outputs
 * that they come from. Where it would have to know which output an entry is of they say so
 * themselves: keys by its number, before their record, and groups and values by their positions.
 */
export function gatherEntries(
  entries: Entries,
  order: Uint32Array,
  input: Exchange,
  document: Extract<WaveDocument, { kind: 'gather' }>,
  blockBytes: number,
): GatheredEntries {
  const records = gathererOf(entries, input, document);
  const writer = new EntryWriter(blockBytes);
  const { bytes, keyStarts, keyEnds } = entries;
  let written = 0;
  for (let from = 0; from < order.length; written++) {
    const first = order[from]!;
    let to = from + 1;
    if (records.takesEqual) {
      while (to < order.length && isSameKey(entries, first, order[to]!)) to++;
    }
    const { source, start, end } = records.record(order, from, to);
    writer.add(bytes, keyStarts[first]!, keyEnds[first]!, source, start, end);
    from = to;
  }
  const last = order.at(-1);
  const lastKey = last === undefined ? NO_KEY : bytes.subarray(keyStarts[last], keyEnds[last]);
  const { output, index } = writer.finish(lastKey);
  const { groupsIn = order.length, groups = written } = records;
  return { output, exchange: encodeGathered(document.side, index), groupsIn, groups };
}

/** A record, in bytes that the next one may overwrite. */
interface GatheredRecord {
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
}

interface Gatherer {
  /** Whether entries of one key become one. */
  readonly takesEqual: boolean;
  /** Left out where every entry is one. */
  readonly groupsIn?: number;
  readonly groups?: number;
  /** Of the entries at `[from, to)` of the order. */
  record(order: Uint32Array, from: number, to: number): GatheredRecord;
}

function gathererOf(
  entries: Entries,
  input: Exchange,
  { side, runs }: Extract<WaveDocument, { kind: 'gather' }>,
): Gatherer {
  if (input.kind === 'group' || input.kind === 'values') {
    return new GroupGatherer(entries, input.shape, input.kind === 'values', runs);
  }
  const isOfKeys = input.kind === 'distinct' || (input.kind === 'build' && side === 'records');
  if (runs === undefined || !(isOfKeys || input.kind === 'sort')) return new Copier(entries);
  return new RunGatherer(entries, runs, isOfKeys ? 'run' : 'chunk');
}

class Copier implements Gatherer {
  readonly takesEqual = false;
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  record(order: Uint32Array, from: number): GatheredRecord {
    const { bytes, keyEnds, recordEnds } = this.#entries;
    const entry = order[from]!;
    return { source: bytes, start: keyEnds[entry]!, end: recordEnds[entry]! };
  }
}

/** Says of each record which output it comes of. */
class RunGatherer implements Gatherer {
  readonly takesEqual = false;
  readonly #entries: Entries;
  readonly #slices: Uint32Array;
  readonly #runs: readonly number[];
  readonly #by: 'run' | 'chunk';

  /** `by`: the output's number before the record; or its chunk, where the record does not name its own. */
  constructor(entries: Entries, runs: readonly number[], by: 'run' | 'chunk') {
    this.#entries = entries;
    this.#slices = slicesOf(entries);
    this.#runs = runs;
    this.#by = by;
  }

  record(order: Uint32Array, from: number): GatheredRecord {
    const { bytes, keyEnds, recordEnds } = this.#entries;
    const entry = order[from]!;
    const [start, end] = [keyEnds[entry]!, recordEnds[entry]!];
    const isOfChunk = this.#by === 'chunk';
    if (isOfChunk && bytes[start] !== OWN_CHUNK) return { source: bytes, start, end };
    const run = this.#runs[this.#slices[entry]!]!;
    const writer = new ByteWriter();
    writer.count(isOfChunk ? run + 1 : run);
    writer.slice(bytes, isOfChunk ? start + 1 : start, end);
    return { source: writer.written, start: 0, end: writer.length };
  }
}

/** Merges what is known of one group, and adds up equal values. */
class GroupGatherer implements Gatherer {
  readonly takesEqual = true;
  groupsIn = 0;
  groups = 0;
  readonly #entries: Entries;
  readonly #shape: AggregateShape;
  readonly #hasValues: boolean;
  readonly #reader: ByteReader;
  /** By entry: what lies before its positions. */
  readonly #offsets: Float64Array;
  #states: readonly (MeasureState | null)[] = [];

  constructor(
    entries: Entries,
    shape: AggregateShape,
    hasValues: boolean,
    runs: readonly number[] = [],
  ) {
    this.#entries = entries;
    this.#shape = shape;
    this.#hasValues = hasValues;
    this.#reader = new ByteReader(entries.bytes);
    this.#offsets = Float64Array.from(slicesOf(entries), (slice) => (runs[slice] ?? 0) * POSITIONS);
  }

  record(order: Uint32Array, from: number, to: number): GatheredRecord {
    const writer = new ByteWriter();
    const { bytes, keyStarts } = this.#entries;
    const first = order[from]!;
    let measure = GROUP_TAG;
    if (this.#hasValues) {
      const length = this.#seek(first);
      writer.count(length);
      const tag = keyStarts[first]! + length;
      measure = bytes[tag]! * 0x100 + bytes[tag + 1]!;
    }
    if (measure === GROUP_TAG) this.#mergeGroup(order, from, to, writer);
    else this.#addValues(order, from, to, measure - 1, writer);
    return { source: writer.written, start: 0, end: writer.length };
  }

  /** To an entry's record; of those with values behind the length of the group's key, which it is. */
  #seek(entry: number): number {
    this.#reader.seek(this.#entries.keyEnds[entry]!);
    return this.#hasValues ? this.#reader.count() : 0;
  }

  #mergeGroup(order: Uint32Array, from: number, to: number, writer: ByteWriter): void {
    const { measures } = this.#shape;
    const slot = this.groups++ % STATE_GROUPS;
    if (slot === 0) {
      this.#states = measures.map((measure) =>
        this.#hasValues && isSpread(measure) ? null : measureState(measure),
      );
    }
    for (const state of this.#states) state?.reserve(slot + 1);
    const reader = this.#reader;
    this.#seek(order[from]!);
    writer.block(reader.block());
    for (let i = from; i < to; i++) {
      const entry = order[i]!;
      this.groupsIn += 1;
      this.#seek(entry);
      reader.skipBlock();
      this.#states.forEach((state, m) => {
        if (state === null) skipMeasure(measures[m]!, reader);
        else state.merge(slot, reader, this.#offsets[entry]!);
      });
    }
    for (const state of this.#states) {
      if (state === null) writer.block(NO_KEY);
      else state.write(slot, writer);
    }
  }

  #addValues(order: Uint32Array, from: number, to: number, at: number, writer: ByteWriter): void {
    const { type } = this.#shape.measures[at]!;
    const valueOf = (entry: number): HeldValue => {
      this.#seek(entry);
      const held = readValue(this.#reader, type!);
      return { ...held, position: held.position + this.#offsets[entry]! };
    };
    const { value, ...first } = valueOf(order[from]!);
    let { count, position } = first;
    for (let i = from + 1; i < to; i++) {
      const next = valueOf(order[i]!);
      count += next.count;
      position = Math.min(position, next.position);
    }
    writeValue(writer, { value, count, position });
  }
}

/** Groups that are done are not held: what measures know of so many is, at a time. */
const STATE_GROUPS = 1024;
