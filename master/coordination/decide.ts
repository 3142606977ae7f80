import type { ErrorCode, ErrorDocument } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { STOPPED, advance, fail, ignored, refused, taken } from './advance.ts';
import { emptyWave, isCompleted, isDamaged, isFinal } from './job-state.ts';
import type { Attempt, ChunkChange, Decision, JobEffect, JobEvent, JobState } from './job-state.ts';
import { rangesAdd, rangesFrom, rangesHave, rangesNextMissing } from './range-set.ts';
import { makeAgain, onResultLost, onRetry, quarantine, unmerged } from './repair.ts';
import { answeredCount, openEnd, withAnswer } from './waves.ts';

/** Errors of a chunk that end the job: a bad record where the plan says on_error: fail, and groups or
 *  values too many to hold, without which no group would be right. */
const ENDING: ReadonlySet<ErrorCode> = new Set(['input-malformed', 'group-limit']);

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
      return onInputComplete(state, event.waves);
    case 'input-failed':
      // It may come late: an upload that failed was gone on with, and is complete.
      return isFinal(state) || (event.ofUpload === true && state.input !== 'open')
        ? ignored(state)
        : fail(state, event.error, { input: 'failed' });
    case 'slot-granted':
      return onSlotGranted(state, event.aheadChunks);
    case 'result-announced':
      return onResult(state, event);
    case 'attempt-failed':
      return onAttemptFailed(state, event);
    case 'chunk-merged':
      return onChunkMerged(state, event.index);
    case 'merge-failed':
      return !state.merging || event.index !== state.watermark || isFinal(state)
        ? ignored(state)
        : makeAgain({ ...state, merging: false }, event);
    case 'rebuild-failed':
      return event.index >= state.watermark || isFinal(state)
        ? ignored(state)
        : makeAgain(unmerged(state, event.index), event);
    case 'result-lost':
      return onResultLost(state, event);
    case 'wave-planned':
      return onWavePlanned(state, event);
    case 'plan-failed':
      return state.planning && event.wave === state.waves.length
        ? fail(state, event.error)
        : ignored(state);
    case 'finalized':
      return onFinalized(state, event.verdict);
    case 'finalize-failed':
      return state.status === 'finalizing' ? fail(state, event.error) : ignored(state);
    case 'cancel':
      return isFinal(state)
        ? refused(state)
        : taken(
            { ...state, ...STOPPED, status: 'cancelled' },
            [],
            [{ kind: 'abort-input' }, { kind: 'revoke', round: state.round }],
          );
    case 'pause':
      return onPause(state);
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
      return onRecovered(state, event.inputIsResumable === true);
  }
}

/** Whether the job could publish a task now, of so many chunks from its watermark on. */
export function isPublishable(
  state: JobState,
  aheadChunks: number = LIMITS.reorderChunksMin,
): boolean {
  if (state.status !== 'receiving' && state.status !== 'processing') return false;
  const end = openEnd(state);
  if (state.waiting.some(({ index }) => index < end)) return true;
  const next = nextUnpublished(state);
  return next < end && next < state.watermark + aheadChunks;
}

/** Chunks that are neither answered nor running. */
export function queuedCount(state: JobState): number {
  return Math.max(0, state.chunkCount - answeredCount(state) - state.running.length);
}

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

function onInputComplete(state: JobState, waveCount: number): Decision {
  if (isFinal(state) || state.input !== 'open') return ignored(state);
  const status = state.status === 'paused' ? 'paused' : 'processing';
  return advance({ ...state, input: 'complete', waveCount, status });
}

function onSlotGranted(state: JobState, aheadChunks?: number): Decision {
  if (!isPublishable(state, aheadChunks)) return ignored(state);
  const end = openEnd(state);
  const again = state.waiting.find(({ index }) => index < end);
  const attempt: Attempt = again ?? { index: nextUnpublished(state), attempt: 1 };
  const next: JobState = {
    ...state,
    waiting: state.waiting.filter((one) => one !== again),
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
    ...withAnswer(withoutAttempts(state, event.index), event.index, event),
    answered: rangesAdd(state.answered, event.index),
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
  const isWorthwhile = event.retryable && attempt < LIMITS.chunkAttemptsMax;
  if (isWorthwhile || event.excused === true) {
    const waiting = [...rest.waiting, { index, attempt: attempt + 1 }];
    const change: ChunkChange = { index, status: 'queued', attempts: attempt, worker, ms, error };
    return taken({ ...rest, waiting }, [change]);
  }
  const change: ChunkChange = { index, status: 'failed', attempts: attempt, worker, ms, error };
  const next = quarantine(rest, index);
  return ENDING.has(error.code) ? fail(next, error, {}, [change]) : advance(next, [change]);
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

/** What is out is called back; what a worker has done by then is taken all the same. */
function onPause(state: JobState): Decision {
  if (state.status !== 'receiving' && state.status !== 'processing') return refused(state);
  const { running, round } = state;
  const changes = running.map(({ index, attempt }): ChunkChange => ({
    ...{ index, status: 'queued', attempts: attempt - 1 },
  }));
  const waiting = [...running, ...state.waiting];
  const next: JobState = { ...state, status: 'paused', running: [], waiting, round: round + 1 };
  return taken(next, changes, [{ kind: 'revoke', round }]);
}

function onWavePlanned(
  state: JobState,
  { wave, count, gathers }: Extract<JobEvent, { kind: 'wave-planned' }>,
): Decision {
  if (!state.planning || wave !== state.waves.length) return ignored(state);
  const empty = emptyWave(state.chunkCount);
  return advance({
    ...state,
    planning: false,
    waves: [...state.waves, gathers === true ? { ...empty, gathers } : empty],
    waveCount: state.waveCount + (gathers === true ? 1 : 0),
    chunkCount: state.chunkCount + count,
  });
}

function onFinalized(state: JobState, verdict: ErrorDocument | null): Decision {
  if (state.status !== 'finalizing') return ignored(state);
  const whole = state.failed.length === 0 && verdict === null;
  const error = verdict ?? (whole ? null : failedChunksError(state));
  return taken({ ...state, status: whole ? 'completed' : 'completed_with_failures', error });
}

function onRecovered(state: JobState, inputIsResumable: boolean): Decision {
  if (isFinal(state)) return ignored(state);
  if (state.input === 'open' && !inputIsResumable) {
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
  return advance({ ...state, status, merging: false, planning: false }, [], again);
}

function isOutstanding(state: JobState, index: number): boolean {
  if (isFinal(state) || index >= state.chunkCount || index < state.watermark) return false;
  return !rangesHave(state.answered, index);
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
