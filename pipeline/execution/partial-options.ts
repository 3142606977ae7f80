import { shapeOf } from '../aggregation/shape.ts';
import type { PartialMergerOptions } from '../result/partial.ts';
import { inputView, ViewCursor } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { aggregateSpec } from './operators.ts';

/** What the partials of a context's chunks hold, also when there is no chunk at all. */
export function partialOptions(context: ChunkContext): PartialMergerOptions {
  const views = new ViewCursor(inputView(context));
  let options: PartialMergerOptions = {};
  for (const step of context.steps) {
    if (step.kind === 'profile') options = { ...options, profileNames: step.columns };
    if (step.kind === 'aggregate') {
      options = {
        ...options,
        aggregate: shapeOf(aggregateSpec(step, views.view), views.view.inputs),
      };
    }
    views.pass(step);
  }
  return options;
}
