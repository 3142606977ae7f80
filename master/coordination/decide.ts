import type { ErrorDocument } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { FINAL_STATUSES } from '../../pipeline/protocol/index.ts';
import type {
  Attempt,
  ChunkChange,
  Decision,
  JobEffect,
  JobEvent,
  JobState,
  LostResult,
} from './job-state.ts';
import { addStatistics } from './job-state.ts';
import { rangesAdd, rangesFrom, rangesHave, rangesNextMissing, rangesRemove } from './range-set.ts';

/**
 * What a job does next. Pure, synchronous and total: any event in any state gives an answer, and
 * the same ones give the same answer. Duplicates, late and out-of-order results are normal events.
 * The caller commits `state` and `changes` before it performs `effects`.
 */
export function decide(state: JobState, event: JobEvent): Decision {
  switch (event.kind) {
    case 'chunk-stored':
      return onChunkStored(state, event);
    case 'input-complete':
      return onInputComplete(state);
    case 'input-failed':
      return isFinal(state) ? ignored(state) : fail(state, event.error, { input: 'failed' });
    case 'slot-granted':
      return onSlotGranted(state);
    case 'result-announced':
      return onResult(state, event);
    case 'attempt-failed':
      return onAttemptFailed(state, event);
    case 'chunk-merged':
      return onChunkMerged(state, event.index);
    case 'merge-failed':
      return !state.merging || event.index !== state.watermark || isFinal(state)
        ? ignored(state)
        : makeAgain(state, event);
    case 'rebuild-failed':
      return event.index >= state.watermark || isFinal(state)
        ? ignored(state)
        : makeAgain(unmerged(state, event.index), event);
    case 'finalized':
      return onFinalized(state, event.verdict);
    case 'finalize-failed':
      return state.status === 'finalizing' ? fail(state, event.error) : ignored(state);
    case 'cancel':
      return isFinal(state)
        ? refused(state)
        : taken({ ...state, ...STOPPED, status: 'cancelled' }, [], [{ kind: 'abort-input' }]);
    case 'pause':
      return state.status === 'receiving' || state.status === 'processing'
        ? taken({ ...state, status: 'paused' })
        : refused(state);
    case 'resume':
      return state.status === 'paused'
        ? advance({ ...state, status: openStatus(state) })
        : refused(state);
    case 'result-damaged':
      return isCompleted(state) && !isDamaged(state)
        ? taken({ ...state, status: 'completed_with_failures', error: event.error })
        : ignored(state);
    case 'retry':
      return onRetry(state, event);
    case 'reconnected':
      return isFinal(state) ? ignored(state) : taken(state, [], publishAgain(state));
    case 'recovered':
      return onRecovered(state);
  }
}

/** Whether the job could publish a task now. */
export function isPublishable(state: JobState): boolean {
  if (state.status !== 'receiving' && state.status !== 'processing') return false;
  if (state.waiting.length > 0) return true;
  const next = nextUnpublished(state);
  return next < state.chunkCount && next < state.watermark + LIMITS.reorderChunksMax;
}

export function isFinal(state: JobState): boolean {
  return FINAL_STATUSES.includes(state.status);
}

/** Whether the finished job's stored output is known not to be what was stored. */
export function isDamaged({ status, error }: JobState): boolean {
  const isDamage = error?.code === 'blob-corrupt' || error?.code === 'blob-missing';
  return status === 'completed_with_failures' && isDamage;
}

/** Chunks that are neither answered nor running. */
export function queuedCount(state: JobState): number {
  const answered = state.doneCount + state.reusedCount + state.failed.length;
  return Math.max(0, state.chunkCount - answered - state.running.length);
}

const STOPPED = { running: [], waiting: [], merging: false } as const;

function onChunkStored(
  state: JobState,
  { index, answer }: Extract<JobEvent, { kind: 'chunk-stored' }>,
): Decision {
  if (isFinal(state) || state.input !== 'open' || index !== state.chunkCount) return ignored(state);
  const stored = { ...state, chunkCount: index + 1 };
  if (answer === undefined) return taken(stored);
  const source = { index, attempt: 0, worker: null, ms: 0 };
  return onResult(stored, { kind: 'result-announced', ...source, ...answer });
}

function onInputComplete(state: JobState): Decision {
  if (isFinal(state) || state.input !== 'open') return ignored(state);
  const status = state.status === 'paused' ? 'paused' : 'processing';
  return advance({ ...state, input: 'complete', status });
}

function onSlotGranted(state: JobState): Decision {
  if (!isPublishable(state)) return ignored(state);
  const [again, ...waiting] = state.waiting;
  const attempt: Attempt = again ?? { index: nextUnpublished(state), attempt: 1 };
  const next: JobState = {
    ...state,
    waiting,
    running: [...state.running, attempt],
    cursor: again === undefined ? attempt.index + 1 : state.cursor,
  };
  const change: ChunkChange = {
    index: attempt.index,
    status: 'running',
    attempts: attempt.attempt,
  };
  return taken(next, [change], [{ kind: 'publish', ...attempt }]);
}

function onResult(
  state: JobState,
  event: Extract<JobEvent, { kind: 'result-announced' }>,
): Decision {
  if (!isOutstanding(state, event.index)) return ignored(state);
  const next: JobState = {
    ...withoutAttempts(state, event.index),
    answered: rangesAdd(state.answered, event.index),
    doneCount: state.doneCount + (event.reused ? 0 : 1),
    reusedCount: state.reusedCount + (event.reused ? 1 : 0),
    totals: addStatistics(state.totals, event.statistics),
  };
  const change: ChunkChange = {
    index: event.index,
    status: event.reused ? 'reused' : 'done',
    attempts: event.attempt,
    worker: event.worker,
    ms: event.ms,
    statistics: event.statistics,
    error: null,
  };
  return advance(next, [change]);
}

function onAttemptFailed(
  state: JobState,
  event: Extract<JobEvent, { kind: 'attempt-failed' }>,
): Decision {
  const running = state.running.find((attempt) => attempt.index === event.index);
  if (running === undefined || running.attempt > event.attempt || isFinal(state)) {
    return ignored(state);
  }
  const { index, attempt, worker, ms, error } = event;
  const rest = withoutAttempts(state, index);
  if (event.retryable && attempt < LIMITS.chunkAttemptsMax) {
    const waiting = [...rest.waiting, { index, attempt: attempt + 1 }];
    const change: ChunkChange = { index, status: 'queued', attempts: attempt, worker, ms, error };
    return taken({ ...rest, waiting }, [change]);
  }
  const change: ChunkChange = { index, status: 'failed', attempts: attempt, worker, ms, error };
  const next = quarantine(rest, index);
  // The plan says on_error: fail: the first bad record ends the job.
  return error.code === 'input-malformed'
    ? fail(next, error, {}, [change])
    : advance(next, [change]);
}

function onChunkMerged(state: JobState, index: number): Decision {
  if (!state.merging || index !== state.watermark || isFinal(state)) return ignored(state);
  return advance({
    ...state,
    merging: false,
    watermark: index + 1,
    answered: rangesFrom(state.answered, index + 1),
  });
}

/** Takes an accepted result back, because nobody can read it: the chunk is processed again. */
function makeAgain(
  state: JobState,
  event: Extract<JobEvent, { kind: 'merge-failed' | 'rebuild-failed' }>,
): Decision {
  const { index, attempt, error } = event;
  const undone: JobState = { ...withoutResult(state, event), merging: false };
  const discard: JobEffect = { kind: 'discard-result', index };
  if (attempt < LIMITS.chunkAttemptsMax) {
    const waiting = [...undone.waiting, { index, attempt: attempt + 1 }];
    return taken({ ...undone, waiting }, [{ index, status: 'queued', error }], [discard]);
  }
  return advance(quarantine(undone, index), [{ index, status: 'failed', error }], [discard]);
}

/** The job without a result that it had counted. */
function withoutResult(state: JobState, { index, reused, statistics }: LostResult): JobState {
  return {
    ...state,
    // A reused chunk was never published; all before it are answered.
    cursor: Math.max(state.cursor, index + 1),
    answered: rangesRemove(state.answered, index),
    doneCount: state.doneCount - (reused ? 0 : 1),
    reusedCount: state.reusedCount - (reused ? 1 : 0),
    totals: addStatistics(state.totals, statistics, -1),
  };
}

/** The job as it was before chunk `index` was merged. What is answered stays so. */
function unmerged(state: JobState, index: number): JobState {
  let { answered } = state;
  for (let one = index; one < state.watermark; one++) answered = rangesAdd(answered, one);
  const status = state.status === 'finalizing' ? 'processing' : state.status;
  return { ...state, status, answered, watermark: index, merging: false };
}

function onFinalized(state: JobState, verdict: ErrorDocument | null): Decision {
  if (state.status !== 'finalizing') return ignored(state);
  const whole = state.failed.length === 0 && verdict === null;
  const error = verdict ?? (whole ? null : failedChunksError(state));
  return taken({ ...state, status: whole ? 'completed' : 'completed_with_failures', error });
}

/**
 * Runs failed chunks again, those that a failed job left behind, those whose results are lost, and
 * the end of the job.
 */
function onRetry(state: JobState, event: Extract<JobEvent, { kind: 'retry' }>): Decision {
  const hasFailed = state.status === 'failed' || state.failed.length > 0 || isDamaged(state);
  if (!hasFailed || !isFinal(state) || state.status === 'cancelled') return refused(state);
  if (state.input !== 'complete') return refused(state);
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
  };
  const changes = waiting.map(({ index }): ChunkChange => ({
    index,
    status: 'queued',
    error: null,
  }));
  return advance(next, changes, [{ kind: 'rebuild', watermark }]);
}

function onRecovered(state: JobState): Decision {
  if (isFinal(state)) return ignored(state);
  if (state.input === 'open') {
    return fail(
      state,
      {
        code: 'input-truncated',
        message:
          'The master was restarted while the input was arriving. Upload the file again: ' +
          'the chunks that were done are not processed twice.',
        details: { chunksStored: state.chunkCount },
      },
      { input: 'failed' },
    );
  }
  const status = state.status === 'finalizing' ? 'processing' : state.status;
  const again = publishAgain(state);
  return advance({ ...state, status, merging: false }, [], again);
}

/** Moves the watermark over failed chunks, starts the next merge, or the end of the job. */
function advance(
  state: JobState,
  changes: readonly ChunkChange[] = [],
  effects: readonly JobEffect[] = [],
): Decision {
  if (isFinal(state) || state.merging) return taken(state, changes, effects);
  let watermark = state.watermark;
  while (state.failed.includes(watermark)) watermark += 1;
  const moved = { ...state, watermark, answered: rangesFrom(state.answered, watermark) };
  if (rangesHave(moved.answered, watermark)) {
    return taken({ ...moved, merging: true }, changes, [
      ...effects,
      { kind: 'merge', index: watermark },
    ]);
  }
  const everyChunkMerged = moved.input === 'complete' && watermark === moved.chunkCount;
  if (everyChunkMerged && moved.status === 'processing') {
    return taken({ ...moved, status: 'finalizing' }, changes, [...effects, { kind: 'finalize' }]);
  }
  return taken(moved, changes, effects);
}

function fail(
  state: JobState,
  error: ErrorDocument,
  more: Partial<JobState> = {},
  changes: readonly ChunkChange[] = [],
): Decision {
  const abort: readonly JobEffect[] = state.input === 'open' ? [{ kind: 'abort-input' }] : [];
  return taken({ ...state, ...STOPPED, ...more, status: 'failed', error }, changes, abort);
}

function quarantine(state: JobState, index: number): JobState {
  return {
    ...state,
    answered: rangesAdd(state.answered, index),
    failed: [...state.failed, index].sort((a, b) => a - b),
  };
}

function isOutstanding(state: JobState, index: number): boolean {
  if (isFinal(state) || index >= state.chunkCount || index < state.watermark) return false;
  return !rangesHave(state.answered, index);
}

function isAnswered(state: JobState, index: number): boolean {
  if (index >= state.chunkCount || state.failed.includes(index)) return false;
  return index < state.watermark || rangesHave(state.answered, index);
}

function isCompleted({ status }: JobState): boolean {
  return status === 'completed' || status === 'completed_with_failures';
}

function nextUnpublished(state: JobState): number {
  return rangesNextMissing(state.answered, Math.max(state.cursor, state.watermark));
}

function withoutAttempts(state: JobState, index: number): JobState {
  return {
    ...state,
    running: state.running.filter((attempt) => attempt.index !== index),
    waiting: state.waiting.filter((attempt) => attempt.index !== index),
  };
}

function publishAgain(state: JobState): JobEffect[] {
  return state.running.map((attempt) => ({ kind: 'publish', ...attempt }));
}

function openStatus(state: JobState): 'receiving' | 'processing' {
  return state.input === 'open' ? 'receiving' : 'processing';
}

function failedChunksError(state: JobState): ErrorDocument {
  const count = state.failed.length;
  return {
    code: 'chunk-failed',
    message:
      `${count} of ${state.chunkCount} chunks failed on every attempt; ` +
      'the result holds all others. Retry runs the failed ones again.',
    details: { chunks: state.failed.slice(0, 100), count },
  };
}

function taken(
  state: JobState,
  changes: readonly ChunkChange[] = [],
  effects: readonly JobEffect[] = [],
): Decision {
  return { state, changes, effects, verdict: 'taken' };
}

function ignored(state: JobState): Decision {
  return { state, changes: [], effects: [], verdict: 'ignored' };
}

function refused(state: JobState): Decision {
  return { state, changes: [], effects: [], verdict: 'refused' };
}
