import { invariant } from '../../pipeline/errors.ts';
import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import type { JobState, WaveState } from './job-state.ts';
import { addStatistics, ZERO_STATISTICS } from './job-state.ts';
import { rangesBelow, rangesNextMissing } from './range-set.ts';

/** The wave that a chunk belongs to, from 0. */
export function waveOf({ waves }: JobState, index: number): number {
  return waves.findLastIndex(({ start }) => start <= index);
}

/** Index after the wave's last chunk so far. */
export function waveEnd({ waves, chunkCount }: JobState, wave: number): number {
  return waves[wave + 1]?.start ?? chunkCount;
}

/** Chunks before this one may be published: waves run one after another. */
export function openEnd(state: JobState): number {
  const firstOpen = rangesNextMissing(state.answered, state.watermark);
  return waveEnd(state, waveOf(state, firstOpen));
}

/** Counts a chunk's answer into its wave, or takes it out again. */
export function withAnswer(
  state: JobState,
  index: number,
  answer: { readonly reused: boolean; readonly statistics: ChunkStatistics },
  sign: 1 | -1 = 1,
): JobState {
  const at = waveOf(state, index);
  const counted = (wave: WaveState): WaveState => ({
    ...wave,
    doneCount: wave.doneCount + (answer.reused ? 0 : sign),
    reusedCount: wave.reusedCount + (answer.reused ? sign : 0),
    totals: addStatistics(wave.totals, answer.statistics, sign),
  });
  return { ...state, waves: state.waves.map((wave, i) => (i === at ? counted(wave) : wave)) };
}

/** The wave of the plan that the job's wave `at` is; of one that gathers, the one that it gathers for. */
export function plannedWave({ waves }: JobState, at: number): number {
  return waves.slice(0, at).filter((wave) => !isGathering(wave)).length;
}

/** What is said of each wave of the plan, of each wave of the job: so far, and as far as is known. */
export function byWave<T>(state: JobState, planned: readonly T[]): readonly T[] {
  const known = state.waves.flatMap((_, at) => {
    const wave = plannedWave(state, at);
    return planned.slice(wave, wave + 1);
  });
  return [...known, ...planned.slice(plannedWave(state, state.waves.length))];
}

function isGathering({ gathers }: WaveState): boolean {
  return gathers === true;
}

/** The job as it was when `wave` was the last one planned: the chunks of later ones are gone. */
export function withoutWavesAfter(state: JobState, wave: number): JobState {
  const end = waveEnd(state, wave);
  if (end === state.chunkCount && wave === state.waves.length - 1) return state;
  const isKept = ({ index }: { readonly index: number }): boolean => index < end;
  return {
    ...state,
    waves: state.waves.slice(0, wave + 1),
    waveCount: state.waveCount - state.waves.slice(wave + 1).filter(isGathering).length,
    chunkCount: end,
    planning: false,
    cursor: Math.min(state.cursor, end),
    running: state.running.filter(isKept),
    waiting: state.waiting.filter(isKept),
    answered: rangesBelow(state.answered, end),
    failed: state.failed.filter((index) => index < end),
    watermark: Math.min(state.watermark, end),
    merging: state.merging && state.watermark < end,
  };
}

/** Chunks of one wave that need no work any more. */
export function waveAnswered(state: JobState, wave: number): number {
  const { doneCount = 0, reusedCount = 0 } = state.waves[wave] ?? {};
  const failed = state.failed.filter((index) => waveOf(state, index) === wave);
  return doneCount + reusedCount + failed.length;
}

/** Chunks that were done for this job, in all waves. */
export function doneCount({ waves }: JobState): number {
  return waves.reduce((sum, wave) => sum + wave.doneCount, 0);
}

/** Chunks whose results were found, in all waves. */
export function reusedCount({ waves }: JobState): number {
  return waves.reduce((sum, wave) => sum + wave.reusedCount, 0);
}

/** Chunks that need no work any more, in all waves. */
export function answeredCount(state: JobState): number {
  return doneCount(state) + reusedCount(state) + state.failed.length;
}

/**
 * The account of the job: records come in by the first wave and out by the last one, of
 * `waveCount`, and may be rejected, filtered, deduplicated or aggregated by any. In between they are
 * on their way: the account balances when the last wave is done, with what tasks that failed did not
 * take (`failedRecords`). Checks count the records of all waves.
 */
export function jobTotals(state: JobState, waveCount: number): ChunkStatistics {
  const [first] = state.waves;
  invariant(first !== undefined, 'a job has a first wave');
  const end = accountEnd(state);
  const sums = sumOf(state.waves.slice(0, end));
  const { recordsIn, lines, bytesIn } = first.totals;
  const last = state.waves[waveCount - 1]?.totals ?? ZERO_STATISTICS;
  const { outputRecords, outputBytes } = last;
  const { recordsOut } = state.waves[end - 1]?.totals ?? last;
  const { warned } = sumOf(state.waves);
  return {
    ...{ ...sums, recordsIn, lines, bytesIn, recordsOut, outputRecords, outputBytes },
    ...(warned === undefined ? {} : { warned }),
  };
}

/**
 * Waves that the account of the input's records has: it ends with the first whose output is not the
 * records that came in but groups, or joined records. Infinity when it has all.
 */
export function accountEnd({ waves }: JobState): number {
  let isNoneLeft = false;
  for (const [at, { totals }] of waves.entries()) {
    // The one group of no records came of none.
    if (isNoneLeft && totals.recordsIn > 0) return at;
    if (totals.recordsOut !== totals.outputRecords) return at + 1;
    if (at === 0 || totals.recordsIn > 0) isNoneLeft = totals.outputRecords === 0;
  }
  return Infinity;
}

/** Groups and joined records that were rejected: they are in the rejects, and none of the input's. */
export function derivedRejects(state: JobState): number {
  return sumOf(state.waves).rejected - jobTotals(state, state.waves.length).rejected;
}

function sumOf(waves: readonly WaveState[]): ChunkStatistics {
  return waves.reduce((sum, { totals }) => addStatistics(sum, totals), ZERO_STATISTICS);
}
