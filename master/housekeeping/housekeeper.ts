import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { toSluiceError } from '../../pipeline/errors.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { GarbageCollector } from './garbage-collector.ts';
import { expiredJobs } from './retention.ts';
import type { FinishedJob, RetentionRule } from './retention.ts';
import { SteppedClock } from './stepped-clock.ts';

export interface HousekeeperDeps {
  readonly store: SqliteJobStore;
  readonly collector: GarbageCollector;
  readonly retention: RetentionRule;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only runs forward. */
  readonly steadyNow: () => number;
  /** No job is deleted for its age until `now` has run as `steadyNow` does for so long. */
  readonly graceMs: number;
  readonly everyMs: number;
  readonly log: Logger;
}

export interface HousekeepingCounts {
  blobsRemoved: number;
  jobsExpired: number;
  sweepsFailed: number;
}

/** Deletes a job unless it changed meanwhile. Whether it is deleted. */
export type ExpireJob = (job: FinishedJob) => Promise<boolean>;

/** Deletes jobs that are kept no longer and blobs that no job needs, again and again. */
export class Housekeeper {
  readonly counts: HousekeepingCounts = { blobsRemoved: 0, jobsExpired: 0, sweepsFailed: 0 };
  readonly #deps: HousekeeperDeps;
  readonly #clock: SteppedClock;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(deps: HousekeeperDeps) {
    this.#deps = deps;
    this.#clock = new SteppedClock(deps.now, deps.steadyNow);
  }

  start(expireJob: ExpireJob): void {
    this.#running = this.#run(expireJob);
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** One round. What fails is tried again in the next one. */
  async round(expireJob: ExpireJob): Promise<void> {
    try {
      await this.#expire(expireJob);
      this.counts.blobsRemoved += await this.#deps.collector.sweep();
    } catch (thrown) {
      this.counts.sweepsFailed += 1;
      this.#deps.log.warn({ err: toSluiceError(thrown) }, 'housekeeping failed');
    }
  }

  async #run(expireJob: ExpireJob): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await sleep(this.#deps.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.round(expireJob);
    }
  }

  async #expire(expireJob: ExpireJob): Promise<void> {
    const { store, retention, now, log } = this.#deps;
    if (retention.forMs === null && retention.jobs === null) return;
    const isTimeKnown = this.#clock.hasRunEvenlyFor(this.#deps.graceMs);
    const rule = isTimeKnown ? retention : { ...retention, forMs: null };
    for (const job of expiredJobs(store.finishedJobs(), rule, now())) {
      if (this.#stop.signal.aborted) return;
      if (!(await expireJob(job))) continue;
      log.info({ jobId: job.id }, 'job is kept no longer');
      this.counts.jobsExpired += 1;
    }
  }
}
