import { isDeepStrictEqual } from 'node:util';
import { ERROR_CODES, SluiceError } from '../pipeline/errors.ts';
import type { ErrorCode } from '../pipeline/errors.ts';
import type { JobRecord } from './storage/job-record.ts';
import type { SqliteJobStore } from './storage/sqlite-job-store.ts';

/** Of an input that did not come whole, for no fault of its own. */
const OF_TRANSFER: ReadonlySet<ErrorCode> = new Set([
  'input-truncated',
  'upload-expired',
  'conflict',
]);

/**
 * The job that an earlier request with the Idempotency-Key of `asked` has made. Null when there is none,
 * and when its input was cut off on the way: the key is free then, for the request that sends it again.
 * Errors: `input-changed` when that request asked for something else; `conflict` while another one sends the
 * input, since to answer with the job would say that the input has come.
 */
export function earlierJob(store: SqliteJobStore, asked: JobRecord): JobRecord | null {
  if (asked.idempotencyKey === null) return null;
  const earlier = store.jobByIdempotencyKey(asked.idempotencyKey);
  if (earlier === null) return null;
  const { id: jobId, facts, state } = earlier;
  const sizes = [facts.bytesTotal, asked.facts.bytesTotal];
  const isSame =
    facts.planText === asked.facts.planText &&
    earlier.name === asked.name &&
    isDeepStrictEqual(facts.lookupFiles, asked.facts.lookupFiles) &&
    (sizes.includes(null) || sizes[0] === sizes[1]);
  if (!isSame) {
    throw new SluiceError(
      'input-changed',
      `the Idempotency-Key belongs to job ${jobId}, which has another name, plan, lookup or size`,
      { details: { jobId } },
    );
  }
  if (isCutOff(earlier)) {
    store.releaseIdempotencyKey(jobId);
    return null;
  }
  const isResumable = facts.upload !== undefined;
  const isGoneOnWith = isResumable && asked.facts.upload !== undefined;
  if (state.input !== 'open' || state.status === 'cancelled' || isGoneOnWith) return earlier;
  const how = isResumable ? `goes on at /api/uploads/${jobId}` : 'is still being sent';
  throw new SluiceError(
    'conflict',
    `the input of job ${jobId}, which has this Idempotency-Key, ${how}`,
    {
      details: { jobId },
    },
  );
}

function isCutOff({ state: { status, input, error } }: JobRecord): boolean {
  if (status !== 'failed' || input !== 'failed' || error === null) return false;
  return OF_TRANSFER.has(error.code) || ERROR_CODES[error.code].kind === 'operational';
}
