import type { Awaited } from '../../pipeline/protocol/index.ts';
import { queuedCount } from '../coordination/decide.ts';
import { isFinal, type JobState } from '../coordination/job-state.ts';

/** What work is done with, as the master knows it now. */
export interface Surroundings {
  /** Workers that were heard of a moment ago. */
  readonly liveWorkers: number;
  readonly queueIsConnected: boolean;
  /** Chunks of one job that are stored and unanswered, before its upload has to wait. */
  readonly backlogChunks: number;
}

const HELD_UP_FROM = 0.85;

/** Whom a job waits for; null while its work goes on, and when it is paused or has ended. */
export function awaitedBy(state: JobState, around: Surroundings): Awaited | null {
  if (isFinal(state) || state.status === 'paused') return null;
  const running = state.running.length;
  const unanswered = running + queuedCount(state);
  if (unanswered === 0) return state.input === 'open' ? 'upload' : null;
  if (!around.queueIsConnected) return 'broker';
  if (around.liveWorkers === 0) return 'no-worker';
  if (running === 0) return 'turn';
  // Room for more chunks is granted in steps, so that an upload waits from a bit below the bound on.
  const isHeldUp = state.input === 'open' && unanswered >= HELD_UP_FROM * around.backlogChunks;
  return isHeldUp ? 'workers' : null;
}
