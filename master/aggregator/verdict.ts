import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';

/** Whether a finished job kept within the plan's budget of rejects; the error when it did not. */
export function rejectVerdict(
  { rejected, recordsIn }: ChunkStatistics,
  limits: { readonly maxRejects: number | null; readonly maxRejectRatio: number | null },
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
