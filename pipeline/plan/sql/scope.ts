import type { Expression } from '../expression/ast.ts';
import { expressionError } from '../expression/lexer.ts';
import { suggestion } from '../suggest.ts';

/** A column as a SELECT may name it. */
export interface ScopeColumn {
  readonly table: string | null;
  readonly name: string;
  /** Its name in the steps. */
  readonly column: string;
}

export type ColumnNode = Extract<Expression, { kind: 'column' }>;

/** The columns that the FROM of a SELECT gives. Null where the input is not known: any name is one. */
export class Scope {
  readonly columns: readonly ScopeColumn[] | null;
  private readonly tables: ReadonlySet<string>;
  private readonly byName = new Map<string, ScopeColumn[]>();

  constructor(columns: readonly ScopeColumn[] | null, tables: readonly string[]) {
    this.columns = columns;
    this.tables = new Set(tables.map((table) => table.toLowerCase()));
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
    const wanted = table?.toLowerCase();
    const folded = (this.byName.get(name.toLowerCase()) ?? []).filter(
      (column) => wanted === undefined || column.table?.toLowerCase() === wanted,
    );
    const exact = folded.filter((column) => column.name === name);
    const [found, other] = exact.length > 0 ? exact : folded;
    if (found !== undefined && other !== undefined) {
      const names = [...new Set((exact.length > 0 ? exact : folded).map(fullName))].join(', ');
      const message = `The column name ${JSON.stringify(name)} is ambiguous`;
      throw expressionError(message, at, `one of ${names}`);
    }
    return found ?? null;
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
    return expressionError(message, at, `one of ${shown}${names.length > 20 ? ', ...' : ''}`);
  }

  /** The name of a column as its table has it, in whatever case it is written. */
  labelOf(node: ColumnNode): string | null {
    return this.find(node)?.name ?? null;
  }

  /** The columns of a table, or of all. */
  of(table: string | null, at: number): readonly ScopeColumn[] {
    this.checkTable(table, at);
    const columns = this.columns ?? [];
    return table === null ? columns : columns.filter((column) => isOf(column, table));
  }

  private checkTable(table: string | null, at: number): void {
    if (table === null || this.tables.has(table.toLowerCase())) return;
    const tables = [...this.tables].join(', ');
    const message = `There is no table ${JSON.stringify(table)} in FROM`;
    throw expressionError(message, at, tables === '' ? 'a column without a table' : tables);
  }
}

function isOf(column: ScopeColumn, table: string): boolean {
  return column.table?.toLowerCase() === table.toLowerCase();
}

function fullName({ table, name }: ScopeColumn): string {
  return table === null ? name : `${table}.${name}`;
}
