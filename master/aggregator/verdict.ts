import { SluiceError } from '../../pipeline/errors.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';

/** The plan's `limits`. */
export interface RejectBudget {
  readonly maxRejects: number | null;
  readonly maxRejectRatio: number | null;
}

export const NO_BUDGET: RejectBudget = { maxRejects: null, maxRejectRatio: null };

/**
 * Throws `rejects-over-budget` when the chunks merged before `chunk` are over the budget: the job is
 * stopped then. `recordsIn` is of the input, `rejected` of all waves. The ratio counts once
 * `budgetRecordsMin` records were read; the last chunk is left to the verdict at the end.
 */
export function refuseOverBudget(
  merged: { readonly rejected: number; readonly recordsIn: number },
  chunk: { readonly index: number },
  budget: RejectBudget,
): void {
  const isEnough = merged.recordsIn >= LIMITS.budgetRecordsMin;
  const maxRejectRatio = isEnough ? budget.maxRejectRatio : null;
  const verdict = rejectVerdict(merged, { ...budget, maxRejectRatio });
  if (verdict === null) return;
  const message = `Stopped before the end: ${verdict.message}`;
  throw new SluiceError('rejects-over-budget', message, {
    details: { ...verdict.details, chunks: chunk.index },
  });
}

/** Whether a finished job kept within the plan's budget of rejects; the error when it did not. */
export function rejectVerdict(
  { rejected, recordsIn }: Pick<ChunkStatistics, 'rejected' | 'recordsIn'>,
  limits: RejectBudget,
): ErrorDocument | null {
  const { maxRejects, maxRejectRatio } = limits;
  const ratio = recordsIn === 0 ? 0 : rejected / recordsIn;
  const overCount = maxRejects !== null && rejected > maxRejects;
  const overRatio = maxRejectRatio !== null && ratio > maxRejectRatio;
  if (!overCount && !overRatio) return null;
  const allowed = overCount
    ? `max_rejects: ${maxRejects}`
    : `max_reject_ratio: ${maxRejectRatio ?? 0} (${(ratio * 100).toFixed(2)} % were rejected)`;
  return {
    code: 'rejects-over-budget',
    message: `${rejected} of ${recordsIn} records were rejected, more than the plan allows: ${allowed}`,
    details: { rejected, recordsIn, maxRejects, maxRejectRatio },
  };
}

/** Failed chunks that are asked why. */
const ASKED_MAX = 100;

/** What a job says whose input is damaged: a retry alone does not repair it. Null for all others. */
export function inputVerdict(
  store: Pick<SqliteJobStore, 'chunk'>,
  { id, state: { failed } }: Pick<ActiveJob, 'id' | 'state'>,
): ErrorDocument | null {
  const errors = failed.slice(0, ASKED_MAX).map((index) => store.chunk(id, index)?.error ?? null);
  const damage = errors.find((error) => error?.code === 'input-damaged') ?? null;
  if (damage === null) return null;
  return { ...damage, details: { ...damage.details, failedChunks: failed.length } };
}
