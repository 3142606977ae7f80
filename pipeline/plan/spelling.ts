import type { GlobalAct } from './global-steps.ts';
import type { ExpressionPlan, Step } from './step.ts';

/** A step without what only its spelling decides: blanks, and where an expression stands. Plans that
 *  say the same have the same contexts. */
export function withoutSpelling<Part extends Step | GlobalAct>(part: Part): Part {
  if (!('expression' in part)) return part;
  return { ...part, expression: placeless(part.expression) };
}

function placeless({ ast }: ExpressionPlan): ExpressionPlan {
  const text = JSON.stringify(ast, (key, value: unknown) => (key === 'at' ? 0 : value));
  return { text: '', ast: JSON.parse(text) as ExpressionPlan['ast'] };
}
