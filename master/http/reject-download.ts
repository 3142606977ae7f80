import { LIMITS } from '../../pipeline/limits.ts';
import type { Reject } from '../../pipeline/protocol/index.ts';
import { rejectHeader, rejectLine } from '../../pipeline/result/reject-lines.ts';
import type { RejectFormat } from '../../pipeline/result/reject-lines.ts';
import { inputHeader, inputRecord } from '../../pipeline/result/rejects-as-input.ts';
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
  for await (const rejects of rejectPages(service, jobId)) {
    yield rejects.map((reject) => rejectLine(reject, format)).join('');
  }
}

/** The records that were rejected as they stood, behind the input's header, in its dialect. */
export async function* rejectsAsInput(
  service: MasterService,
  jobId: string,
): AsyncGenerator<Buffer> {
  const job = service.getJob(jobId);
  yield Buffer.from(inputHeader(job));
  for await (const rejects of rejectPages(service, jobId)) {
    yield Buffer.concat(rejects.flatMap((reject) => inputRecord(reject, job) ?? []));
  }
}

async function* rejectPages(service: MasterService, jobId: string): AsyncGenerator<Reject[]> {
  for (let offset = 0; ;) {
    const { rejects } = await service.rejects(jobId, offset, LIMITS.pageRecordsMax);
    if (rejects.length === 0) return;
    offset += rejects.length;
    yield rejects;
  }
}
