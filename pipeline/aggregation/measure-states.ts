import type { ColumnType } from '../protocol/job.ts';
import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import { ExactSums, exactMean, exactText } from '../values/exact-sum.ts';
import { formatDouble } from '../values/format.ts';
import { decimalToDouble } from '../values/ratio.ts';
import type { InputCell } from './input-cell.ts';
import { HeldValueState } from './held-value-state.ts';
import type { MeasureState, OrderCells } from './measure-state.ts';
import { OrderedState } from './ordered-state.ts';
import { TextListState } from './text-list-state.ts';
import { scalarText } from './scalar-text.ts';
import type { MeasureShape } from './shape.ts';
import { DistinctSketchState, QuantileSketchState } from './sketch-states.ts';
import { SpreadState } from './spread-state.ts';
import { compareValues } from './value-counts.ts';

/** The state of a measure; `cells` are those of the records that it will be given. */
export function measureState(measure: MeasureShape, cells: OrderCells | null = null): MeasureState {
  const { type, function: fn } = measure;
  if (type === null) return new CountState(true);
  if (measure.distinct === true) return new HeldValueState(measure, type);
  switch (fn) {
    case 'count':
      return new CountState(false);
    case 'sum':
      return new SumState(type, false);
    case 'avg':
      return new SumState(type, true);
    case 'var_samp':
    case 'var_pop':
    case 'stddev_samp':
    case 'stddev_pop':
      return new SpreadState(fn);
    case 'min':
      return type === 'string' ? new TextExtremeState(-1) : new ScalarExtremeState(-1, type);
    case 'max':
      return type === 'string' ? new TextExtremeState(1) : new ScalarExtremeState(1, type);
    case 'quantile_cont':
    case 'quantile_disc':
    case 'mode':
      return new HeldValueState(measure, type);
    case 'first':
    case 'last':
    case 'any_value':
      return new OrderedState(measure, type, cells);
    case 'string_agg':
      return new TextListState(measure, cells);
    case 'approx_count_distinct':
      return new DistinctSketchState();
    case 'approx_quantile':
      return new QuantileSketchState(Number(measure.parameter), type);
  }
}

class CountState implements MeasureState {
  readonly #countsNull: boolean;
  #counts = new Float64Array(0);

  constructor(countsNull: boolean) {
    this.#countsNull = countsNull;
  }

  reserve(count: number): void {
    this.#counts = reserved(this.#counts, count);
  }

  add(group: number, cell: InputCell): void {
    if (this.#countsNull || !cell.isNull) this.#counts[group]! += 1;
  }

  write(group: number, writer: ByteWriter): void {
    writer.count(this.#counts[group]!);
  }

  merge(group: number, reader: ByteReader): void {
    this.#counts[group]! += reader.count();
  }

  text(group: number): string {
    return String(this.#counts[group]!);
  }
}

/** Sums and means: exact, rounded once when printed. */
class SumState implements MeasureState {
  readonly #type: ColumnType;
  readonly #isMean: boolean;
  readonly #sums = new ExactSums();
  #counts = new Float64Array(0);

  constructor(type: ColumnType, isMean: boolean) {
    this.#type = type;
    this.#isMean = isMean;
  }

  reserve(count: number): void {
    this.#sums.reserve(count);
    this.#counts = reserved(this.#counts, count);
  }

  add(group: number, cell: InputCell): void {
    if (cell.isNull) return;
    this.#counts[group]! += 1;
    this.#sums.add(group, cell.decimal);
  }

  write(group: number, writer: ByteWriter): void {
    const count = this.#counts[group]!;
    writer.count(count);
    if (count === 0) return;
    const { mantissa, scale } = this.#sums.total(group);
    writer.count(scale);
    writer.scalar(mantissa);
  }

  merge(group: number, reader: ByteReader): void {
    const count = reader.count();
    if (count === 0) return;
    this.#counts[group]! += count;
    const scale = reader.count();
    const mantissa = reader.scalar();
    if (typeof mantissa === 'bigint') this.#sums.addExact(group, mantissa, scale);
    else this.#sums.add(group, { mantissa, scale, big: null });
  }

  text(group: number): string | null {
    const count = this.#counts[group]!;
    if (count === 0) return null;
    const short = this.#shortText(group, count);
    if (short !== null) return short;
    const total = this.#sums.total(group);
    if (this.#isMean) return formatDouble(exactMean(total, count));
    if (this.#type === 'integer') return exactText(total);
    return formatDouble(decimalToDouble(total.mantissa, total.scale));
  }

  /** The same, where a double holds the sum and one division is all the rounding there is. */
  #shortText(group: number, count: number): string | null {
    const whole = this.#sums.shortMantissa(group);
    if (whole === null) return null;
    const places = this.#sums.shortScale(group);
    if (!this.#isMean && this.#type === 'integer') return places === 0 ? String(whole) : null;
    const power = POWERS_OF_TEN[places] ?? Infinity;
    if (!this.#isMean) return power < Infinity ? formatDouble(whole / power) : null;
    const divisor = power * count;
    return divisor <= Number.MAX_SAFE_INTEGER ? formatDouble(whole / divisor) : null;
  }
}

/** Those that doubles hold exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => Number(`1e${String(power)}`));

/** Least (-1) or greatest (1) of values with an order of their own. */
class ScalarExtremeState implements MeasureState {
  readonly #sign: -1 | 1;
  readonly #type: ColumnType;
  readonly #values: (number | bigint | undefined)[] = [];

  constructor(sign: -1 | 1, type: ColumnType) {
    this.#sign = sign;
    this.#type = type;
  }

  reserve(count: number): void {
    while (this.#values.length < count) this.#values.push(undefined);
  }

  add(group: number, cell: InputCell): void {
    if (!cell.isNull) this.#offer(group, cell.scalar);
  }

  write(group: number, writer: ByteWriter): void {
    const value = this.#values[group];
    writer.byte(value === undefined ? 0 : 1);
    if (value !== undefined) writer.scalar(value);
  }

  merge(group: number, reader: ByteReader): void {
    if (reader.byte() === 1) this.#offer(group, reader.scalar());
  }

  text(group: number): string | null {
    const value = this.#values[group];
    return value === undefined ? null : scalarText(value, this.#type);
  }

  #offer(group: number, value: number | bigint): void {
    const held = this.#values[group];
    const better = held === undefined || compareValues(value, held) * this.#sign > 0;
    if (better) this.#values[group] = value;
  }
}

/** Least (-1) or greatest (1) text, by bytes: for UTF-8 the order of code points. */
class TextExtremeState implements MeasureState {
  readonly #sign: -1 | 1;
  readonly #values: (Uint8Array | undefined)[] = [];

  constructor(sign: -1 | 1) {
    this.#sign = sign;
  }

  reserve(count: number): void {
    while (this.#values.length < count) this.#values.push(undefined);
  }

  add(group: number, cell: InputCell): void {
    if (!cell.isNull) this.#offer(group, cell.slice.bytes, cell.slice.start, cell.slice.end);
  }

  write(group: number, writer: ByteWriter): void {
    const value = this.#values[group];
    writer.byte(value === undefined ? 0 : 1);
    if (value !== undefined) writer.block(value);
  }

  merge(group: number, reader: ByteReader): void {
    if (reader.byte() === 0) return;
    const value = reader.block();
    this.#offer(group, value, 0, value.length);
  }

  text(group: number): Uint8Array | null {
    return this.#values[group] ?? null;
  }

  #offer(group: number, bytes: Uint8Array, start: number, end: number): void {
    const held = this.#values[group];
    const better = held === undefined || compareSlice(bytes, start, end, held) * this.#sign > 0;
    if (better) this.#values[group] = bytes.slice(start, end);
  }
}

function compareSlice(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const length = Math.min(end - start, other.length);
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - other[i]!;
    if (difference !== 0) return difference;
  }
  return end - start - other.length;
}

function reserved(array: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
  if (count <= array.length) return array;
  const grown = new Float64Array(Math.max(count, array.length * 2));
  grown.set(array);
  return grown;
}
