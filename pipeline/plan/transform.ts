import type { Column, ColumnType } from '../protocol/job.ts';
import { findColumn } from './columns.ts';
import { bindCondition } from './expression/bind.ts';
import { pointerTo, type IssueList } from './issues.ts';
import type { Measure, Step } from './schema.ts';

/** A step against the columns it gets: names made exact, and the columns it leaves. */
export interface Transformed {
  readonly step: Step;
  readonly columns: readonly Column[];
}

/** Checks a step and resolves its names. Faults go to `issues`, under `path`. */
export function transform(
  step: Step,
  columns: readonly Column[],
  path: string,
  issues: IssueList,
): Transformed {
  const resolver = new Resolver(columns, issues);
  switch (step.kind) {
    case 'conform':
      return { step, columns };
    case 'select': {
      const kept = resolver.list(step.columns, path);
      return { step: { kind: 'select', columns: names(kept) }, columns: kept };
    }
    case 'drop': {
      const dropped = resolver.list(step.columns, path);
      const kept = columns.filter((column) => !dropped.includes(column));
      if (kept.length === 0) issues.add(path, 'No column is left', 'at least one column');
      return { step: { kind: 'drop', columns: names(dropped) }, columns: kept };
    }
    case 'rename':
      return transformRename(step, columns, path, resolver, issues);
    case 'filter': {
      try {
        bindCondition(step.expression.ast, columns);
      } catch (thrown) {
        issues.addExpression(path, step.expression.text, thrown);
      }
      return { step, columns };
    }
    case 'aggregate':
      return transformAggregate(step, path, resolver, issues);
    case 'profile': {
      const all = step.columns.length === 0;
      const profiled = all ? columns : resolver.list(step.columns, path);
      return { step: { kind: 'profile', columns: names(profiled) }, columns };
    }
  }
}

/** Looks names up; a name that is not there is reported and left out. */
class Resolver {
  private readonly columns: readonly Column[];
  private readonly issues: IssueList;

  constructor(columns: readonly Column[], issues: IssueList) {
    this.columns = columns;
    this.issues = issues;
  }

  one(name: string, path: string): Column | undefined {
    const found = findColumn(this.columns, name);
    if ('position' in found) return this.columns[found.position];
    this.issues.add(path, found.message, found.expected);
    return undefined;
  }

  /** Each at most once. */
  list(wanted: readonly string[], path: string): Column[] {
    const found: Column[] = [];
    wanted.forEach((name, index) => {
      const place = pointerTo(path, index);
      const column = this.one(name, place);
      if (column === undefined) return;
      if (found.includes(column)) {
        this.issues.add(
          place,
          `The column ${JSON.stringify(name)} is named twice`,
          'each name once',
        );
      } else {
        found.push(column);
      }
    });
    return found;
  }
}

function transformRename(
  step: Extract<Step, { kind: 'rename' }>,
  columns: readonly Column[],
  path: string,
  resolver: Resolver,
  issues: IssueList,
): Transformed {
  const newNames = new Map<Column, string>();
  const pairs: { from: string; to: string }[] = [];
  for (const { from, to } of step.names) {
    const column = resolver.one(from, pointerTo(path, from));
    if (column === undefined) continue;
    newNames.set(column, to);
    pairs.push({ from: column.name, to });
  }
  const renamed = columns.map((column) => ({
    name: newNames.get(column) ?? column.name,
    type: column.type,
  }));
  refuseDuplicates(renamed, path, issues);
  return { step: { kind: 'rename', names: pairs }, columns: renamed };
}

function transformAggregate(
  step: Extract<Step, { kind: 'aggregate' }>,
  path: string,
  resolver: Resolver,
  issues: IssueList,
): Transformed {
  const keys = resolver.list(step.by, `${path}/by`);
  const measures: Measure[] = [];
  const columns: Column[] = [...keys];
  for (const measure of step.measures) {
    const place = pointerTo(`${path}/measures`, measure.name);
    const column = measure.column === null ? null : resolver.one(measure.column, place);
    if (column === undefined) continue;
    const type = measureType(measure, column, place, issues);
    columns.push({ name: measure.name, type });
    measures.push({ ...measure, column: column?.name ?? null });
  }
  refuseDuplicates(columns, path, issues);
  return { step: { kind: 'aggregate', by: names(keys), measures }, columns };
}

/** DuckDB's result types; `null` is count(*). */
function measureType(
  measure: Measure,
  column: Column | null,
  path: string,
  issues: IssueList,
): ColumnType {
  const type = column?.type ?? 'integer';
  switch (measure.function) {
    case 'count':
      return 'integer';
    case 'min':
    case 'max':
      return type;
    case 'sum':
    case 'avg': {
      if (type !== 'integer' && type !== 'number' && type !== 'string') {
        const message = `${measure.function} of the ${type} column ${JSON.stringify(column?.name)}`;
        issues.add(path, message, 'a column of numbers');
      }
      return measure.function === 'sum' && type === 'integer' ? 'integer' : 'number';
    }
  }
}

function refuseDuplicates(columns: readonly Column[], path: string, issues: IssueList): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) {
      issues.add(path, `Two columns are named ${JSON.stringify(name)}`, 'each name once');
    }
    seen.add(name);
  }
}

function names(columns: readonly Column[]): string[] {
  return columns.map((column) => column.name);
}
