import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { childrenOf } from '../expression/walk.ts';

/** As for an expression that is written out. */
const HEIGHT_MAX = 200;
/** Nodes of all expressions of a statement, aliases replaced by what they stand for. */
const NODE_COUNT_MAX = 500_000;

interface Size {
  readonly nodes: number;
  readonly height: number;
}

/** Bounds what aliases of aliases of aliases can become. Parts that are shared are counted once
 *  for each place and looked at once. */
export class ExpressionSizes {
  private readonly known = new WeakMap<Expression, Size>();
  private total = 0;

  /** Throws where an expression is too deep, or the statement has become too large. */
  check(node: Expression): void {
    const { nodes, height } = this.sizeOf(node);
    this.total += nodes;
    if (height > HEIGHT_MAX || this.total > NODE_COUNT_MAX) {
      const expected = `at most ${String(HEIGHT_MAX)} levels and ${String(NODE_COUNT_MAX)} parts`;
      const message = 'The expression is too large, its aliases replaced by what they stand for';
      throw expressionError(message, node.at, expected);
    }
  }

  private sizeOf(node: Expression): Size {
    const known = this.known.get(node);
    if (known !== undefined) return known;
    let nodes = 1;
    let height = 0;
    for (const child of childrenOf(node)) {
      const size = this.sizeOf(child);
      nodes += size.nodes;
      height = Math.max(height, size.height);
    }
    const size = { nodes, height: height + 1 };
    this.known.set(node, size);
    return size;
  }
}
