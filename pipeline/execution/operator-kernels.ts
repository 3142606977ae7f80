import { AggregateKernel } from '../aggregation/aggregate-kernel.ts';
import type { Kernel } from '../parsing/structural/kernel.ts';
import { bindCondition } from '../plan/expression/bind.ts';
import type { Step } from '../plan/step.ts';
import { createProfileKernel } from '../profile/profile-accumulator.ts';
import type { ProfileKernel } from '../profile/profile-kernel.ts';
import { inputView, positionOf, sourceOf, ViewCursor, type ColumnView } from './column-view.ts';
import { ConditionKernel } from './condition-kernel.ts';
import { compileCondition, conformProgram } from './condition-program.ts';
import type { ChunkContext } from './context.ts';
import { CsvKernel } from './csv-kernel.ts';
import { KernelBatch } from './kernel-batch.ts';
import { SortKernel } from './sort-kernel.ts';

/** Parts of the kernel that operators work in: one for all runs, as they are areas of its memory. */
export interface OperatorKernels {
  readonly profile: ProfileKernel | null;
  readonly aggregate: AggregateKernel | null;
  /** By step: of filters, checks and stated types that the kernel takes. */
  readonly conditions: readonly (ConditionKernel | null)[];
  readonly writer: CsvKernel | null;
  /** Of records that are sorted. */
  readonly sorter: SortKernel | null;
}

const NONE: OperatorKernels = {
  ...{ profile: null, aggregate: null, conditions: [], writer: null, sorter: null },
};

export function createOperatorKernels(
  context: ChunkContext,
  kernel: Kernel | null,
): OperatorKernels {
  if (kernel === null) return NONE;
  const { steps, dialect, nullstr, columns } = context;
  const profiled = steps.find((step) => step.kind === 'profile')?.columns.length;
  const isAggregated = steps.some((step) => step.kind === 'aggregate');
  const batches = KernelBatch.create(kernel, dialect, nullstr);
  const views = new ViewCursor(inputView(context));
  const conditions = steps.map((step) => {
    const condition = batches === null ? null : conditionKernel(step, views.view, context, batches);
    views.pass(step);
    return condition;
  });
  const { view } = views;
  const isWriting = context.write.format === 'csv' && context.exchange === null && !isAggregated;
  const columnCount = Math.max(columns.length, view.sources.length);
  return {
    profile:
      profiled === undefined ? null : createProfileKernel(kernel, profiled, dialect, nullstr),
    aggregate: isAggregated ? AggregateKernel.create({ kernel, dialect, nullstr }) : null,
    conditions,
    writer: isWriting && batches !== null ? new CsvKernel(batches, columnCount) : null,
    sorter:
      context.exchange?.kind === 'sort' && batches !== null
        ? SortKernel.create(context.exchange.keys, view, columns.length, batches)
        : null,
  };
}

function conditionKernel(
  step: Step,
  view: ColumnView,
  { columns }: ChunkContext,
  batches: KernelBatch,
): ConditionKernel | null {
  if (step.kind === 'conform') {
    const typed = step.columns.flatMap((name) => {
      const position = sourceOf(view, name);
      const { type } = view.columns[positionOf(view, name)]!;
      return type === 'string' ? [] : [{ position, as: type }];
    });
    if (typed.some(({ position }) => position >= columns.length)) return null;
    return new ConditionKernel(batches, conformProgram(typed), false);
  }
  if (step.kind !== 'filter' && step.kind !== 'check') return null;
  const { condition, loads } = bindCondition(step.expression.ast, view.columns);
  const fields = view.sources.map((source) => (source < columns.length ? source : null));
  const program = compileCondition(condition, loads, fields);
  return program === null ? null : new ConditionKernel(batches, program, step.kind === 'check');
}
