import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import { renderAggregate } from '../../pipeline/execution/render-aggregate.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import type { RunOutcome } from './run-plan.ts';

/** What a run's plan gives at last: the merged groups through the steps behind the aggregate, or
 *  the records as they are. */
export function finalOutput({ compiled, waves, output }: RunOutcome): Buffer {
  if (compiled.shape === 'records' || compiled.groupColumns === null) return output;
  const { context } = compiled.waves.at(-1) ?? compiled.waves[0];
  const merger = new PartialMerger(partialOptions(context));
  for (const { partial } of waves.at(-1) ?? []) merger.add(partial);
  const { write } = context;
  const rendering = { columns: compiled.groupColumns, steps: compiled.finalSteps, write };
  const groups = renderAggregate(merger.aggregateChunk() ?? new Uint8Array(0), rendering);
  const frame = outputFrame(compiled.outputColumns, write);
  const body = Buffer.concat(groups.output).subarray(frame.skipFirstBytes);
  return Buffer.concat([frame.header, body, frame.footer]);
}
