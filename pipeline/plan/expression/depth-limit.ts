import type { Expression } from './ast.ts';
import { expressionError } from './lexer.ts';

/** Deeper nesting is refused, so that nothing that walks an expression overflows the stack. */
const EXPRESSION_DEPTH_MAX = 200;

/** Bounds how deep expressions are nested, in the parser's recursion and in the tree it makes. */
export class DepthLimit {
  private depth = 0;
  private readonly heights = new WeakMap<Expression, number>();

  enter(at: number): void {
    this.depth += 1;
    if (this.depth > EXPRESSION_DEPTH_MAX) throw tooDeep(at);
  }

  leave(): void {
    this.depth -= 1;
  }

  /** A node over its children, which were made before. */
  made(node: Expression, children: readonly Expression[]): Expression {
    let height = 1;
    for (const child of children) height = Math.max(height, 1 + (this.heights.get(child) ?? 1));
    if (height > EXPRESSION_DEPTH_MAX) throw tooDeep(node.at);
    this.heights.set(node, height);
    return node;
  }
}

function tooDeep(at: number): Error {
  const expected = `at most ${String(EXPRESSION_DEPTH_MAX)} levels`;
  return expressionError('The expression is nested too deeply', at, expected);
}
