import type { Logger } from 'pino';
import { toSluiceError } from '../../pipeline/errors.ts';
import { isDamage } from '../aggregator/damaged-result.ts';
import type { ActiveJob } from './active-job.ts';

/** Between tries while the storage fails. */
const STORAGE_RETRY_MS = 1_000;

export interface PatienceDeps {
  readonly log: Logger;
  readonly sleep: (ms: number) => Promise<void>;
  /** Whether this is the job's present life, and it is not at its end. */
  readonly isUnderWay: (job: ActiveJob) => boolean;
}

/** Runs `work` again while the storage fails in a way that may pass, and the job is under way. */
export async function whileStorageFails<T>(
  deps: PatienceDeps,
  job: ActiveJob,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (!error.retryable || isDamage(error)) throw error;
      deps.log.warn({ jobId: job.id, err: error }, 'storage failed');
      if (deps.isUnderWay(job)) await deps.sleep(STORAGE_RETRY_MS);
      if (!deps.isUnderWay(job)) throw error;
    }
  }
}
