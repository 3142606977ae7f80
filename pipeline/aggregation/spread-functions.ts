import type { MeasureFunction, MeasureOptions } from '../plan/step.ts';

interface SpreadOptions extends Pick<MeasureOptions, 'distinct'> {
  readonly function: MeasureFunction;
}

/**
 * Whether a measure needs every different value of a group: those are spread over the tasks of a wave
 * of their own. Not so a string_agg, whose result is as large as what it needs.
 */
export function isSpread({ function: fn, distinct }: SpreadOptions): boolean {
  if (fn === 'string_agg') return false;
  return distinct === true || fn === 'mode' || isQuantile({ function: fn });
}

/** Whether its value stands at a place among all values, which no task by itself may know. */
export function isQuantile({ function: fn }: Pick<SpreadOptions, 'function'>): boolean {
  return fn === 'quantile_cont' || fn === 'quantile_disc';
}
