import { addScalar } from '../aggregation/held-value-state.ts';
import type { MeasureState } from '../aggregation/measure-state.ts';
import { measureState } from '../aggregation/measure-states.ts';
import { quantilePlaces, quantileText } from '../aggregation/quantile.ts';
import type { AggregateShape, MeasureShape } from '../aggregation/shape.ts';
import { isQuantile, isSpread, reducedShape } from '../aggregation/spread-measures.ts';
import type { HeldValue } from '../aggregation/value-counts.ts';
import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { ExactSums } from '../values/exact-sum.ts';
import { isSameKey, slicesOf, type Entries } from './entries.ts';
import { EntryWriter, NO_KEY } from './entry-writer.ts';
import { POSITIONS } from './group-entries.ts';
import { compareKeys } from './order-by-key.ts';
import { encodeGroupIndex, type Portion } from './portions.ts';
import { GROUP_TAG, readValue, TAG_BYTES, writeValue } from './value-entries.ts';
import { fromBase64, type Bound, type WaveDocument } from './wave-document.ts';

/** The output of a task that took values together. */
export interface ReducedGroups {
  readonly output: Uint8Array[];
  readonly exchange: Uint8Array;
  /** Groups that came, and how many different ones. */
  readonly groupsIn: number;
  readonly groups: number;
}

/** First byte of a group's record: whether it is the group, or only something about it. */
export const GroupRecord = { part: 0, whole: 1 } as const;

/**
 * Takes together what entries say of groups and of the values of their measures, see
 * `ValueCollector`; `order` is that of the keys. A group's entry has what its measures know of it as
 * `reducedShape` says; it knows nothing of what stands in other tasks' entries. Values of a quantile
 * that may go on in other tasks are left as portions.
 */
export function reduceValues(
  entries: Entries,
  order: Uint32Array,
  shape: AggregateShape,
  document: Pick<Extract<WaveDocument, { kind: 'merge' }>, 'lower' | 'upper' | 'runs'>,
  blockBytes: number,
): ReducedGroups {
  return new ValueReducer(entries, order, shape, document, blockBytes).run();
}

type ValueMeasure = MeasureShape & { readonly type: ColumnType };

class ValueReducer {
  readonly #entries: Entries;
  readonly #order: Uint32Array;
  readonly #shape: AggregateShape;
  readonly #bounds: readonly Uint8Array[];
  readonly #offsets: Float64Array;
  readonly #reader: ByteReader;
  readonly #writer: EntryWriter;
  readonly #portions: (Portion & { readonly values: Uint8Array })[] = [];
  readonly #empty: readonly Uint8Array[];
  #states: readonly (MeasureState | null)[] = [];
  #groupsIn = 0;
  #groups = 0;
  #lastKey: Uint8Array = NO_KEY;

  constructor(
    entries: Entries,
    order: Uint32Array,
    shape: AggregateShape,
    {
      lower,
      upper,
      runs = [],
    }: Pick<Extract<WaveDocument, { kind: 'merge' }>, 'lower' | 'upper' | 'runs'>,
    blockBytes: number,
  ) {
    this.#entries = entries;
    this.#order = order;
    this.#shape = shape;
    const keyOf = (bound: Bound | null): Uint8Array[] =>
      bound === null ? [] : [fromBase64(bound.key)];
    this.#bounds = [...keyOf(lower), ...keyOf(upper)];
    this.#offsets = Float64Array.from(slicesOf(entries), (slice) => (runs[slice] ?? 0) * POSITIONS);
    this.#reader = new ByteReader(entries.bytes);
    this.#writer = new EntryWriter(blockBytes);
    this.#empty = emptyMeasures(shape);
  }

  run(): ReducedGroups {
    const { count } = this.#entries;
    for (let i = 0; i < count;) i = this.#takeGroup(i);
    const { output, index } = this.#writer.finish(this.#lastKey);
    const values = this.#portions.map((portion) => portion.values);
    return {
      output: [...output, ...values.filter(({ length }) => length > 0)],
      exchange: encodeGroupIndex(index, this.#portions),
      ...{ groupsIn: this.#groupsIn, groups: this.#groups },
    };
  }

  /** Takes the entries of one group from `i` on; where the next one begins. */
  #takeGroup(i: number): number {
    const { keyStarts, bytes } = this.#entries;
    const first = this.#order[i]!;
    const keyStart = keyStarts[first]!;
    const keyEnd = keyStart + this.#prefixLength(first);
    const key = bytes.subarray(keyStart, keyEnd);
    const reduced: (Uint8Array | undefined)[] = [];
    let whole: Uint8Array | null = null;
    let at = i;
    while (at < this.#order.length && this.#isOf(this.#order[at]!, key)) {
      const tag = this.#tagOf(this.#order[at]!, key.length);
      const end = this.#endOf(at, key.length + TAG_BYTES);
      if (tag === GROUP_TAG) whole = this.#mergeGroup(at, end, reduced);
      else this.#reduceAll(at, end, tag - 1, key, reduced);
      at = end;
    }
    const record = new ByteWriter();
    record.byte(whole === null ? GroupRecord.part : GroupRecord.whole);
    record.block(whole ?? NO_KEY);
    this.#empty.forEach((none, m) => record.raw(reduced[m] ?? none));
    const written = record.finish();
    this.#writer.add(key, 0, key.length, written, 0, written.length);
    this.#lastKey = key;
    return at;
  }

  #prefixLength(entry: number): number {
    this.#reader.seek(this.#entries.keyEnds[entry]!);
    return this.#reader.count();
  }

  #isOf(entry: number, key: Uint8Array): boolean {
    if (this.#prefixLength(entry) !== key.length) return false;
    const { bytes, keyStarts } = this.#entries;
    const start = keyStarts[entry]!;
    return compareKeys(bytes, start, start + key.length, key, 0, key.length) === 0;
  }

  #tagOf(entry: number, prefixLength: number): number {
    const { bytes, keyStarts } = this.#entries;
    const at = keyStarts[entry]! + prefixLength;
    return bytes[at]! * 0x100 + bytes[at + 1]!;
  }

  /** Behind the entries from `from` on whose keys begin with the same bytes. */
  #endOf(from: number, length: number): number {
    const { bytes, keyStarts } = this.#entries;
    const start = keyStarts[this.#order[from]!]!;
    let to = from + 1;
    for (; to < this.#order.length; to++) {
      const entry = this.#order[to]!;
      const own = keyStarts[entry]!;
      const end = Math.min(own + length, this.#entries.keyEnds[entry]!);
      if (compareKeys(bytes, own, end, bytes, start, start + length) !== 0) break;
    }
    return to;
  }

  /** Merges what partials say of one group, but for its values; returns its key. */
  #mergeGroup(from: number, to: number, reduced: (Uint8Array | undefined)[]): Uint8Array {
    const { measures } = this.#shape;
    const slot = this.#groups++ % STATE_GROUPS;
    if (slot === 0) {
      this.#states = measures.map((measure) => (isSpread(measure) ? null : measureState(measure)));
    }
    for (const state of this.#states) state?.reserve(slot + 1);
    const reader = this.#reader;
    let key: Uint8Array = NO_KEY;
    for (let i = from; i < to; i++) {
      const entry = this.#order[i]!;
      this.#groupsIn += 1;
      this.#prefixLength(entry);
      key = reader.block();
      for (const state of this.#states) {
        if (state === null) reader.skipBlock();
        else state.merge(slot, reader, this.#offsets[entry]!);
      }
    }
    this.#states.forEach((state, m) => {
      if (state === null) return;
      const writer = new ByteWriter();
      state.write(slot, writer);
      reduced[m] = writer.finish();
    });
    return key;
  }

  /** Of entries `[from, to)`, the values of measure `owner`, and of all that take them from it. */
  #reduceAll(
    from: number,
    to: number,
    owner: number,
    key: Uint8Array,
    reduced: (Uint8Array | undefined)[],
  ): void {
    const goesOn = this.#mayGoOn(key, owner);
    this.#shape.measures.forEach(({ values }, at) => {
      if (at === owner || values === owner) reduced[at] = this.#reduce(from, to, at, key, goesOn);
    });
  }

  /** What entries `[from, to)`, the values of a measure, come to. */
  #reduce(
    from: number,
    to: number,
    at: number,
    key: Uint8Array,
    goesOn: boolean,
  ): Uint8Array | undefined {
    const measure = this.#shape.measures[at] as ValueMeasure;
    const values = () => this.#values(from, to, measure);
    if (isQuantile(measure)) return this.#quantile(values, measure, at, key, goesOn);
    const writer = new ByteWriter();
    if (measure.function === 'mode') {
      const value = new ByteWriter();
      writeValue(value, mostFrequent(values()));
      writer.block(value.finish());
      return writer.finish();
    }
    const sums = new ExactSums();
    sums.reserve(1);
    let count = 0;
    for (const { value } of values()) {
      count += 1;
      if (measure.function !== 'count') addScalar(sums, value as number | bigint);
    }
    writer.count(count);
    if (measure.function === 'count') return writer.finish();
    const { mantissa, scale } = sums.total(0);
    writer.count(scale);
    writer.scalar(mantissa);
    return writer.finish();
  }

  #quantile(
    values: () => Iterable<HeldValue>,
    measure: ValueMeasure,
    at: number,
    key: Uint8Array,
    goesOn: boolean,
  ): Uint8Array | undefined {
    const weight = (held: HeldValue): number => (measure.distinct === true ? 1 : held.count);
    let count = 0;
    for (const held of values()) count += weight(held);
    if (goesOn) {
      const writer = new ByteWriter();
      for (const held of values())
        writeValue(writer, { ...held, count: weight(held), position: 0 });
      this.#portions.push({ key: key.slice(), measure: at, count, values: writer.finish() });
      return undefined;
    }
    return quantileOf(values(), measure, count, 0, weight);
  }

  /** Whether other tasks may have values of the same measure of the same group. */
  #mayGoOn(key: Uint8Array, at: number): boolean {
    const whole = Buffer.concat([key, Uint8Array.of((at + 1) >> 8, (at + 1) & 0xff)]);
    return this.#bounds.some((bound) => {
      const length = Math.min(bound.length, whole.length);
      return compareKeys(bound, 0, length, whole, 0, length) === 0;
    });
  }

  /** The values of entries `[from, to)`, each once. */
  *#values(from: number, to: number, { type }: ValueMeasure): Generator<HeldValue> {
    for (let i = from; i < to;) {
      const first = this.#order[i]!;
      const held = this.#valueOf(first, type);
      let { count, position } = held;
      for (i++; i < to && isSameKey(this.#entries, first, this.#order[i]!); i++) {
        const next = this.#valueOf(this.#order[i]!, type);
        count += next.count;
        position = Math.min(position, next.position);
      }
      yield { value: held.value, count, position };
    }
  }

  #valueOf(entry: number, type: ColumnType): HeldValue {
    this.#prefixLength(entry);
    const { value, count, position } = readValue(this.#reader, type);
    return { value, count, position: position + this.#offsets[entry]! };
  }
}

/** Groups that are done are not held: what measures know of so many is, at a time. */
const STATE_GROUPS = 1024;

/** What measures of a reduced shape write that know nothing, by measure. */
export function emptyMeasures(shape: AggregateShape): Uint8Array[] {
  return reducedShape(shape).measures.map((measure) => {
    const state = measureState(measure);
    const writer = new ByteWriter();
    state.reserve(1);
    state.write(0, writer);
    return writer.finish();
  });
}

/** What a reduced measure writes of the quantile of `count` values, of which `values` are those from
 *  the place `first` on. */
export function quantileOf(
  values: Iterable<HeldValue>,
  measure: ValueMeasure,
  count: number,
  first: number,
  weight: (held: HeldValue) => number,
): Uint8Array {
  const about = { function: measure.function, parameter: Number(measure.parameter) };
  const places = quantilePlaces(about, count);
  const found: HeldValue['value'][] = [];
  let behind = first;
  for (const held of values) {
    behind += weight(held);
    while (found.length < 2 && places[found.length as 0 | 1] < behind) found.push(held.value);
    if (found.length === 2) break;
  }
  const text = quantileText({ ...about, type: measure.type }, count, (place) =>
    place === places[0] ? found[0]! : found[1]!,
  );
  const writer = new ByteWriter();
  writer.byte(text === null ? 0 : 1);
  if (typeof text === 'string') writer.text(text);
  else if (text !== null) writer.block(text);
  return writer.finish();
}

/** Of several as frequent, the one that came first. */
function mostFrequent(values: Iterable<HeldValue>): HeldValue {
  let best: HeldValue | null = null;
  for (const next of values) {
    const isBetter =
      best === null ||
      next.count > best.count ||
      (next.count === best.count && next.position < best.position);
    if (isBetter) best = next;
  }
  return best!;
}
