import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import { isFinal } from '../coordination/job-state.ts';
import { jobTotals } from '../coordination/waves.ts';
import type { JobState } from '../coordination/job-state.ts';

/**
 * Whether every record is accounted for: in each chunk, and, when the job is at its end, from wave
 * to wave, and in total. `each` are the chunks' own statistics.
 */
export function isAccountedFor(
  state: JobState,
  waveCount: number,
  each: readonly ChunkStatistics[],
): boolean {
  if (!each.every(isBalanced)) return false;
  // While waves are to come, records are on their way between them.
  if (waveCount === 1 || !isFinal(state)) return true;
  let handedOn = state.waves[0]?.totals.outputRecords ?? 0;
  for (const [at, { totals }] of state.waves.entries()) {
    // Tasks that only look at keys take no records: these go to the wave behind them.
    const isLookingOn = totals.recordsIn === 0 && at < waveCount - 1;
    if (at === 0 || isLookingOn) continue;
    if (totals.recordsIn !== handedOn) return false;
    handedOn = totals.outputRecords;
  }
  return isBalanced(jobTotals(state, waveCount));
}

/** Whether every record that came to a chunk is accounted for. */
export function isBalanced(one: ChunkStatistics): boolean {
  const out = one.recordsOut + one.rejected + one.filtered + one.deduplicated + one.aggregated;
  return one.recordsIn === out;
}
