import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import { isCompleted } from '../coordination/job-state.ts';
import { jobTotals } from '../coordination/waves.ts';
import { failedRecords, waveAccounts } from '../coordination/wave-accounts.ts';
import type { JobState } from '../coordination/job-state.ts';

/**
 * Whether every record is accounted for: in each chunk, and, when the job is completed, from wave to
 * wave, and in total. `each` are the chunks' own statistics; `comparesKeys` is of each wave.
 */
export function isAccountedFor(
  state: JobState,
  comparesKeys: readonly boolean[],
  each: readonly ChunkStatistics[],
): boolean {
  if (!each.every(isBalanced)) return false;
  // While waves are to come, or will never come, records are on their way between them.
  if (comparesKeys.length === 1 || !isCompleted(state)) return true;
  const accounts = waveAccounts(state, comparesKeys);
  const isHandedOn = accounts.every(({ handedOn, failed }, at) => {
    const recordsIn = state.waves[at]?.totals.recordsIn ?? 0;
    return failed >= 0 && recordsIn + failed === handedOn;
  });
  const totals = jobTotals(state, comparesKeys.length);
  const failed = failedRecords(state, comparesKeys);
  return isHandedOn && isBalanced({ ...totals, recordsIn: totals.recordsIn - failed });
}

/** Whether every record that came to a chunk is accounted for. */
export function isBalanced(one: ChunkStatistics): boolean {
  const out = one.recordsOut + one.rejected + one.filtered + one.deduplicated + one.aggregated;
  return one.recordsIn === out;
}
