import type { Reject } from '../protocol/job.ts';

export type RejectFormat = 'csv' | 'ndjson';

/** Columns of a file of rejects, in order. */
const COLUMNS = [
  'record',
  'line',
  'byteOffset',
  'column',
  'columnName',
  'step',
  'code',
  'message',
  'raw',
  'rawEncoding',
  'chunk',
  'wave',
  'derived',
] as const satisfies readonly (keyof Reject)[];

/** What stands before the first reject: the header record of CSV (RFC 4180, CRLF), else nothing. */
export function rejectHeader(format: RejectFormat): string {
  return format === 'csv' ? `${COLUMNS.join(',')}\r\n` : '';
}

/** A reject as it stands in a file, its line end included. */
export function rejectLine(reject: Reject, format: RejectFormat): string {
  if (format === 'ndjson') return `${JSON.stringify(reject)}\n`;
  return `${COLUMNS.map((column) => csvField(reject[column])).join(',')}\r\n`;
}

/** Null is an empty field. */
function csvField(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
