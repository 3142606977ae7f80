import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { renderExpression, renderName } from '../expression/render.ts';
import { mapChildren } from '../expression/walk.ts';
import type { GroupKey } from '../step.ts';
import type { Output, OutputList } from './output.ts';
import type { ClauseRules, Resolver } from './resolver.ts';
import type { ColumnNode } from './scope.ts';
import type { Query } from './statement.ts';

/** Expressions by their text, each with the column that holds its value behind a step. */
export class KnownValues {
  private readonly columns = new Map<string, string>();
  private readonly kinds = new Set<Expression['kind']>();

  add(expression: Expression, column: string): void {
    const text = renderExpression(expression);
    if (this.columns.has(text)) return;
    this.columns.set(text, column);
    this.kinds.add(expression.kind);
  }

  /** The column of an expression; undefined when it is not known. */
  columnOf(expression: Expression): string | undefined {
    if (!this.kinds.has(expression.kind)) return undefined;
    return this.columns.get(renderExpression(expression));
  }

  /** An expression over the columns; `other` gives what a column becomes that is none of them. */
  rewrite(expression: Expression, other: (node: ColumnNode) => Expression): Expression {
    const column = this.columnOf(expression);
    if (column !== undefined) return { kind: 'column', name: column, at: expression.at };
    if (expression.kind === 'column') return other(expression);
    return mapChildren(expression, (child) => this.rewrite(child, other));
  }
}

/** What GROUP BY names, each once. */
export function groupKeys(query: Query, list: OutputList, resolver: Resolver): Expression[] {
  const { groupBy } = query;
  if (groupBy === null) return [];
  if (groupBy === 'all') {
    return list.outputs
      .map(({ expression }) => expression)
      .filter((expression) => !resolver.readsMeasure(expression));
  }
  const rules: ClauseRules = { clause: 'GROUP BY', aggregates: false, aliases: list.aliases };
  return groupBy.map((expression) => {
    const output = positionOf(expression, list, 'GROUP BY');
    if (output === null) return resolver.resolve(expression, rules);
    if (!resolver.readsMeasure(output.expression)) return output.expression;
    throw expressionError('GROUP BY takes no aggregates', expression.at, 'columns');
  });
}

/** The output that a whole number stands for; null when it is none. */
export function positionOf(
  expression: Expression,
  { isPartial, outputs }: OutputList,
  clause: string,
): Output | null {
  if (expression.kind !== 'literal' || expression.type !== 'integer') return null;
  const { text, at } = expression;
  if (isPartial) return { name: text, label: text, expression, at };
  const output = outputs[Number(expression.text) - 1];
  if (output !== undefined) return output;
  const message = `${clause} ${expression.text} is not a position in the select list`;
  throw expressionError(message, expression.at, `1 to ${String(outputs.length)}`);
}

/** The keys as the step aggregate has them, and the columns in which it leaves them. */
export function asGroupKeys(keys: readonly Expression[], values: KnownValues): GroupKey[] {
  const by: GroupKey[] = [];
  for (const key of keys) {
    if (values.columnOf(key) !== undefined) continue;
    if (key.kind === 'column') {
      by.push({ name: key.name, expression: null });
      values.add(key, key.name);
    } else {
      const text = renderExpression(key);
      const name = `\u0000${text}`;
      by.push({ name, expression: { text, ast: key } });
      values.add(key, name);
    }
  }
  return by;
}

export function notGrouped(column: string, at: number): Error {
  const name = renderName(column);
  return expressionError(
    `The column ${name} is neither in GROUP BY nor in an aggregate`,
    at,
    `GROUP BY ${name}, or an aggregate such as min(${name})`,
  );
}
