import { LIMITS } from '../../pipeline/limits.ts';
import { rejectHeader, rejectLine } from '../../pipeline/result/reject-lines.ts';
import type { RejectFormat } from '../../pipeline/result/reject-lines.ts';
import type { MasterService } from '../service.ts';

export const REJECT_TYPES: Readonly<Record<RejectFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

/**
 * All rejects of a job as a file, in texts of a page each: memory does not grow with their number.
 * Fails as `service.rejects` does.
 */
export async function* rejectFile(
  service: MasterService,
  jobId: string,
  format: RejectFormat,
): AsyncGenerator<string> {
  yield rejectHeader(format);
  for (let offset = 0; ;) {
    const { rejects } = await service.rejects(jobId, offset, LIMITS.pageRecordsMax);
    if (rejects.length === 0) return;
    offset += rejects.length;
    yield rejects.map((reject) => rejectLine(reject, format)).join('');
  }
}
