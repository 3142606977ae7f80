import type { Column } from '../protocol/job.ts';
import { suggestion } from './suggest.ts';

/** Position of a column: the exact name first, else ignoring case where that is unambiguous, as
 *  DuckDB does; else what is wrong. */
export function findColumn(
  columns: readonly Column[],
  name: string,
): { readonly position: number } | { readonly message: string; readonly expected: string } {
  const exact = exactPosition(columns, name);
  if (exact >= 0) return { position: exact };
  const folded = name.toLowerCase();
  const matches = columns.filter((column) => column.name.toLowerCase() === folded);
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return { position: columns.indexOf(match) };
  const names = columns.map((column) => column.name);
  if (match !== undefined) {
    const message = `The column name ${JSON.stringify(name)} is ambiguous`;
    return { message, expected: `one of ${matches.map((column) => column.name).join(', ')}` };
  }
  const message = `There is no column ${JSON.stringify(name)}.${suggestion(name, names)}`;
  const shown = names.slice(0, 20).join(', ');
  return { message, expected: `one of ${shown}${names.length > 20 ? ', ...' : ''}` };
}

/** Lists that are worth an index of their names. */
const INDEXED_MIN = 64;
const indexes = new WeakMap<readonly Column[], Map<string, number>>();

/** The place of a column of just this name, or -1. Names are each there once; a list may be changed
 *  between two calls. */
function exactPosition(columns: readonly Column[], name: string): number {
  if (columns.length < INDEXED_MIN) return columns.findIndex((column) => column.name === name);
  const index = indexes.get(columns) ?? new Map<string, number>();
  indexes.set(columns, index);
  const known = index.get(name);
  if (known !== undefined && columns[known]?.name === name) return known;
  const found = columns.findIndex((column) => column.name === name);
  if (found >= 0) columns.forEach(({ name: own }, position) => index.set(own, position));
  return found;
}
