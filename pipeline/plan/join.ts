import { uniqueColumnNames } from '../dialect/column-names.ts';
import type { Column, ColumnType } from '../protocol/job.ts';
import { findColumn } from './columns.ts';
import { expressionError } from './expression/lexer.ts';
import { IssueList, pointerTo } from './issues.ts';
import { findByName, type Lookup } from './lookup.ts';
import type { ColumnFinder } from './rewrite.ts';
import type { PlanDocument } from './schema.ts';
import { queryJoins } from './sql/query-joins.ts';
import type { Join } from './sql/statement.ts';
import type { AddedColumn, JoinKey, PlanStep, Transformed } from './step.ts';

type JoinPlan = Extract<PlanStep, { kind: 'join' }>;

/** The names of the lookup files that a plan needs, each once, in order. */
export function lookupNames({ steps, sql }: Pick<PlanDocument, 'steps' | 'sql'>): string[] {
  const names = (steps ?? []).flatMap((step) => (step.kind === 'join' ? [step.lookup] : []));
  const joined = sql === null ? [] : queryJoins(sql.query).map(({ lookup }) => lookup);
  return [...new Set([...names, ...joined])];
}

/** Throws `plan-invalid`, with places, unless the files are there that the plan joins to. */
export function requireLookups(
  plan: PlanDocument,
  files: readonly { readonly name: string }[],
): void {
  const issues = new IssueList(plan.places);
  (plan.steps ?? []).forEach((step, index) => {
    if (step.kind !== 'join' || findByName(files, step.lookup) !== undefined) return;
    issues.add(`/steps/${String(index)}/join/with`, missing(step.lookup), expectedLookup(files));
  });
  const { sql } = plan;
  for (const join of sql === null ? [] : queryJoins(sql.query)) {
    if (findByName(files, join.lookup) !== undefined) continue;
    issues.addExpression('/sql', sql?.text ?? '', missingLookup(join, files));
  }
  issues.throwIfAny();
}

function missing(name: string): string {
  return `The lookup file ${JSON.stringify(name)} did not come with the input`;
}

/** The error of a statement that joins a file which is not there. */
export function missingLookup(
  { lookup, at }: Join,
  files: readonly { readonly name: string }[],
): Error {
  return expressionError(missing(lookup), at, expectedLookup(files));
}

/** What joins read beside their records. */
export interface JoinSources {
  readonly lookups: readonly Lookup[];
  /** Texts that stand for NULL, see `read` of a plan. */
  readonly nullstr: readonly string[];
}

/** Binds a join to its lookup: names, the types keys are compared in, the columns it adds. */
export function transformJoin(
  step: JoinPlan,
  columns: readonly Column[],
  path: string,
  finder: ColumnFinder,
  issues: IssueList,
  { lookups, nullstr }: JoinSources,
): Transformed {
  const lookup = findByName(lookups, step.lookup);
  if (lookup === undefined) {
    issues.add(`${path}/with`, missing(step.lookup), expectedLookup(lookups));
    return { steps: [], columns };
  }
  const { content } = lookup;
  const on = keysOf(step, content.columns, path, finder, issues);
  const adds = addedColumns(step, content.columns, columns, path, issues);
  return {
    steps: [{ kind: 'join', how: step.how, lookup: content, nullstr, on, adds }],
    columns: [...columns, ...adds.map(({ column }) => column)],
  };
}

export function expectedLookup(lookups: readonly { readonly name: string }[]): string {
  if (lookups.length === 0) return 'a part "lookup" before the file, or --lookup NAME=PATH';
  return `one of ${lookups.map(({ name }) => name).join(', ')}`;
}

function keysOf(
  step: JoinPlan,
  lookupColumns: readonly Column[],
  path: string,
  finder: ColumnFinder,
  issues: IssueList,
): JoinKey[] {
  return step.on.flatMap(({ column: name, lookupColumn }) => {
    const place = pointerTo(`${path}/on`, name);
    const column = finder.one(name, place);
    const other = columnOf(lookupColumns, lookupColumn, place, issues);
    if (column === undefined || other === undefined) return [];
    const type = comparedType(column.type, other.type);
    if (type === null) {
      const message =
        `The ${column.type} column ${JSON.stringify(column.name)} cannot be compared with ` +
        `the ${other.type} column ${JSON.stringify(other.name)} of the lookup`;
      issues.add(place, message, 'columns of one type: cast one before');
      return [];
    }
    return [{ column: column.name, lookupColumn: other.name, type }];
  });
}

/**
 * The type in which columns are compared, as in DuckDB: a text is cast to the type it meets, a
 * number meets a boolean as 0 or 1, a date is midnight. Null when there is none.
 */
export function comparedType(left: ColumnType, right: ColumnType): ColumnType | null {
  if (left === right) return left;
  if (left === 'string') return right;
  if (right === 'string') return left;
  const isOneOf = (...types: ColumnType[]): boolean =>
    types.includes(left) && types.includes(right);
  if (isOneOf('date', 'datetime')) return 'datetime';
  if (isOneOf('boolean', 'integer')) return 'integer';
  return isOneOf('boolean', 'integer', 'number') ? 'number' : null;
}

/** A column whose name is taken gets `_1`, `_2`, ... behind it. */
function addedColumns(
  step: JoinPlan,
  lookupColumns: readonly Column[],
  columns: readonly Column[],
  path: string,
  issues: IssueList,
): AddedColumn[] {
  const place = `${path}/select`;
  if (step.how === 'semi' || step.how === 'anti') {
    if (step.select !== null) {
      issues.add(place, `A join that is ${step.how} adds no columns`, 'no select');
    }
    return [];
  }
  const keys = new Set(step.on.map(({ lookupColumn }) => lookupColumn.toLowerCase()));
  const chosen =
    step.select === null
      ? lookupColumns.filter(({ name }) => !keys.has(name.toLowerCase()))
      : step.select.flatMap((name, i) => {
          return columnOf(lookupColumns, name, pointerTo(place, i), issues) ?? [];
        });
  const names = uniqueColumnNames([...columns, ...chosen].map(({ name }) => name));
  return chosen.map(({ name, type }, i) => ({
    lookupColumn: name,
    column: { name: names[columns.length + i]!, type },
  }));
}

function columnOf(
  columns: readonly Column[],
  name: string,
  path: string,
  issues: IssueList,
): Column | undefined {
  const found = findColumn(columns, name);
  if ('position' in found) return columns[found.position];
  issues.add(path, `In the lookup: ${found.message}`, found.expected);
  return undefined;
}
