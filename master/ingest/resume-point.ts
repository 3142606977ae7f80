import type { JobFacts } from '../storage/job-record.ts';
import type { FromSession } from './ingest-messages.ts';

/** Where a resumable upload can be read on, kept beside the chunks that it counts as stored. */

type ChangedFacts = Partial<Pick<JobFacts, 'upload'>>;

/** Of an input that was just described: behind its header, when it needs no decoding. */
export function firstResumePoint(
  { upload }: JobFacts,
  { facts, textStart }: Extract<FromSession, { kind: 'described' }>,
): ChangedFacts {
  if (upload === undefined || textStart === null) return {};
  const { dataOffset: byteOffset, dataLine: line } = facts;
  const resumePoint = { rawOffset: textStart + byteOffset, byteOffset, line };
  return { upload: { ...upload, resumePoint } };
}

/** Behind a chunk that was just stored. */
export function nextResumePoint(
  { upload }: JobFacts,
  { chunk, endLine }: Extract<FromSession, { kind: 'stored' }>,
): ChangedFacts {
  const point = upload?.resumePoint ?? null;
  if (upload === undefined || point === null) return {};
  const byteOffset = chunk.byteOffset + chunk.bytes;
  const rawOffset = point.rawOffset + byteOffset - point.byteOffset;
  return { upload: { ...upload, resumePoint: { rawOffset, byteOffset, line: endLine } } };
}
