import type { Expression } from './ast.ts';

/** The node with each of its children replaced; itself where it has none. */
export function mapChildren(
  node: Expression,
  replace: (child: Expression) => Expression,
): Expression {
  switch (node.kind) {
    case 'column':
    case 'cell':
    case 'literal':
    case 'interval':
      return node;
    case 'compare':
    case 'binary':
    case 'distinct':
      return { ...node, left: replace(node.left), right: replace(node.right) };
    case 'and':
    case 'or':
      return { ...node, operands: node.operands.map(replace) };
    case 'not':
    case 'is-null':
    case 'is-truth':
    case 'negate':
    case 'cast':
      return { ...node, operand: replace(node.operand) };
    case 'in':
      return { ...node, operand: replace(node.operand), values: node.values.map(replace) };
    case 'between':
      return {
        ...node,
        operand: replace(node.operand),
        low: replace(node.low),
        high: replace(node.high),
      };
    case 'like':
      return { ...node, operand: replace(node.operand), pattern: replace(node.pattern) };
    case 'call':
      return { ...node, args: node.args.map(replace) };
    case 'case':
      return {
        ...node,
        operand: node.operand === null ? null : replace(node.operand),
        branches: node.branches.map(({ when, then }) => ({
          when: replace(when),
          then: replace(then),
        })),
        otherwise: node.otherwise === null ? null : replace(node.otherwise),
      };
  }
}

/** The nodes right below a node. */
export function childrenOf(node: Expression): Expression[] {
  const children: Expression[] = [];
  mapChildren(node, (child) => {
    children.push(child);
    return child;
  });
  return children;
}
