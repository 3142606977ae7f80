import { viewAfter, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { CheckOperator, DeriveOperator, FilterOperator } from './expression-operators.ts';
import { JoinOperator, SemiJoinOperator } from './join/join-operator.ts';
import type { lookupTables } from './join/lookup-tables.ts';
import { KernelSelection } from './kernel-selection.ts';
import type { Operator, Widener } from './operator.ts';
import type { OperatorKernels } from './operator-kernels.ts';
import { AggregateOperator, ConformOperator, ProfileOperator } from './operators.ts';
import { SampleOperator } from './sample-operator.ts';

/** What operators are made with besides the context. */
export interface OperatorParts extends OperatorKernels {
  readonly tables: ReturnType<typeof lookupTables>;
}

/** The operators of a context's steps, and the view behind them. */
export function createOperators(
  context: ChunkContext,
  input: ColumnView,
  parts: OperatorParts,
): { readonly operators: readonly (Operator | Widener)[]; readonly view: ColumnView } {
  const operators: (Operator | Widener)[] = [];
  let view = input;
  for (const [number, step] of context.steps.entries()) {
    const before = view;
    view = viewAfter(step, before);
    const condition = parts.conditions[number] ?? null;
    const push = (reference: Operator): void => {
      operators.push(condition === null ? reference : new KernelSelection(condition, reference));
    };
    switch (step.kind) {
      case 'conform':
        push(new ConformOperator(step, before, context));
        break;
      case 'filter':
        push(new FilterOperator(step, before, context));
        break;
      case 'check':
        push(new CheckOperator(step, before, context));
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
