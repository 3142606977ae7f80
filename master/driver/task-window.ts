import { LIMITS } from '../../pipeline/limits.ts';

/** How far ahead of the workers the master goes. It grows with their number. */
export interface TaskWindow {
  /** Tasks that are published and unanswered, of all jobs. */
  readonly tasks: number;
  /** Chunks of one job from its watermark on that may be published. */
  readonly aheadChunks: number;
  /** Chunks of one job that are stored and unanswered, before its upload has to wait. */
  readonly backlogChunks: number;
}

export function taskWindow(workerCount: number): TaskWindow {
  const tasks = Math.max(LIMITS.windowTasksMin, workerCount * LIMITS.windowTasksPerWorker);
  return {
    tasks,
    aheadChunks: Math.max(LIMITS.reorderChunksMin, tasks * LIMITS.reorderChunksPerTask),
    backlogChunks: Math.max(LIMITS.backlogChunksMin, tasks),
  };
}
