import type { Batch } from '../execution/batch.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { ColumnType } from '../protocol/job.ts';
import { parseBoolean } from '../values/boolean.ts';
import { FieldSlice } from '../values/field-slice.ts';
import type { NullTexts } from '../values/null-texts.ts';
import { parseDecimal, parseDouble, parseInteger, type DecimalParts } from '../values/number.ts';
import { parseDate, parseTimestamp } from '../values/timestamp.ts';

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
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

  readonly #nullTexts: NullTexts;

  constructor(column: number, type: ColumnType, dialect: Dialect, nullTexts: NullTexts) {
    this.column = column;
    this.type = type;
    this.slice = new FieldSlice(dialect);
    this.#nullTexts = nullTexts;
  }

  /** Reads a record's cell; false, and NULL, when the text does not cast to the type. */
  read(batch: Batch, record: number): boolean {
    const { index } = batch;
    const field = index.recordFields[record]! + this.column;
    const { slice } = this;
    slice.point(batch.bytes, index.fieldStarts[field]!, index.fieldEnds[field]!);
    this.isNull = this.#nullTexts.isNull(slice.bytes, slice.start, slice.end);
    if (this.isNull || this.#cast(slice)) return true;
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
