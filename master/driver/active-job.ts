import { isFinal } from '../coordination/job-state.ts';
import type { JobState } from '../coordination/job-state.ts';
import type { JobFacts, JobRecord } from '../storage/job-record.ts';
import { RateMeter } from './rate-meter.ts';

/** A job under way in this process: its stored record, and what only a running job has. */
export class ActiveJob {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly idempotencyKey: string | null;
  updatedAt: string;
  facts: JobFacts;
  state: JobState;
  /** Bytes of all chunks stored so far, in the decoded text. */
  chunkBytes = 0;
  /** `round/index/attempt` of tasks on their way to the queue. */
  readonly publishing = new Set<string>();
  readonly rate: RateMeter;
  readonly #abort = new AbortController();
  #savedFacts: JobFacts;
  #tail: Promise<void> = Promise.resolve();
  #waiters: (() => void)[] = [];

  constructor(record: JobRecord, now: () => number) {
    this.id = record.id;
    this.name = record.name;
    this.createdAt = record.createdAt;
    this.updatedAt = record.updatedAt;
    this.idempotencyKey = record.idempotencyKey;
    this.facts = record.facts;
    this.#savedFacts = record.facts;
    this.state = record.state;
    this.rate = new RateMeter(now);
  }

  /** Fires when the job was cancelled, failed, or the process closes. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(reason: Error): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(reason);
    this.settle();
  }

  /** Runs work after all earlier work of this job. Failures are the work's own to report. */
  enqueue(work: () => Promise<void>): void {
    this.#tail = this.#tail.then(work, work);
    this.#tail.catch(() => undefined);
  }

  async idle(): Promise<void> {
    await this.#tail.catch(() => undefined);
  }

  /** The facts if they changed since they were committed last, else null. */
  unsavedFacts(): JobFacts | null {
    return this.facts === this.#savedFacts ? null : this.facts;
  }

  /** The facts are committed. */
  factsSaved(facts: JobFacts): void {
    this.#savedFacts = facts;
  }

  /** Resolves when `condition` holds, or the job is at its end. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition() && !isFinal(this.state) && !this.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Wakes those who wait for a change. */
  settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
