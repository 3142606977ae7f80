import { LIMITS } from '../../pipeline/limits.ts';
import type { Reject } from '../../pipeline/protocol/index.ts';
import type { MasterService } from '../service.ts';

/** All rejects of a job as a file, page by page: memory does not grow with their number. */

export type RejectFormat = 'csv' | 'ndjson';

export const REJECT_TYPES: Readonly<Record<RejectFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const COLUMNS = [
  'record',
  'line',
  'byteOffset',
  'column',
  'columnName',
  'code',
  'message',
  'raw',
  'rawEncoding',
  'chunk',
] as const satisfies readonly (keyof Reject)[];

/** Texts of a page each. Fails as `service.rejects` does. */
export async function* rejectFile(
  service: MasterService,
  jobId: string,
  format: RejectFormat,
): AsyncGenerator<string> {
  if (format === 'csv') yield `${COLUMNS.join(',')}\r\n`;
  let offset = 0;
  for (;;) {
    const { rejects } = await service.rejects(jobId, offset, LIMITS.pageRecordsMax);
    if (rejects.length === 0) return;
    offset += rejects.length;
    yield rejects.map(format === 'csv' ? csvRecord : jsonRecord).join('');
  }
}

function jsonRecord(reject: Reject): string {
  return `${JSON.stringify(reject)}\n`;
}

function csvRecord(reject: Reject): string {
  return `${COLUMNS.map((name) => csvField(reject[name])).join(',')}\r\n`;
}

/** RFC 4180; null is an empty field. */
function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
