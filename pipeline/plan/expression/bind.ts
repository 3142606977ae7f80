import type { Column } from '../../protocol/job.ts';
import type { Expression } from './ast.ts';
import type { BoundCondition, BoundExpression } from './bound.ts';
import { ConditionBinder } from './bind-condition.ts';

/**
 * Resolves names and checks types, by DuckDB's rules with two differences: a text column compared
 * with a number, time or boolean literal is cast to the literal's type, and a text literal with a
 * fraction does not cast to an integer. Throws SluiceError with `details: {at, expected}`.
 */
export function bindCondition(ast: Expression, columns: readonly Column[]): BoundCondition {
  const binder = new ConditionBinder(columns);
  const condition = binder.condition(ast);
  return { condition, loads: binder.loads };
}

/** The same for an expression that gives a value. */
export function bindValue(ast: Expression, columns: readonly Column[]): BoundExpression {
  const binder = new ConditionBinder(columns);
  const value = binder.bound(ast);
  return { value, loads: binder.loads };
}
