import type { ColumnType } from '../protocol/job.ts';
import { formatDate, formatDouble, formatTimestamp } from '../values/format.ts';

/** Canonical text of a value by its column's type. */
export function scalarText(value: number | bigint, type: ColumnType): string {
  switch (type) {
    case 'integer':
      return String(value);
    case 'number':
      return formatDouble(Number(value));
    case 'boolean':
      return Number(value) === 1 ? 'true' : 'false';
    case 'date':
      return formatDate(Number(value));
    case 'datetime':
      return formatTimestamp(value);
    case 'string':
      return String(value);
  }
}
