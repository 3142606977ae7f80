import { computedVector, ViewCursor, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { CheckOperator, DeriveOperator, FilterOperator } from './expression-operators.ts';
import { invariant } from '../errors.ts';
import type { Step } from '../plan/step.ts';
import { KeyReader } from './join/key-reader.ts';
import { tableMatcher, type Matcher } from './join/matcher.ts';
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
  /** What the wave before found for the records of the task. */
  readonly matches?: Matcher;
}

/** A step at work, and its number in the plan; null for what comes of `schema`. */
export interface StepOperator {
  readonly operator: Operator | Widener;
  readonly number: number | null;
}

/** The operators of a context's steps, and the view behind them. */
export function createOperators(
  context: ChunkContext,
  input: ColumnView,
  parts: OperatorParts,
): { readonly operators: readonly StepOperator[]; readonly view: ColumnView } {
  const operators: StepOperator[] = [];
  const views = new ViewCursor(input);
  for (const [position, step] of context.steps.entries()) {
    const before = views.view;
    const vector = step.kind === 'derive' ? computedVector(step) : null;
    // What it computes from is seen before the view grows.
    if (step.kind === 'derive' && vector !== null) {
      const operator = new DeriveOperator(step, before, vector, context);
      operators.push({ operator, number: step.number ?? null });
    }
    const view = views.pass(step, vector);
    const condition = parts.conditions[position] ?? null;
    const push = (operator: Operator | Widener): void => {
      operators.push({ operator, number: step.number ?? null });
    };
    const pushSelecting = (reference: Operator): void => {
      push(condition === null ? reference : new KernelSelection(condition, reference));
    };
    switch (step.kind) {
      case 'conform':
        pushSelecting(new ConformOperator(step, before, context));
        break;
      case 'filter':
        pushSelecting(new FilterOperator(step, before, context));
        break;
      case 'check':
        pushSelecting(new CheckOperator(step, before, context));
        break;
      case 'sample':
        push(new SampleOperator(step));
        break;
      case 'join':
      case 'match': {
        const { how } = step;
        const matcher = matcherOf(step, before, context, parts);
        push(
          how === 'semi' || how === 'anti'
            ? new SemiJoinOperator(how, matcher)
            : new JoinOperator(how, matcher, [before, view], context),
        );
        break;
      }
      case 'profile':
        push(new ProfileOperator(step, before, context, parts.profile));
        break;
      case 'aggregate':
        push(new AggregateOperator(step, before, context, parts.aggregate));
        break;
      case 'derive':
      case 'select':
      case 'drop':
      case 'rename':
    }
  }
  return { operators, view: views.view };
}

function matcherOf(
  step: Extract<Step, { kind: 'join' | 'match' }>,
  view: ColumnView,
  context: ChunkContext,
  { tables, matches }: OperatorParts,
): Matcher {
  if (step.kind === 'join') {
    const keys = step.on.map(({ column, type }) => ({ name: column, type }));
    return tableMatcher(new KeyReader(keys, view, context), tables.get(step)!);
  }
  invariant(matches !== undefined, 'the wave before found matches');
  return matches;
}
