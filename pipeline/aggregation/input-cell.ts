import type { Batch } from '../execution/batch.ts';
import { TextVector, type Vector } from '../execution/vectors.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { ColumnType } from '../protocol/job.ts';
import { parseBoolean } from '../values/boolean.ts';
import { FieldSlice } from '../values/field-slice.ts';
import type { NullTexts } from '../values/null-texts.ts';
import { parseDecimal, parseDouble, parseInteger, type DecimalParts } from '../values/number.ts';
import { parseDate, parseTimestamp } from '../values/timestamp.ts';

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const DAY_MICROS = 86_400_000_000;
const encoder = new TextEncoder();
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The current record's value in one measured column, cast once for all measures that use it. */
export class InputCell {
  readonly column: number;
  readonly type: ColumnType;
  isNull = true;
  /** Of integers and numbers. */
  readonly decimal: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  /** Of all but text: the value by which it is ordered. */
  scalar: number | bigint = 0;
  /** The unquoted text. */
  readonly slice: FieldSlice;

  /** Of a computed column: its values as they are, or texts; null for a field. */
  readonly vector: Vector | null;
  readonly #nullTexts: NullTexts;
  readonly #digits = new Uint8Array(64);

  constructor(
    column: number,
    type: ColumnType,
    dialect: Dialect,
    nullTexts: NullTexts,
    vector: Vector | null = null,
  ) {
    this.vector = vector;
    this.column = column;
    this.type = type;
    this.slice = new FieldSlice(dialect);
    this.#nullTexts = nullTexts;
  }

  /** Reads a record's cell; false, and NULL, when the text does not cast to the type. */
  read(batch: Batch, record: number): boolean {
    if (this.vector !== null) return this.#readComputed(this.vector, record);
    const { index } = batch;
    const field = index.recordFields[record]! + this.column;
    const { slice } = this;
    const [start, end] = [index.fieldStarts[field]!, index.fieldEnds[field]!];
    this.isNull = this.#nullTexts.pointAt(slice, batch.bytes, start, end);
    if (this.isNull || this.#cast(slice)) return true;
    this.isNull = true;
    return false;
  }

  #readComputed(vector: Vector, record: number): boolean {
    this.isNull = vector.valid[record] === 0;
    if (this.isNull) return true;
    if (vector instanceof TextVector) {
      const { slice } = this;
      slice.bytes = vector.bytesOf(record);
      slice.start = vector.starts[record]!;
      slice.end = vector.ends[record]!;
      if (this.#cast(slice)) return true;
      this.isNull = true;
      return false;
    }
    const value = vector.values[record]!;
    const exact = vector.exact.size > 0 ? vector.exact.get(record) : undefined;
    if (this.type === 'number') return this.#takeDouble(value);
    this.scalar = exact ?? value;
    if (this.type === 'date') this.scalar = Number(this.scalar) / DAY_MICROS;
    this.decimal.mantissa = value;
    this.decimal.big = exact ?? null;
    this.decimal.scale = 0;
    return true;
  }

  /** A double is summed as the shortest decimal that reads back as it. */
  #takeDouble(value: number): boolean {
    this.scalar = value;
    if (Number.isSafeInteger(value)) {
      this.decimal.mantissa = value;
      this.decimal.big = null;
      this.decimal.scale = 0;
      return true;
    }
    const { written } = encoder.encodeInto(String(value), this.#digits);
    if (parseDecimal(this.#digits, 0, written, this.decimal)) return true;
    this.slice.point(this.#digits, 0, written);
    this.isNull = true;
    return false;
  }

  #cast(slice: FieldSlice): boolean {
    const { bytes, start, end } = slice;
    switch (this.type) {
      case 'string':
        return true;
      case 'integer':
        return this.#castInteger(bytes, start, end);
      case 'number':
        return this.#castNumber(bytes, start, end);
      case 'boolean': {
        const value = parseBoolean(bytes, start, end);
        this.scalar = value === true ? 1 : 0;
        return value !== null;
      }
      case 'date':
        return this.#take(parseDate(bytes, start, end));
      case 'datetime':
        return this.#take(parseTimestamp(bytes, start, end));
    }
  }

  #take(value: number | bigint | null): boolean {
    this.scalar = value ?? 0;
    return value !== null;
  }

  #castInteger(bytes: Uint8Array, start: number, end: number): boolean {
    const { decimal } = this;
    if (!parseDecimal(bytes, start, end, decimal)) return false;
    if (decimal.scale > 0) {
      const value = parseInteger(bytes, start, end);
      if (value === null) return false;
      decimal.mantissa = typeof value === 'number' ? value : 0;
      decimal.big = typeof value === 'number' ? null : value;
      decimal.scale = 0;
    }
    const { big } = decimal;
    this.scalar = big ?? decimal.mantissa;
    return big === null || (big >= INT64_MIN && big <= INT64_MAX);
  }

  #castNumber(bytes: Uint8Array, start: number, end: number): boolean {
    const { decimal } = this;
    if (!parseDecimal(bytes, start, end, decimal)) return false;
    const exact = decimal.big === null && decimal.scale <= 22;
    const value = exact
      ? decimal.mantissa / POWERS_OF_TEN[decimal.scale]!
      : parseDouble(bytes, start, end);
    this.scalar = value + 0;
    return true;
  }
}
