import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { renderExpression } from '../expression/render.ts';
import type { SortKey } from '../step.ts';
import { positionOf } from './grouping.ts';
import type { Output, OutputList } from './output.ts';
import type { OrderKey } from './statement.ts';

/** A column that is made to sort by, and dropped in the end. */
export interface HiddenColumn {
  readonly name: string;
  readonly expression: Expression;
}

/** Finds the column to sort by for each key; what is no output becomes a hidden column. */
export class OrderColumns {
  readonly hidden: HiddenColumn[] = [];
  private readonly list: OutputList;
  private readonly resolve: (expression: Expression) => Expression;
  private readonly available: (expression: Expression) => Expression;
  private readonly isOpen: boolean;

  /** `resolve` looks names up, over the columns that the outputs are made of; `available` gives what
   *  it gave over the columns that the hidden ones are made of. `isOpen` where columns are not known:
   *  every name is an output. */
  constructor(
    list: OutputList,
    resolve: (expression: Expression) => Expression,
    available: (expression: Expression) => Expression,
    isOpen: boolean,
  ) {
    this.list = list;
    this.resolve = resolve;
    this.available = available;
    this.isOpen = isOpen;
  }

  sortKeys(keys: readonly OrderKey[]): SortKey[] {
    const sorted: SortKey[] = [];
    for (const { expression, desc, nulls } of keys) {
      const columns =
        expression === null
          ? this.list.outputs.map(({ name }) => name)
          : [this.columnOf(expression, 'ORDER BY')];
      for (const column of columns) {
        // A column that decided before decides nothing again.
        if (!sorted.some((key) => key.column === column)) sorted.push({ column, desc, nulls });
      }
    }
    return sorted;
  }

  columnOf(expression: Expression, clause: string): string {
    const output = positionOf(expression, this.list, clause) ?? this.named(expression);
    if (output !== null) return output.name;
    if (this.isOpen && isPlainColumn(expression)) return expression.name;
    if (expression.kind === 'literal') {
      const message = `${clause} a constant orders nothing`;
      throw expressionError(message, expression.at, 'a column, a position or an expression');
    }
    const resolved = this.resolve(expression);
    const text = renderExpression(resolved);
    const same = this.list.outputs.find(
      (candidate) =>
        candidate.expression.kind === resolved.kind &&
        renderExpression(candidate.expression) === text,
    );
    if (same !== undefined) return same.name;
    const name = `\u0000order by ${text}`;
    if (!this.hidden.some((column) => column.name === name)) {
      this.hidden.push({ name, expression: this.available(resolved) });
    }
    return name;
  }

  /** A name alone is that of an output before it is that of a column. */
  private named(expression: Expression): Output | null {
    if (!isPlainColumn(expression)) return null;
    const { outputs } = this.list;
    const folded = expression.name.toLowerCase();
    return (
      outputs.find(({ label }) => label === expression.name) ??
      outputs.find(({ label }) => label.toLowerCase() === folded) ??
      null
    );
  }
}

/** Neither with a table nor in the place of an aggregate. */
function isPlainColumn(
  expression: Expression,
): expression is Extract<Expression, { kind: 'column' }> {
  return (
    expression.kind === 'column' &&
    expression.table === undefined &&
    !expression.name.startsWith('\u0000')
  );
}
