import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { toSluiceError } from '../../pipeline/errors.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { GarbageCollector } from './garbage-collector.ts';
import { expiredJobs } from './retention.ts';
import type { RetentionRule } from './retention.ts';

export interface HousekeeperDeps {
  readonly store: SqliteJobStore;
  readonly collector: GarbageCollector;
  readonly retention: RetentionRule;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly everyMs: number;
  readonly log: Logger;
}

export interface HousekeepingCounts {
  blobsRemoved: number;
  jobsExpired: number;
  sweepsFailed: number;
}

export type DeleteJob = (jobId: string) => Promise<void>;

/** Deletes jobs that are kept no longer and blobs that no job needs, again and again. */
export class Housekeeper {
  readonly counts: HousekeepingCounts = { blobsRemoved: 0, jobsExpired: 0, sweepsFailed: 0 };
  readonly #deps: HousekeeperDeps;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: HousekeeperDeps) {
    this.#deps = deps;
  }

  start(deleteJob: DeleteJob): void {
    this.#running = this.#run(deleteJob);
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** One round. What fails is tried again in the next one. */
  async round(deleteJob: DeleteJob): Promise<void> {
    try {
      await this.#expire(deleteJob);
      this.counts.blobsRemoved += await this.#deps.collector.sweep();
    } catch (thrown) {
      this.counts.sweepsFailed += 1;
      this.#deps.log.warn({ err: toSluiceError(thrown) }, 'housekeeping failed');
    }
  }

  async #run(deleteJob: DeleteJob): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await sleep(this.#deps.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.round(deleteJob);
    }
  }

  async #expire(deleteJob: DeleteJob): Promise<void> {
    const { store, retention, now, log } = this.#deps;
    if (retention.forMs === null && retention.jobs === null) return;
    for (const { id } of expiredJobs(store.finishedJobs(), retention, now())) {
      if (this.#stop.signal.aborted) return;
      log.info({ jobId: id }, 'job is kept no longer');
      await deleteJob(id);
      this.counts.jobsExpired += 1;
    }
  }
}
