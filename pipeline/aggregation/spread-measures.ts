import type { AggregateShape, MeasureShape } from './shape.ts';

/**
 * Whether a measure needs every different value of a group: those are spread over the tasks of a wave
 * of their own. Not so a string_agg, whose result is as large as what it needs.
 */
export function isSpread({
  function: fn,
  distinct,
}: Pick<MeasureShape, 'function' | 'distinct'>): boolean {
  if (fn === 'string_agg') return false;
  return distinct === true || fn === 'mode' || isQuantile({ function: fn });
}

/** Whether its value stands at a place among all values, which no task by itself may know. */
export function isQuantile({ function: fn }: Pick<MeasureShape, 'function'>): boolean {
  return fn === 'quantile_cont' || fn === 'quantile_disc';
}

/** What is merged where tasks have made of spread values what they could, see `reduceValues`. */
export function reducedShape({ keyTypes, measures }: AggregateShape): AggregateShape {
  return { keyTypes, measures: measures.map(reducedMeasure) };
}

function reducedMeasure(measure: MeasureShape): MeasureShape {
  if (!isSpread(measure) || measure.function === 'mode') return measure;
  // The text of the quantile, which one task knows.
  if (isQuantile(measure)) return { function: 'max', type: 'string' };
  return { function: measure.function, type: measure.type };
}
