import { accountEnd, waveAnswered, waveEnd } from './waves.ts';
import type { JobState } from './job-state.ts';

/** What became of the records that came to one wave: `handedOn` = its recordsIn + `failed`. */
export interface WaveAccount {
  /** Records that the wave before put out; of the first wave those that were read. */
  readonly handedOn: number;
  /** Records that came to those of its tasks that failed for good; 0 while tasks are open. Of a chunk
   *  of the input nobody knows its records: none of it has come. */
  readonly failed: number;
}

/**
 * The accounts of the waves planned so far. `comparesKeys` says of each wave of the plan whether its
 * tasks look at keys only: they take no records, which go to the wave behind them.
 */
export function waveAccounts(
  state: JobState,
  comparesKeys: readonly boolean[],
): readonly WaveAccount[] {
  let handedOn = state.waves[0]?.totals.recordsIn ?? 0;
  return state.waves.map(({ totals }, at) => {
    if (comparesKeys[at] === true) return { handedOn: 0, failed: 0 };
    // Of no records there may come one group.
    if (handedOn === 0) handedOn = totals.recordsIn;
    const account = { handedOn, failed: hasFailed(state, at) ? handedOn - totals.recordsIn : 0 };
    handedOn = totals.outputRecords;
    return account;
  });
}

/**
 * Records of the input that came to tasks of later waves which failed: what the job's totals lack.
 * Groups and joined records that were lost so are in the accounts of their waves alone.
 */
export function failedRecords(state: JobState, comparesKeys: readonly boolean[]): number {
  return waveAccounts(state, comparesKeys)
    .slice(0, accountEnd(state))
    .reduce((sum, { failed }) => sum + failed, 0);
}

function hasFailed(state: JobState, wave: number): boolean {
  if (wave === 0) return false;
  const [start, end] = [state.waves[wave]?.start ?? 0, waveEnd(state, wave)];
  const isAnswered = waveAnswered(state, wave) === end - start;
  return isAnswered && state.failed.some((index) => index >= start && index < end);
}
