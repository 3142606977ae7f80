import type { Column } from '../protocol/job.ts';
import { suggestion } from './suggest.ts';

/** Position of a column: the exact name first, else ignoring case where that is unambiguous, as
 *  DuckDB does; else what is wrong. */
export function findColumn(
  columns: readonly Column[],
  name: string,
): { readonly position: number } | { readonly message: string; readonly expected: string } {
  const exact = columns.findIndex((column) => column.name === name);
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
