import { AggregateKernel } from '../aggregation/aggregate-kernel.ts';
import type { Kernel } from '../parsing/structural/kernel.ts';
import { createProfileKernel } from '../profile/profile-accumulator.ts';
import type { ProfileKernel } from '../profile/profile-kernel.ts';
import { viewAfter, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { CheckOperator, DeriveOperator, FilterOperator } from './expression-operators.ts';
import { JoinOperator, SemiJoinOperator } from './join/join-operator.ts';
import type { lookupTables } from './join/lookup-tables.ts';
import type { Operator, Widener } from './operator.ts';
import { AggregateOperator, ConformOperator, ProfileOperator } from './operators.ts';
import { SampleOperator } from './sample-operator.ts';

/** Parts of the kernel that operators work in: one for all runs, as they are areas of its memory. */
export interface OperatorKernels {
  readonly profile: ProfileKernel | null;
  readonly aggregate: AggregateKernel | null;
}

/** What operators are made with besides the context. */
export interface OperatorParts extends OperatorKernels {
  readonly tables: ReturnType<typeof lookupTables>;
}

/** What the operators of a context need of it. */
export function kernelsOf(context: ChunkContext, kernel: Kernel | null): OperatorKernels {
  if (kernel === null) return { profile: null, aggregate: null };
  const { steps, dialect, nullstr } = context;
  const profiled = steps.find((step) => step.kind === 'profile')?.columns.length;
  const isAggregated = steps.some((step) => step.kind === 'aggregate');
  return {
    profile:
      profiled === undefined ? null : createProfileKernel(kernel, profiled, dialect, nullstr),
    aggregate: isAggregated ? AggregateKernel.create({ kernel, dialect, nullstr }) : null,
  };
}

/** The operators of a context's steps, and the view behind them. */
export function createOperators(
  context: ChunkContext,
  input: ColumnView,
  parts: OperatorParts,
): { readonly operators: readonly (Operator | Widener)[]; readonly view: ColumnView } {
  const operators: (Operator | Widener)[] = [];
  let view = input;
  for (const step of context.steps) {
    const before = view;
    view = viewAfter(step, before);
    switch (step.kind) {
      case 'conform':
        operators.push(new ConformOperator(step, before, context));
        break;
      case 'filter':
        operators.push(new FilterOperator(step, before, context));
        break;
      case 'check':
        operators.push(new CheckOperator(step, before, context));
        break;
      case 'sample':
        operators.push(new SampleOperator(step));
        break;
      case 'derive': {
        const vector = view.inputs === before.inputs ? null : view.vectors.at(-1);
        if (vector != null) operators.push(new DeriveOperator(step, before, vector, context));
        break;
      }
      case 'join': {
        const table = parts.tables.get(step)!;
        operators.push(
          step.how === 'semi' || step.how === 'anti'
            ? new SemiJoinOperator(step, table, before, context)
            : new JoinOperator(step, table, [before, view], context),
        );
        break;
      }
      case 'profile':
        operators.push(new ProfileOperator(step, before, context, parts.profile));
        break;
      case 'aggregate':
        operators.push(new AggregateOperator(step, before, context, parts.aggregate));
        break;
      case 'select':
      case 'drop':
      case 'rename':
    }
  }
  return { operators, view };
}
