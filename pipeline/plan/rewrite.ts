import type { Column, ColumnType } from '../protocol/job.ts';
import type { Expression, Literal } from './expression/ast.ts';
import { pointerTo } from './issues.ts';
import type { NamedText, PlanStep } from './step.ts';

/** A column to compute, in the language of expressions. */
export interface Assignment {
  readonly name: string;
  readonly text: string;
  readonly ast: Expression;
  /** Type of the column; that of the expression when null. */
  readonly type: ColumnType | null;
  /** Where the plan says so, as a JSON pointer. */
  readonly path: string;
}

/** Finds columns by their names; faults go to the issues of the plan. */
export interface ColumnFinder {
  one(name: string, path: string): Column | undefined;
  /** Each at most once. */
  list(names: readonly string[], path: string): Column[];
  /** All columns when no name is given. */
  listOrAll(names: readonly string[], path: string): readonly Column[];
}

/** Steps that are shorthands of `derive`. They work on the cells' texts, so that a column keeps its
 *  type and a cell that does not change keeps its text. */
export type Shorthand = Extract<
  PlanStep,
  {
    kind:
      | 'trim'
      | 'case'
      | 'replace'
      | 'fill_null'
      | 'map_values'
      | 'cast'
      | 'split'
      | 'merge'
      | 'parse_date'
      | 'hash'
      | 'mask';
  }
>;

/** The columns that a shorthand computes, in order; each may read those before it. */
export function rewrite(step: Shorthand, columns: ColumnFinder, path: string): Assignment[] {
  switch (step.kind) {
    case 'trim':
      return perCell(step, columns.listOrAll(step.columns, path), path, 'trim');
    case 'case': {
      const found = columns.listOrAll(step.columns, `${path}/columns`);
      const texts = found.filter(({ type }) => type === 'string');
      const fn = step.to === 'title' ? 'title case' : step.to;
      return perCell(step, step.columns.length === 0 ? texts : found, path, fn);
    }
    case 'replace': {
      const found = columns.listOrAll(step.columns, `${path}/columns`);
      const args = [text(step.find), text(step.with)];
      if (!step.isRegex) return perCell(step, found, path, 'replace', args);
      return perCell(step, found, path, 'regexp_replace', [...args, text('g')]);
    }
    case 'hash': {
      const found = columns.list(step.columns, `${path}/columns`).map(asText);
      return perCell(step, found, path, step.algorithm);
    }
    case 'mask': {
      const found = columns.list(step.columns, `${path}/columns`).map(asText);
      return perCell(step, found, path, 'mask', [integer(step.keep)]);
    }
    case 'fill_null':
      return step.values.flatMap((value) => fillNull(value, columns, path));
    case 'map_values':
      return step.maps.flatMap(({ name, values }) => mapValues(name, values, columns, path));
    case 'cast':
      return step.types.flatMap(({ name, type }) => castTo(name, type, columns, path));
    case 'parse_date': {
      const column = columns.one(step.column, `${path}/column`);
      if (column === undefined) return [];
      const ast = call('strptime', [cell(column.name), text(step.format)]);
      return [assignment(step.kind, column.name, ast, 'datetime', path)];
    }
    case 'merge': {
      const cells = columns.list(step.columns, `${path}/columns`).map(({ name }) => cell(name));
      const ast = call('concat_ws', [text(step.with), ...cells]);
      return [assignment(step.kind, step.into, ast, 'string', path)];
    }
    case 'split':
      return split(step, columns, path);
  }
}

/** One function over the text of each column's cells. */
function perCell(
  step: Shorthand,
  columns: readonly Column[],
  path: string,
  fn: string,
  args: readonly Expression[] = [],
): Assignment[] {
  return columns.map(({ name, type }) =>
    assignment(step.kind, name, call(fn, [cell(name), ...args]), type, path),
  );
}

/** A literal of the column's type must be one; the cell's text is taken where there is one. */
function fillNull(value: NamedText, columns: ColumnFinder, path: string): Assignment[] {
  const place = pointerTo(path, value.name);
  const column = columns.one(value.name, place);
  if (column === undefined) return [];
  const ast = call('coalesce', [cell(column.name), checked(value.text, column.type)]);
  return [assignment('fill_null', column.name, ast, column.type, place)];
}

/** Values that are not in the map stay. A column of another type becomes text. */
function mapValues(
  name: string,
  values: readonly NamedText[],
  columns: ColumnFinder,
  path: string,
): Assignment[] {
  const place = pointerTo(path, name);
  const column = columns.one(name, place);
  if (column === undefined || values.length === 0) return [];
  const branches = values.map((value) => ({ when: text(value.name), then: text(value.text) }));
  const own = cell(column.name);
  const ast: Expression = { kind: 'case', operand: own, branches, otherwise: own, at: 0 };
  return [assignment('map_values', column.name, ast, 'string', place)];
}

function castTo(name: string, type: ColumnType, columns: ColumnFinder, path: string): Assignment[] {
  const place = pointerTo(path, name);
  const column = columns.one(name, place);
  if (column === undefined || column.type === type) return [];
  const operand: Expression =
    type === 'string' ? cell(column.name) : { kind: 'column', name: column.name, at: 0 };
  const ast: Expression = { kind: 'cast', operand, type, isTry: false, at: 0 };
  return [assignment('cast', column.name, ast, type, place)];
}

/** The last part takes what is left, so that nothing is lost; parts that are missing are NULL. */
function split(
  step: Extract<Shorthand, { kind: 'split' }>,
  columns: ColumnFinder,
  path: string,
): Assignment[] {
  const column = columns.one(step.column, `${path}/column`);
  if (column === undefined) return [];
  const last = step.into.length;
  const own = cell(column.name);
  const part = (position: number): Expression => {
    const args = [own, text(step.by), integer(position)];
    if (position === last) return call('split rest', args);
    const rest = call('split rest', args);
    const isThere: Expression = { kind: 'is-null', operand: rest, at: 0 };
    const branches = [{ when: isThere, then: { ...text(''), type: 'null' as const } }];
    return { kind: 'case', operand: null, branches, otherwise: call('split_part', args), at: 0 };
  };
  const parts = step.into.map((name, i) => ({ name, ast: part(i + 1) }));
  // A part may take the column's own name: the others read it first.
  const ordered = [...parts].sort(
    (a, b) => Number(a.name === column.name) - Number(b.name === column.name),
  );
  return ordered.map(({ name, ast }) => assignment(step.kind, name, ast, 'string', path));
}

function assignment(
  kind: Shorthand['kind'],
  name: string,
  ast: Expression,
  type: ColumnType | null,
  path: string,
): Assignment {
  return { name, text: kind, ast, type, path };
}

function asText(column: Column): Column {
  return { name: column.name, type: 'string' };
}

function cell(name: string): Expression {
  return { kind: 'cell', name, at: 0 };
}

function call(name: string, args: readonly Expression[]): Expression {
  return { kind: 'call', name, args, at: 0 };
}

function text(value: string): Literal {
  return { kind: 'literal', type: 'string', text: value, at: 0 };
}

function integer(value: number): Literal {
  return { kind: 'literal', type: 'integer', text: String(value), at: 0 };
}

/** A literal of a type, as text: binding finds a value that does not cast. */
function checked(value: string, type: ColumnType): Expression {
  if (type === 'string') return text(value);
  const none: Literal = { kind: 'literal', type: 'null', text: '', at: 0 };
  const typed: Expression = { kind: 'cast', operand: none, type, isTry: false, at: 0 };
  const operand = call('coalesce', [typed, text(value)]);
  return { kind: 'cast', operand, type: 'string', isTry: false, at: 0 };
}
