import { shapeOf } from '../aggregation/shape.ts';
import type { PartialMergerOptions } from '../result/partial.ts';
import type { ChunkContext } from './context.ts';
import { aggregateSpec, viewAfter, type ColumnView } from './operators.ts';

/** What the partials of a context's chunks hold, also when there is no chunk at all. */
export function partialOptions(context: ChunkContext): PartialMergerOptions {
  let view: ColumnView = {
    columns: context.columns,
    sources: context.columns.map((_, field) => field),
  };
  let options: PartialMergerOptions = {};
  for (const step of context.steps) {
    if (step.kind === 'profile') options = { ...options, profileNames: step.columns };
    if (step.kind === 'aggregate') {
      options = { ...options, aggregate: shapeOf(aggregateSpec(step, view), context.columns) };
    }
    view = viewAfter(step, view);
  }
  return options;
}
