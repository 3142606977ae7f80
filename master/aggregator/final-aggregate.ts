import { invariant } from '../../pipeline/errors.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { renderAggregate } from '../../pipeline/execution/render-aggregate.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { PartialMerger } from '../../pipeline/result/partial.ts';
import { lastWave } from '../storage/job-record.ts';
import type { JobFacts } from '../storage/job-record.ts';

export interface FinalAggregate {
  /** The whole result: header, records, footer. */
  readonly bytes: Uint8Array;
  readonly records: number;
}

/** The result of an aggregate: its merged groups through the steps behind it. */
export function finalAggregate(
  facts: JobFacts,
  plan: PlanDocument,
  merger: PartialMerger,
): FinalAggregate {
  const { waves, input, lookups } = facts;
  invariant(waves !== null && input !== null, 'the input was sniffed');
  const { dialect } = waves[0].context;
  const compiled = compilePlan(plan, {
    ...{ format: input.format, dialect, columns: input.columns, lookups },
  });
  const groups = merger.aggregateChunk();
  invariant(groups !== null && compiled.groupColumns !== null, 'the plan has an aggregate');
  const { write } = lastWave(waves).context;
  const rendered = renderAggregate(groups, {
    columns: compiled.groupColumns,
    steps: compiled.finalSteps,
    write,
  });
  const frame = outputFrame(compiled.outputColumns, write);
  const body = Buffer.concat(rendered.output).subarray(frame.skipFirstBytes);
  return {
    bytes: Buffer.concat([frame.header, body, frame.footer]),
    records: rendered.statistics.recordsOut,
  };
}
