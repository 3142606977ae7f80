import { LIMITS } from '../../pipeline/limits.ts';
import { advance, ignored, refused } from './advance.ts';
import { isDamaged, isFinal } from './job-state.ts';
import type {
  Attempt,
  ChunkChange,
  Decision,
  JobEffect,
  JobEvent,
  JobState,
  LostResult,
  UnreadableResult,
} from './job-state.ts';
import { rangesAdd, rangesHave, rangesNextMissing, rangesRemove } from './range-set.ts';
import { waveOf, withAnswer, withoutWavesAfter } from './waves.ts';

/** Takes an accepted result back, because nobody can read it: the chunk is processed again. */
export function makeAgain(
  state: JobState,
  event: UnreadableResult,
  effects: readonly JobEffect[] = [],
): Decision {
  const { index, attempt, error } = event;
  const undone = withoutResult(state, event);
  const all: readonly JobEffect[] = [...effects, { kind: 'discard-result', index }];
  if (attempt < LIMITS.chunkAttemptsMax) {
    const waiting = [...undone.waiting, { index, attempt: attempt + 1 }];
    return advance({ ...undone, waiting }, [{ index, status: 'queued', error }], all);
  }
  return advance(quarantine(undone, index), [{ index, status: 'failed', error }], all);
}

/**
 * A later wave cannot go on without the result. It may be merged or wait for that: what was merged
 * from it on is merged again.
 */
export function onResultLost(state: JobState, event: UnreadableResult): Decision {
  const { index } = event;
  if (isFinal(state) || !isAnswered(state, index)) return ignored(state);
  const watermark = Math.min(index, state.watermark);
  return makeAgain(unmerged(state, watermark), event, [{ kind: 'rebuild', watermark }]);
}

/**
 * Runs failed chunks again, those that a failed job left behind, those whose results are lost, and
 * the end of the job. Waves behind a failed chunk were planned without it: they are planned anew.
 */
export function onRetry(ended: JobState, event: Extract<JobEvent, { kind: 'retry' }>): Decision {
  const hasFailed = ended.status === 'failed' || ended.failed.length > 0 || isDamaged(ended);
  if (!hasFailed || !isFinal(ended) || ended.status === 'cancelled') return refused(ended);
  if (ended.input !== 'complete') return refused(ended);
  const [firstFailed] = ended.failed;
  const state =
    firstFailed === undefined ? ended : withoutWavesAfter(ended, waveOf(ended, firstFailed));
  const lost = (event.lost ?? []).filter(({ index }) => isAnswered(state, index));
  const again = [...state.failed, ...lost.map(({ index }) => index)];
  const watermark = Math.min(...again, state.watermark);
  const merged = lost.reduce(withoutResult, unmerged(state, watermark));
  let { answered } = merged;
  for (const index of again) answered = rangesRemove(answered, index);
  const waiting: Attempt[] = [];
  const firstMissing = rangesNextMissing(answered, watermark);
  for (let index = firstMissing; index < merged.cursor;) {
    waiting.push({ index, attempt: 1 });
    index = rangesNextMissing(answered, index + 1);
  }
  const next: JobState = {
    ...merged,
    ...{ status: 'processing', waiting, answered, failed: [], error: null },
    round: ended.round + 1,
  };
  const changes = waiting.map(({ index }): ChunkChange => ({
    index,
    status: 'queued',
    attempts: 0,
    error: null,
  }));
  return advance(next, changes, [{ kind: 'rebuild', watermark }]);
}

/** Gives a chunk up. Waves that were planned with its result are planned anew without it. */
export function quarantine(state: JobState, index: number): JobState {
  const kept = withoutWavesAfter(state, waveOf(state, index));
  return {
    ...kept,
    answered: rangesAdd(kept.answered, index),
    failed: [...kept.failed, index].sort((a, b) => a - b),
  };
}

/** The job as it was before chunk `index` was merged. What is answered stays so. */
export function unmerged(state: JobState, index: number): JobState {
  let { answered } = state;
  for (let one = index; one < state.watermark; one++) answered = rangesAdd(answered, one);
  const status = state.status === 'finalizing' ? 'processing' : state.status;
  return { ...state, status, answered, watermark: index, merging: false, planning: false };
}

/** The job without a result that it had counted. */
function withoutResult(state: JobState, { index, reused, statistics }: LostResult): JobState {
  return {
    ...withAnswer(state, index, { reused, statistics }, -1),
    // A reused chunk was never published; all before it are answered.
    cursor: Math.max(state.cursor, index + 1),
    answered: rangesRemove(state.answered, index),
  };
}

function isAnswered(state: JobState, index: number): boolean {
  if (index >= state.chunkCount || state.failed.includes(index)) return false;
  return index < state.watermark || rangesHave(state.answered, index);
}
