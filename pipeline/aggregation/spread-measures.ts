import type { AggregateShape, MeasureShape } from './shape.ts';
import { isQuantile, isSpread } from './spread-functions.ts';

export { isQuantile, isSpread } from './spread-functions.ts';

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
