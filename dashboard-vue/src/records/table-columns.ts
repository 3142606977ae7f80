import type { Column } from '../../../pipeline/protocol/index.ts';
import { columnWidth } from './table-geometry.ts';

/** Columns of a table of records, as wide as the records given want them. */
export function tableColumns(
  columns: readonly Column[],
  records: readonly (readonly (string | null)[])[],
) {
  const few = records.slice(0, 60);
  return columns.map((column, index) => ({
    name: column.name,
    note: column.type === 'string' ? 'text' : column.type,
    width: columnWidth(
      column.name,
      few.map((record) => record[index]),
    ),
    isNumber: column.type === 'number' || column.type === 'integer',
  }));
}
