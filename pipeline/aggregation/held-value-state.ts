import type { ColumnType } from '../protocol/job.ts';
import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import { ExactSums, exactMean, exactText, type ExactDecimal } from '../values/exact-sum.ts';
import { formatDouble } from '../values/format.ts';
import { parseDecimal, type DecimalParts } from '../values/number.ts';
import { decimalToDouble } from '../values/ratio.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureState } from './measure-state.ts';
import { quantileText, textOf } from './quantile.ts';
import type { MeasureShape } from './shape.ts';
import { ValueCounts, type HeldValue } from './value-counts.ts';

/** Measures that need every different value: each is held once, with its count. */
export class HeldValueState implements MeasureState {
  readonly #values: ValueCounts;
  readonly #result: (values: readonly HeldValue[]) => string | Uint8Array | null;

  constructor(measure: MeasureShape, type: ColumnType) {
    this.#values = new ValueCounts(type);
    this.#result = resultOf(measure, type);
  }

  reserve(): void {
    // Groups exist when they have values.
  }

  add(group: number, cell: InputCell, position: number): void {
    if (!cell.isNull) this.#values.addCell(group, cell, position);
  }

  write(group: number, writer: ByteWriter): void {
    this.#values.write(group, writer);
  }

  merge(group: number, reader: ByteReader, offset: number): void {
    this.#values.merge(group, reader, offset);
  }

  text(group: number): string | Uint8Array | null {
    return this.#result(this.#values.sorted(group));
  }
}

function resultOf(
  { function: fn, parameter, distinct, order }: MeasureShape,
  type: ColumnType,
): (values: readonly HeldValue[]) => string | Uint8Array | null {
  switch (fn) {
    case 'count':
      return (values) => String(values.length);
    case 'sum':
    case 'avg':
      return (values) => (values.length === 0 ? null : total(values, type, fn === 'avg'));
    case 'mode':
      return (values) => (values.length === 0 ? null : textOf(mostFrequent(values).value, type));
    case 'string_agg': {
      const isDescending = order?.[0]?.desc === true;
      return (values) => {
        if (values.length === 0) return null;
        return joined(isDescending ? values.toReversed() : values, String(parameter));
      };
    }
    default:
      return (values) => {
        const all = distinct === true ? once(values) : values;
        const measure = { function: fn, parameter: Number(parameter), type };
        return quantileText(measure, countOf(all), (place) => valueAt(all, place));
      };
  }
}

function once(values: readonly HeldValue[]): HeldValue[] {
  return values.map((value) => ({ ...value, count: 1 }));
}

/** Of several as frequent, the one that came first. */
function mostFrequent(values: readonly HeldValue[]): HeldValue {
  return values.reduce((best, next) => {
    if (next.count !== best.count) return next.count > best.count ? next : best;
    return next.position < best.position ? next : best;
  });
}

function total(values: readonly HeldValue[], type: ColumnType, isMean: boolean): string {
  const sums = new ExactSums();
  sums.reserve(1);
  for (const { value } of values) addScalar(sums, value as number | bigint);
  const sum: ExactDecimal = sums.total(0);
  if (isMean) return formatDouble(exactMean(sum, values.length));
  if (type === 'integer') return exactText(sum);
  return formatDouble(decimalToDouble(sum.mantissa, sum.scale));
}

/** Adds a value to the first sum: a double as the shortest decimal that reads back as it. */
export function addScalar(sums: ExactSums, value: number | bigint): void {
  if (typeof value === 'bigint') sums.addExact(0, value, 0);
  else sums.add(0, shortestDecimal(value));
}

/** The shortest decimal that reads back as the double. */
function shortestDecimal(value: number): DecimalParts {
  const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  const bytes = Buffer.from(String(value));
  parseDecimal(bytes, 0, bytes.length, parts);
  return parts;
}

function joined(values: readonly HeldValue[], separator: string): Uint8Array {
  const texts = values.map(({ value }) => value as Uint8Array);
  const between = Buffer.from(separator);
  return Buffer.concat(texts.flatMap((text, i) => (i === 0 ? [text] : [between, text])));
}

function countOf(values: readonly HeldValue[]): number {
  return values.reduce((sum, { count }) => sum + count, 0);
}

function valueAt(values: readonly HeldValue[], place: number): HeldValue['value'] {
  let behind = 0;
  for (const { value, count } of values) {
    behind += count;
    if (place < behind) return value;
  }
  return values.at(-1)?.value ?? 0;
}
