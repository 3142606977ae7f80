import type { ErrorDocument } from '../../pipeline/errors.ts';
import { isFinal } from './job-state.ts';
import type { ChunkChange, Decision, JobEffect, JobState } from './job-state.ts';
import { rangesFrom, rangesHave } from './range-set.ts';

/** Nothing is under way. */
export const STOPPED = { running: [], waiting: [], merging: false, planning: false } as const;

/** Moves the watermark over failed chunks, starts the next merge, the next wave, or the end. */
export function advance(
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
  if (!everyChunkMerged || moved.status !== 'processing' || moved.planning) {
    return taken(moved, changes, effects);
  }
  const wave = moved.waves.length;
  if (wave < moved.waveCount) {
    const plan: JobEffect = { kind: 'plan-wave', wave };
    return taken({ ...moved, planning: true }, changes, [...effects, plan]);
  }
  return taken({ ...moved, status: 'finalizing' }, changes, [...effects, { kind: 'finalize' }]);
}

export function fail(
  state: JobState,
  error: ErrorDocument,
  more: Partial<JobState> = {},
  changes: readonly ChunkChange[] = [],
): Decision {
  const revoke: JobEffect = { kind: 'revoke', round: state.round };
  const abort: readonly JobEffect[] =
    state.input === 'open' ? [revoke, { kind: 'abort-input' }] : [revoke];
  return taken({ ...state, ...STOPPED, ...more, status: 'failed', error }, changes, abort);
}

export function taken(
  state: JobState,
  changes: readonly ChunkChange[] = [],
  effects: readonly JobEffect[] = [],
): Decision {
  return { state, changes, effects, verdict: 'taken' };
}

export function ignored(state: JobState): Decision {
  return { state, changes: [], effects: [], verdict: 'ignored' };
}

export function refused(state: JobState): Decision {
  return { state, changes: [], effects: [], verdict: 'refused' };
}
