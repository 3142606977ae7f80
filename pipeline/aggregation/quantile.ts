import type { ColumnType } from '../protocol/job.ts';
import { formatDouble, formatTimestamp } from '../values/format.ts';
import { scalarText } from './scalar-text.ts';
import type { MeasureShape } from './shape.ts';
import type { HeldValue } from './value-counts.ts';

const DAY_MICROS = 86_400_000_000;

/** A quantile: quantile_disc, or quantile_cont of numbers and times. */
export interface QuantileMeasure extends Pick<MeasureShape, 'function'> {
  /** From 0 to 1. */
  readonly parameter: number;
  readonly type: ColumnType;
}

/** Places of the values that a quantile of `count` values is made of: one or two, ascending, from 0. */
export function quantilePlaces(
  { function: fn, parameter }: Pick<QuantileMeasure, 'function' | 'parameter'>,
  count: number,
): readonly [number, number] {
  if (fn === 'quantile_disc') {
    // The first value at or behind that share of all.
    const place = Math.max(1, count - Math.floor(count - count * parameter)) - 1;
    return [place, place];
  }
  const place = (count - 1) * parameter;
  return [Math.floor(place), Math.ceil(place)];
}

/** Text of a quantile of `count` values; `valueAt` gives the one at a place in their order. */
export function quantileText(
  measure: QuantileMeasure,
  count: number,
  valueAt: (place: number) => HeldValue['value'],
): string | Uint8Array | null {
  if (count === 0) return null;
  const { type, parameter } = measure;
  const [low, high] = quantilePlaces(measure, count);
  const below = valueAt(low);
  if (measure.function === 'quantile_disc') return textOf(below, type);
  // Between the two values next to it, as PostgreSQL's percentile_cont.
  const above = valueAt(high);
  const share = (count - 1) * parameter - low;
  if (type === 'date' || type === 'datetime') {
    const micros = (value: HeldValue['value']): number =>
      Number(value) * (type === 'date' ? DAY_MICROS : 1);
    return formatTimestamp(Math.trunc(between(micros(below), micros(above), share)));
  }
  return formatDouble(between(Number(below), Number(above), share));
}

function between(low: number, high: number, share: number): number {
  return low === high ? low : low * (1 - share) + high * share;
}

export function textOf(value: HeldValue['value'], type: ColumnType): string | Uint8Array {
  return value instanceof Uint8Array ? value : scalarText(value, type);
}
