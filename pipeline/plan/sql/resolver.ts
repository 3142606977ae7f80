import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { childrenOf, mapChildren } from '../expression/walk.ts';
import { mapMeasure } from '../measure.ts';
import type { MeasurePlan } from '../step.ts';
import type { ExpressionSizes } from './expression-size.ts';
import type { Scope } from './scope.ts';
import type { QueryMeasure } from './statement.ts';

/** An alias of the select list and what it stands for, names looked up. */
export interface Alias {
  readonly name: string;
  readonly expression: Expression;
}

/** What a clause may name besides columns. */
export interface ClauseRules {
  /** For messages, such as WHERE. */
  readonly clause: string;
  readonly aggregates: boolean;
  readonly aliases: readonly Alias[];
  /** Columns that give way to an alias of the same name; all others come before aliases. */
  readonly weaker?: (column: string) => boolean;
}

/**
 * Looks up the names in the expressions of one SELECT: columns become those of the steps, aliases what
 * they stand for, aggregates the columns that the step aggregate will leave.
 */
export class Resolver {
  private readonly scope: Scope;
  private readonly sizes: ExpressionSizes;
  private readonly written: ReadonlyMap<string, QueryMeasure>;
  /** Measures by what they compute: each once. */
  private readonly computed = new Map<string, MeasurePlan>();
  private readonly names = new Set<string>();
  private readonly reading = new WeakMap<Expression, boolean>();

  constructor(scope: Scope, measures: readonly QueryMeasure[], sizes: ExpressionSizes) {
    this.scope = scope;
    this.sizes = sizes;
    this.written = new Map(measures.map((measure) => [measure.name, measure]));
  }

  /** Those that were asked for, named as the columns that stand for them. */
  get measures(): readonly MeasurePlan[] {
    return [...this.computed.values()];
  }

  resolve(node: Expression, rules: ClauseRules): Expression {
    const resolved = this.replace(node, rules);
    this.sizes.check(resolved);
    return resolved;
  }

  private replace(node: Expression, rules: ClauseRules): Expression {
    if (node.kind !== 'column') return mapChildren(node, (child) => this.replace(child, rules));
    const measure = this.written.get(node.name);
    if (measure !== undefined) return this.measure(measure, rules);
    const found = this.scope.find(node);
    const isWeak = found !== null && (rules.weaker?.(found.column) ?? false);
    const isOpen = this.scope.columns === null;
    const alias =
      node.table === undefined && (found === null || isWeak || isOpen)
        ? aliasNamed(node.name, rules.aliases)
        : undefined;
    if (alias !== undefined) {
      const isTaken = rules.aggregates || !this.readsMeasure(alias.expression);
      if (isTaken) return alias.expression;
      if (!isOpen) throw misplaced(node.at, rules.clause);
    }
    if (found === null) {
      throw this.scope.unknown(
        node,
        rules.aliases.map(({ name }) => name),
      );
    }
    return { kind: 'column', name: found.column, at: node.at };
  }

  private measure({ plan, at }: QueryMeasure, rules: ClauseRules): Expression {
    if (!rules.aggregates) throw misplaced(at, rules.clause);
    const inside: ClauseRules = { clause: 'An aggregate', aggregates: false, aliases: [] };
    const resolved = mapMeasure(plan, (expression) => this.resolve(expression, inside));
    const key = JSON.stringify({ ...resolved, text: '' }, (part, value: unknown) =>
      part === 'at' ? 0 : value,
    );
    let known = this.computed.get(key);
    if (known === undefined) {
      let name = `\u0000${plan.text}`;
      while (this.names.has(name)) name += "'";
      known = { ...resolved, name };
      this.names.add(name);
      this.computed.set(key, known);
    }
    return { kind: 'column', name: known.name, at };
  }

  /** Whether a resolved expression reads a measure. */
  readsMeasure(node: Expression): boolean {
    if (node.kind === 'column') return this.names.has(node.name);
    const known = this.reading.get(node);
    if (known !== undefined) return known;
    const reads = childrenOf(node).some((child) => this.readsMeasure(child));
    this.reading.set(node, reads);
    return reads;
  }
}

/** By list, which grows while it is asked: its aliases by name, the first of each, and how many. */
const indexes = new WeakMap<readonly Alias[], { count: number; names: Map<string, Alias> }>();

function aliasNamed(name: string, aliases: readonly Alias[]): Alias | undefined {
  const index = indexes.get(aliases) ?? { count: 0, names: new Map<string, Alias>() };
  indexes.set(aliases, index);
  for (; index.count < aliases.length; index.count++) {
    const alias = aliases[index.count]!;
    const folded = alias.name.toLowerCase();
    if (!index.names.has(folded)) index.names.set(folded, alias);
  }
  return index.names.get(name.toLowerCase());
}

function misplaced(at: number, clause: string): Error {
  const expected = clause === 'WHERE' ? 'HAVING, which comes after GROUP BY' : 'columns';
  return expressionError(`${clause} takes no aggregates`, at, expected);
}
