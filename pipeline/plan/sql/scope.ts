import type { Expression } from '../expression/ast.ts';
import { impureFunction } from '../expression/impure.ts';
import { expressionError } from '../expression/lexer.ts';
import { suggestion } from '../suggest.ts';

/** A column as a SELECT may name it. */
export interface ScopeColumn {
  readonly table: string | null;
  readonly name: string;
  /** Its name in the steps. */
  readonly column: string;
  /** Whether it is meant only with its table before it, as a column of USING. */
  readonly isQualified?: boolean;
}

export type ColumnNode = Extract<Expression, { kind: 'column' }>;

/** The columns that the FROM of a SELECT gives. Null where the input is not known: any name is one. */
export class Scope {
  readonly columns: readonly ScopeColumn[] | null;
  readonly tables: readonly string[];
  /** All columns that the steps have here, named or not. */
  readonly present: readonly string[];
  private readonly named = new Set<ScopeColumn>();
  private readonly byName = new Map<string, ScopeColumn[]>();

  constructor(
    columns: readonly ScopeColumn[] | null,
    tables: readonly string[],
    present: readonly string[] = (columns ?? []).map(({ column }) => column),
  ) {
    this.columns = columns;
    this.tables = tables;
    this.present = present;
    for (const column of columns ?? []) {
      const folded = column.name.toLowerCase();
      const known = this.byName.get(folded);
      if (known === undefined) this.byName.set(folded, [column]);
      else known.push(column);
    }
  }

  /** The column that is meant; null when there is none. Throws where several may be meant. */
  find({ name, table, at }: ColumnNode): ScopeColumn | null {
    this.checkTable(table ?? null, at);
    if (this.columns === null) return { table: table ?? null, name, column: name };
    const folded = (this.byName.get(name.toLowerCase()) ?? []).filter((column) =>
      table === undefined ? column.isQualified !== true : isOf(column, table),
    );
    const exact = folded.filter((column) => column.name === name);
    const [found, other] = exact.length > 0 ? exact : folded;
    if (found !== undefined && other !== undefined && found !== other) {
      const names = [...new Set((exact.length > 0 ? exact : folded).map(fullName))].join(', ');
      const message = `The column name ${JSON.stringify(name)} is ambiguous`;
      throw expressionError(message, at, `one of ${names}`);
    }
    if (found !== undefined) this.named.add(found);
    return found ?? null;
  }

  /** Whether a column of a table was found or listed. */
  isColumnNamed(table: string, name: string): boolean {
    const columns = this.byName.get(name.toLowerCase()) ?? [];
    return columns.some(
      (column) => column.name === name && isOf(column, table) && this.named.has(column),
    );
  }

  hasTable(name: string): boolean {
    const folded = name.toLowerCase();
    return this.tables.some((table) => table.toLowerCase() === folded);
  }

  /** The error for a name that `find` did not find. `others` are names that would do as well. */
  unknown({ name, table, at }: ColumnNode, others: readonly string[]): Error {
    const columns = (this.columns ?? []).filter(
      (column) => table === undefined || isOf(column, table),
    );
    const names = [...columns.map((column) => column.name), ...others];
    const whose = table === undefined ? '' : ` in ${table}`;
    const hint = suggestion(name, names);
    const message = `There is no column ${JSON.stringify(name)}${whose}.${hint}`;
    const shown = names.slice(0, 20).join(', ');
    const expected = `one of ${shown}${names.length > 20 ? ', ...' : ''}`;
    const impure = table === undefined ? impureFunction(name, at) : null;
    return impure ?? expressionError(message, at, expected);
  }

  /** The name of a column as its table has it, in whatever case it is written. */
  labelOf(node: ColumnNode): string | null {
    return this.find(node)?.name ?? null;
  }

  /** The columns of a table, or of all. */
  of(table: string | null, at: number): readonly ScopeColumn[] {
    this.checkTable(table, at);
    const columns = (this.columns ?? []).filter((column) =>
      table === null ? column.isQualified !== true : isOf(column, table),
    );
    for (const column of columns) this.named.add(column);
    return columns;
  }

  private checkTable(table: string | null, at: number): void {
    if (table === null || this.hasTable(table)) return;
    const message = `There is no table ${JSON.stringify(table)} in FROM`;
    const expected = this.tables.length === 0 ? 'a column without a table' : this.tables.join(', ');
    throw expressionError(message, at, expected);
  }
}

function isOf(column: ScopeColumn, table: string): boolean {
  return column.table?.toLowerCase() === table.toLowerCase();
}

function fullName({ table, name }: ScopeColumn): string {
  return table === null ? name : `${table}.${name}`;
}
