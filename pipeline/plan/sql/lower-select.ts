import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { renderExpression } from '../expression/render.ts';
import type { ExpressionPlan, GroupKey, PlanStep } from '../step.ts';
import type { ExpressionSizes } from './expression-size.ts';
import { asGroupKeys, groupKeys, KnownValues, notGrouped } from './grouping.ts';
import { OrderColumns } from './order.ts';
import { resolveItems, type OutputList } from './output.ts';
import { Resolver, type ClauseRules } from './resolver.ts';
import type { Scope } from './scope.ts';
import type { Query } from './statement.ts';

/** A step that a statement compiles to, and the place of what it does in the statement. */
export interface LoweredStep {
  readonly step: PlanStep;
  readonly at: number;
}

/** A column that is computed for the next steps. */
interface Computed {
  readonly name: string;
  readonly expression: Expression;
}

/** One SELECT over the columns of its FROM. */
export class SelectLowering {
  private readonly query: Query;
  private readonly scope: Scope;
  private readonly resolver: Resolver;
  private readonly list: OutputList;
  private readonly done: LoweredStep[] = [];

  constructor(query: Query, scope: Scope, sizes: ExpressionSizes) {
    this.query = query;
    this.scope = scope;
    this.resolver = new Resolver(scope, query.measures, sizes);
    this.list = resolveItems(query.items, scope, this.resolver);
  }

  /** What the SELECT puts out; null where that is not known. */
  columns(): readonly string[] | null {
    return this.scope.columns === null ? null : this.list.outputs.map(({ name }) => name);
  }

  steps(): LoweredStep[] {
    const { where, groupBy, having, measures } = this.query;
    if (where !== null) {
      const rules = { clause: 'WHERE', aggregates: false, aliases: this.list.aliases };
      this.filter(this.resolver.resolve(where, rules), where.at);
    }
    const isGrouped = groupBy !== null || having !== null || measures.length > 0;
    if (isGrouped) this.group();
    else this.arrange({ aggregates: false }, (expression) => expression, this.scope.present);
    return this.done;
  }

  private group(): void {
    const { having, at } = this.query;
    const groups = new KnownValues();
    const by = asGroupKeys(groupKeys(this.query, this.list, this.resolver), groups);
    const isKey = new Set(by.map(({ name }) => name));
    const grouped = (expression: Expression): Expression =>
      groups.rewrite(expression, (node) => {
        if (this.scope.columns === null || this.resolver.readsMeasure(node)) return node;
        throw notGrouped(node.name, node.at);
      });
    const rules = { aggregates: true, weaker: (column: string) => !isKey.has(column) };
    const { aliases } = this.list;
    const condition =
      having === null
        ? null
        : grouped(this.resolver.resolve(having, { clause: 'HAVING', aliases, ...rules }));
    const place = this.done.length;
    if (having !== null && condition !== null) this.filter(condition, having.at);
    this.arrange(rules, grouped, null);
    // Only now all aggregates are known, those of ORDER BY too.
    const step = aggregate(by, this.resolver);
    this.done.splice(place, 0, { step, at });
  }

  /** SELECT, DISTINCT, ORDER BY, LIMIT. `available` gives an expression over the columns at hand,
   *  which are `current`; null where some of them are to be left out. */
  private arrange(
    rules: Omit<ClauseRules, 'clause' | 'aliases'>,
    available: (expression: Expression) => Expression,
    current: readonly string[] | null,
  ): void {
    const { query, list } = this;
    const { aliases } = list;
    const isPlainDistinct = query.isDistinct && query.distinctOn.length === 0;
    const order = new OrderColumns(
      list,
      (node) => this.resolver.resolve(node, { clause: 'ORDER BY', aliases, ...rules }),
      isPlainDistinct ? this.overOutputs() : available,
      this.scope.columns === null,
    );
    const on = query.distinctOn.map((node) => order.columnOf(node, 'DISTINCT ON'));
    const keys = order.sortKeys(query.orderBy);
    const outputs = list.outputs.map(({ name, expression }) => ({
      name,
      expression: available(expression),
    }));
    this.project(outputs, isPlainDistinct ? [] : order.hidden, current);
    if (isPlainDistinct) {
      this.push({ kind: 'dedupe', by: [], keep: 'first' }, query.at);
      this.derive(order.hidden);
    }
    if (keys.length > 0) this.push({ kind: 'sort', keys }, query.orderBy[0]?.at ?? query.at);
    if (on.length > 0) {
      const by = [...new Set(on)];
      this.push({ kind: 'dedupe', by, keep: 'first' }, query.distinctOn[0]?.at ?? query.at);
    }
    const { limit: count, offset, limitAt } = query;
    if (count !== null || offset > 0) this.push({ kind: 'limit', count, offset }, limitAt);
    if (order.hidden.length > 0) {
      this.push({ kind: 'drop', columns: order.hidden.map(({ name }) => name) }, query.at);
    }
  }

  /** Expressions over what SELECT DISTINCT puts out: there is nothing else any more. */
  private overOutputs(): (expression: Expression) => Expression {
    const values = new KnownValues();
    for (const { name, expression } of this.list.outputs) values.add(expression, name);
    return (expression) =>
      values.rewrite(expression, (node) => {
        if (this.scope.columns === null) return node;
        const message = 'ORDER BY names what SELECT DISTINCT does not put out';
        throw expressionError(message, node.at, 'a column of the select list');
      });
  }

  private project(
    outputs: readonly Computed[],
    hidden: readonly Computed[],
    current: readonly string[] | null,
  ): void {
    if (this.list.isPartial) {
      // What * stands for is not known: it is whole, or the step is there without its columns.
      const [item, other] = this.query.items;
      const isWhole =
        item?.kind === 'star' &&
        item.exclude.length + item.replace.length + item.rename.length === 0 &&
        other === undefined;
      if (isWhole) return this.derive(hidden);
    } else {
      const isCopy = outputs.every(({ name, expression }) => isColumn(expression, name));
      const isSame =
        isCopy &&
        current?.length === outputs.length &&
        outputs.every(({ name }, i) => name === current[i]);
      if (isSame) return this.derive(hidden);
      if (isCopy && hidden.length === 0) {
        return this.push(
          { kind: 'select', columns: outputs.map(({ name }) => name) },
          this.query.at,
        );
      }
    }
    this.push({ kind: 'project', columns: plans([...outputs, ...hidden]) }, this.query.at);
  }

  private derive(columns: readonly Computed[]): void {
    if (columns.length > 0) this.push({ kind: 'derive', columns: plans(columns) }, this.query.at);
  }

  private filter(ast: Expression, at: number): void {
    this.push({ kind: 'filter', expression: plan(ast) }, at);
  }

  private push(step: PlanStep, at: number): void {
    this.done.push({ step, at });
  }
}

function aggregate(by: readonly GroupKey[], { measures }: Resolver): PlanStep {
  return { kind: 'aggregate', by, measures };
}

function isColumn(expression: Expression, name: string): boolean {
  return expression.kind === 'column' && expression.name === name;
}

function plan(ast: Expression): ExpressionPlan {
  return { text: renderExpression(ast), ast };
}

function plans(columns: readonly Computed[]): { name: string; expression: ExpressionPlan }[] {
  return columns.map(({ name, expression }) => ({ name, expression: plan(expression) }));
}
