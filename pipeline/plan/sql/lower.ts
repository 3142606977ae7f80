import { expressionError } from '../expression/lexer.ts';
import type { Lookup } from '../lookup.ts';
import { suggestion } from '../suggest.ts';
import { ExpressionSizes } from './expression-size.ts';
import { lowerJoin } from './lower-join.ts';
import { SelectLowering, type LoweredStep } from './lower-select.ts';
import { Scope, type ScopeColumn } from './scope.ts';
import type { CommonTable, Join, Query, Relation } from './statement.ts';

/**
 * The steps of a statement over an input with these columns; null where they are not known yet, which
 * leaves names unchecked and `*` without columns. Throws SluiceError with `details: {at, expected}`.
 */
export function lowerQuery(
  query: Query,
  columns: readonly string[] | null,
  lookups: readonly Lookup[] = [],
): LoweredStep[] {
  return new Lowering(columns, lookups).query(query, []).steps;
}

/** Steps, and the columns that they leave; null where those are not known. */
interface Lowered {
  readonly steps: LoweredStep[];
  readonly columns: readonly string[] | null;
}

/** Common tables by name, the innermost last; a table sees those before it. */
type Tables = readonly { readonly table: CommonTable; readonly visible: Tables }[];

class Lowering {
  private readonly input: readonly string[] | null;
  private readonly lookups: readonly Lookup[];
  private readonly sizes = new ExpressionSizes();

  constructor(input: readonly string[] | null, lookups: readonly Lookup[]) {
    this.input = input;
    this.lookups = lookups;
  }

  query(query: Query, outer: Tables): Lowered {
    let tables = outer;
    for (const table of query.ctes) tables = [...tables, { table, visible: tables }];
    const { from, joins } = query;
    for (const join of joins) refuseOwnTable(join, tables);
    const { steps, columns, names } = this.relation(from, tables);
    const table = tableName(from);
    const scope = new Scope(scopeColumns(from, columns, names), table === null ? [] : [table]);
    // Once with all columns of the lookups, to see which of them are named, and once without the rest.
    const named = joins.length === 0 ? null : this.select(query, scope, () => true).named;
    const { done, columns: left } = this.select(
      query,
      scope,
      (of, name) => named?.(of, name) ?? true,
    );
    return { steps: [...steps, ...done], columns: left };
  }

  private select(
    query: Query,
    from: Scope,
    wanted: (table: string, column: string) => boolean,
  ): {
    readonly done: LoweredStep[];
    readonly columns: readonly string[] | null;
    readonly named: (table: string, column: string) => boolean;
  } {
    const done: LoweredStep[] = [];
    const scopes = [from];
    let scope = from;
    for (const join of query.joins) {
      const joined = lowerJoin(join, scope, this.lookups, this.sizes, wanted);
      done.push(...joined.steps);
      scope = joined.scope;
      scopes.push(scope);
    }
    const select = new SelectLowering(query, scope, this.sizes);
    done.push(...select.steps());
    const named = (table: string, column: string): boolean =>
      scopes.some((known) => known.isColumnNamed(table, column));
    return { done, columns: select.columns(), named };
  }

  private relation(
    relation: Relation,
    tables: Tables,
  ): Lowered & { readonly names: readonly string[] } {
    if (relation.kind === 'subquery') {
      return { ...this.query(relation.query, tables), names: relation.columns };
    }
    const folded = relation.name.toLowerCase();
    const known = tables.findLast(({ table }) => table.name.toLowerCase() === folded);
    if (known !== undefined) {
      const { table, visible } = known;
      const names = [...relation.columns, ...table.columns.slice(relation.columns.length)];
      return { ...this.query(table.query, visible), names };
    }
    if (folded === 'input') return { steps: [], columns: this.input, names: relation.columns };
    const others = ['input', ...tables.map(({ table }) => table.name)];
    const hint = suggestion(relation.name, others);
    const message = `There is no table ${JSON.stringify(relation.name)}.${hint}`;
    const expected = `${others.join(', ')}; the file of the job is called input`;
    throw expressionError(message, relation.at, expected);
  }
}

/** A join is with a file that comes along, not with the input or what was made of it. */
function refuseOwnTable({ lookup, at }: Join, tables: Tables): void {
  const names = ['input', ...tables.map(({ table }) => table.name)];
  if (!names.some((name) => name.toLowerCase() === lookup.toLowerCase())) return;
  const what = `A join with ${JSON.stringify(lookup)}, which is of this statement, is not supported yet`;
  const instead =
    'a lookup file: run what is to be joined as a job of its own, and give its result';
  throw expressionError(what, at, instead, 'plan-unsupported');
}

function tableName(relation: Relation): string | null {
  return relation.alias ?? (relation.kind === 'table' ? relation.name : null);
}

/** The columns of a relation, the first ones under the names that its alias gives. */
function scopeColumns(
  relation: Relation,
  columns: readonly string[] | null,
  names: readonly string[],
): ScopeColumn[] | null {
  if (columns === null) return null;
  if (names.length > columns.length) {
    const message = `The alias names ${String(names.length)} columns`;
    throw expressionError(message, relation.at, `at most ${String(columns.length)}`);
  }
  const table = tableName(relation);
  return columns.map((column, i) => ({ table, name: names[i] ?? column, column }));
}
