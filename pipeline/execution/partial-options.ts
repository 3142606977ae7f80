import { shapeOf } from '../aggregation/shape.ts';
import type { PartialMergerOptions } from '../result/partial.ts';
import { inputView, viewAfter } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { aggregateSpec } from './operators.ts';

/** What the partials of a context's chunks hold, also when there is no chunk at all. */
export function partialOptions(context: ChunkContext): PartialMergerOptions {
  let view = inputView(context);
  let options: PartialMergerOptions = {};
  for (const step of context.steps) {
    if (step.kind === 'profile') options = { ...options, profileNames: step.columns };
    if (step.kind === 'aggregate') {
      options = { ...options, aggregate: shapeOf(aggregateSpec(step, view), view.inputs) };
    }
    view = viewAfter(step, view);
  }
  return options;
}
