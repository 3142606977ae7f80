import { uniqueColumnNames } from '../../dialect/column-names.ts';
import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { renderExpression } from '../expression/render.ts';
import { missingLookup } from '../join.ts';
import { findByName, type Lookup } from '../lookup.ts';
import type { PlanStep } from '../step.ts';
import type { LoweredStep } from './lower-select.ts';
import { Resolver, type ClauseRules } from './resolver.ts';
import type { ExpressionSizes } from './expression-size.ts';
import { Scope, type ScopeColumn } from './scope.ts';
import type { Join } from './statement.ts';

type JoinStep = Extract<PlanStep, { kind: 'join' }>;
type ColumnNode = Extract<Expression, { kind: 'column' }>;

/** What a join leaves: its steps, and what may be named behind it. */
export interface Joined {
  readonly steps: readonly LoweredStep[];
  readonly scope: Scope;
}

/**
 * Lowers a join with a lookup file. `wanted` tells whether a column of the lookup, under its table's
 * name, is named anywhere behind the join; what is not is not carried along.
 */
export function lowerJoin(
  join: Join,
  left: Scope,
  lookups: readonly Lookup[],
  sizes: ExpressionSizes,
  wanted: (table: string, column: string) => boolean,
): Joined {
  const table = join.alias ?? stemOf(join.lookup);
  if (left.columns === null) {
    const step = joinStep(join, [], []);
    return { steps: [step], scope: new Scope(null, [...left.tables, table]) };
  }
  if (left.hasTable(table)) {
    const message = `Two tables are called ${JSON.stringify(table)}`;
    throw expressionError(message, join.at, 'an alias: JOIN file AS name');
  }
  const lookup = findByName(lookups, join.lookup);
  if (lookup === undefined) throw missingLookup(join, lookups);
  const names = lookup.content.columns.map(({ name }) => name);
  const right = new Scope(
    names.map((name) => ({ table, name, column: name })),
    [table],
  );
  const resolver = new Resolver(left, [], sizes);
  const keys = join.on === null ? usingKeys(join, left, right) : onKeys(join.on, left, right);
  const derived: { name: string; expression: Expression }[] = [];
  const on = keys.map(({ expression, lookupColumn }) => {
    const resolved = resolver.resolve(expression, ON);
    if (resolved.kind === 'column') return { column: resolved.name, lookupColumn };
    const name = `\u0000on ${renderExpression(resolved)}`;
    if (!derived.some((known) => known.name === name)) derived.push({ name, expression: resolved });
    return { column: name, lookupColumn };
  });
  const before = [...left.present, ...derived.map(({ name }) => name)];
  const adds = join.how === 'inner' || join.how === 'left';
  const select = adds ? names.filter((name) => wanted(table, name)) : [];
  const physical = uniqueColumnNames([...before, ...select]);
  const steps: LoweredStep[] = [];
  if (derived.length > 0) {
    const columns = derived.map(({ name, expression }) => ({
      name,
      expression: { text: renderExpression(expression), ast: expression },
    }));
    steps.push({ step: { kind: 'derive', columns }, at: join.at });
  }
  steps.push(joinStep(join, on, select));
  const using = new Set(join.using.map(({ name }) => name.toLowerCase()));
  const added = select.map((name, i): ScopeColumn => {
    const column = physical[before.length + i] ?? name;
    return { table, name, column, isQualified: using.has(name.toLowerCase()) };
  });
  const tables = adds ? [...left.tables, table] : left.tables;
  return { steps, scope: new Scope([...left.columns, ...added], tables, physical) };
}

const ON: ClauseRules = { clause: 'ON', aggregates: false, aliases: [] };

function joinStep(join: Join, on: JoinStep['on'], select: readonly string[]): LoweredStep {
  const { lookup, how, at } = join;
  const adds = how === 'inner' || how === 'left';
  return { step: { kind: 'join', lookup, on, how, select: adds ? select : null }, at };
}

interface KeyPair {
  /** Over what stands before the join. */
  readonly expression: Expression;
  readonly lookupColumn: string;
}

function usingKeys(join: Join, left: Scope, right: Scope): KeyPair[] {
  return join.using.map(({ name, at }) => {
    const node: ColumnNode = { kind: 'column', name, at };
    if (left.find(node) === null) throw left.unknown(node, []);
    const found = right.find(node);
    if (found === null) throw right.unknown(node, []);
    return { expression: node, lookupColumn: found.column };
  });
}

/** The equalities that ON is made of. */
function onKeys(on: Expression, left: Scope, right: Scope): KeyPair[] {
  const conditions = on.kind === 'and' ? on.operands : [on];
  return conditions.flatMap((condition) => {
    if (condition.kind === 'and') return onKeys(condition, left, right);
    const expected = 'an equality of a column of the lookup and of one before it';
    if (condition.kind !== 'compare' || condition.operator !== '=') {
      const what = 'A condition in ON that is no equality';
      const message = `${what} is not supported yet`;
      throw expressionError(message, condition.at, `${expected}; WHERE`, 'plan-unsupported');
    }
    const sides = [condition.left, condition.right] as const;
    for (const [mine, other] of [sides, [sides[1], sides[0]] as const]) {
      const column = lookupColumn(other, left, right);
      if (column !== null) return [{ expression: mine, lookupColumn: column }];
    }
    throw expressionError('No side is a column of the lookup', condition.at, expected);
  });
}

/** The column of the lookup that a side is; null for anything else. */
function lookupColumn(node: Expression, left: Scope, right: Scope): string | null {
  if (node.kind !== 'column') return null;
  if (node.table !== undefined) {
    if (!right.hasTable(node.table)) return null;
    const found = right.find(node);
    if (found === null) throw right.unknown(node, []);
    return found.column;
  }
  const found = right.find(node);
  if (found === null) return null;
  if (left.find(node) === null) return found.column;
  const message = `The column name ${JSON.stringify(node.name)} is ambiguous`;
  throw expressionError(message, node.at, `the name of a table before it, as in ${found.table}.x`);
}

/** A file's name without folder and extension, as DuckDB calls the table of a file. */
function stemOf(name: string): string {
  const base = name.replace(/^.*[/\\]/, '');
  return base.replace(/(?<=.)\.[^.]*(\.(gz|zst|br|zip))?$/i, '');
}
