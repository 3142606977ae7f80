import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import { SluiceError, errorDocument, toSluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type {
  Announcement,
  FailureAnnouncement,
  ResultAnnouncement,
  TaskMessage,
  TaskProducer,
} from '../../pipeline/protocol/index.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { decide, isFinal, isPublishable } from '../coordination/decide.ts';
import type { Decision, JobEffect, JobEvent } from '../coordination/job-state.ts';
import { nextInTurn } from '../coordination/turns.ts';
import type { ChunkRecord, JobFacts, JobRecord, NewChunk } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import { bytesProcessed } from '../views/job-document.ts';
import { ActiveJob } from './active-job.ts';
import type { Assemblies } from '../aggregator/assemblies.ts';
import { placeOfFault } from './fault-place.ts';
import type { WorkerRegistry } from './worker-registry.ts';

/** Between tries of a commit that the store refused. */
const COMMIT_RETRY_MS = 1_000;

export interface CoordinatorDeps {
  readonly store: SqliteJobStore;
  readonly blobs: BlobStore;
  readonly queue: TaskProducer;
  readonly workers: WorkerRegistry;
  readonly assemblies: Assemblies;
  readonly now: () => number;
  readonly log: Logger;
  /** Resolves after `ms`; by the process's timers when left out. */
  readonly sleep?: (ms: number) => Promise<void>;
}

export interface CoordinatorCounts {
  chunksDone: number;
  chunksReused: number;
  chunksFailed: number;
  recordsIn: number;
  tasksPublished: number;
  announcementsDuplicate: number;
}

/**
 * Drives `decide`: takes events, commits state and chunk rows in one transaction, then performs the
 * effects. Events of a job are taken one at a time, in the order they come (the process is single
 * threaded and `apply` does not wait); merges and finalisation of a job run one after another.
 */
export class Coordinator {
  readonly counts: CoordinatorCounts = {
    chunksDone: 0,
    chunksReused: 0,
    chunksFailed: 0,
    recordsIn: 0,
    tasksPublished: 0,
    announcementsDuplicate: 0,
  };
  readonly #deps: CoordinatorDeps;
  readonly #active = new Map<string, ActiveJob>();
  readonly #listeners = new Set<(jobId: string) => void>();
  #lastServed: string | null = null;
  readonly #sleep: (ms: number) => Promise<void>;
  #closing = false;

  constructor(deps: CoordinatorDeps) {
    this.#deps = deps;
    this.#sleep = deps.sleep ?? ((ms) => sleepFor(ms));
  }

  /** Takes up what an earlier process left unfinished, and starts to listen to the queue. */
  async start(): Promise<void> {
    for (const record of this.#deps.store.unfinishedJobs()) this.#recover(record);
    this.#deps.queue.onConnected(() => {
      for (const job of [...this.#active.values()]) this.apply(job.id, { kind: 'reconnected' });
      this.#schedule();
    });
    await this.#deps.queue.onDeadLetter((task, reason) => this.#onDeadLetter(task, reason));
    await this.#deps.queue.onAnnouncement((announcement) => this.#onAnnouncement(announcement));
    this.#schedule();
  }

  /** Stops performing effects; what was not performed is performed again after a restart. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const job of this.#active.values()) job.abort(new SluiceError('closing', 'shutting down'));
    await Promise.all([...this.#active.values()].map((job) => job.idle()));
  }

  add(record: JobRecord): ActiveJob {
    this.#deps.store.insertJob(record);
    const job = new ActiveJob(record, this.#deps.now);
    this.#active.set(record.id, job);
    this.#notify(record.id);
    return job;
  }

  /** The job if it is under way in this process. */
  active(jobId: string): ActiveJob | undefined {
    return this.#active.get(jobId);
  }

  activeCount(): number {
    return this.#active.size;
  }

  onChange(listener: (jobId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Commits facts that no decision depends on. Bytes received are committed with the chunks. */
  saveFacts(job: ActiveJob, facts: Partial<JobFacts>): void {
    job.facts = { ...job.facts, ...facts };
    this.#commit(job, { state: job.state, changes: [], effects: [], verdict: 'taken' });
    this.#notify(job.id);
  }

  /** Tells that something the view shows (received bytes) moved, without a commit. */
  touch(jobId: string): void {
    this.#notify(jobId);
  }

  apply(jobId: string, event: JobEvent, newChunk?: NewChunk): Decision['verdict'] {
    const job = this.#active.get(jobId) ?? this.#wake(jobId, event);
    if (job === undefined) return 'ignored';
    const decision = decide(job.state, event);
    if (decision.verdict !== 'taken') return decision.verdict;
    this.#commit(job, decision, newChunk);
    job.state = decision.state;
    if (event.kind === 'result-announced') job.rate.add(bytesProcessed(job));
    this.#count(event, decision);
    for (const effect of decision.effects) this.#perform(job, effect);
    job.settle();
    this.#notify(jobId);
    if (isFinal(job.state)) this.#retire(job);
    this.#schedule();
    return 'taken';
  }

  /** As `apply`, tried again while the store cannot commit (a full disk), until the master closes. */
  async applyDurably(jobId: string, event: JobEvent): Promise<void> {
    while (!this.#closing) {
      try {
        this.apply(jobId, event);
        return;
      } catch (thrown) {
        this.#deps.log.error({ jobId, event: event.kind, err: thrown }, 'commit failed');
        await this.#sleep(COMMIT_RETRY_MS);
      }
    }
  }

  #commit(job: ActiveJob, decision: Decision, newChunk?: NewChunk): void {
    job.updatedAt = new Date(this.#deps.now()).toISOString();
    const facts = job.changedFacts();
    this.#deps.store.commit({
      jobId: job.id,
      updatedAt: job.updatedAt,
      state: decision.state,
      changes: decision.changes,
      ...(facts === null ? {} : { facts }),
      ...(newChunk === undefined ? {} : { newChunk }),
    });
  }

  /** Only `retry` brings a job back that had come to its end. */
  #wake(jobId: string, event: JobEvent): ActiveJob | undefined {
    if (event.kind !== 'retry') return undefined;
    const record = this.#deps.store.job(jobId);
    if (record === null) return undefined;
    const job = new ActiveJob(record, this.#deps.now);
    if (decide(job.state, event).verdict === 'taken') this.#active.set(jobId, job);
    return job;
  }

  #retire(job: ActiveJob): void {
    this.#active.delete(job.id);
    job.abort(new SluiceError('aborted', `the job is ${job.state.status}`));
  }

  #recover(record: JobRecord): void {
    const job = new ActiveJob(record, this.#deps.now);
    this.#active.set(record.id, job);
    // Merges are kept in memory only: the merged prefix is read back before anything goes on.
    job.enqueue(async () => {
      await this.#deps.assemblies.rebuild(record.id, job.state.watermark);
    });
    this.apply(record.id, { kind: 'recovered' });
  }

  /** Fills the window of published tasks, job by job in turn. */
  #schedule(): void {
    if (this.#closing) return;
    const window = Math.max(
      LIMITS.windowTasksMin,
      this.#deps.workers.liveCount() * LIMITS.windowTasksPerWorker,
    );
    for (;;) {
      let running = 0;
      const publishable: string[] = [];
      for (const job of this.#active.values()) {
        running += job.state.running.length;
        if (isPublishable(job.state)) publishable.push(job.id);
      }
      if (running >= window) return;
      const jobId = nextInTurn(publishable, this.#lastServed);
      const job = jobId === null ? undefined : this.#active.get(jobId);
      if (job === undefined) return;
      this.#lastServed = job.id;
      const decision = decide(job.state, { kind: 'slot-granted' });
      if (decision.verdict !== 'taken') return;
      this.#commit(job, decision);
      job.state = decision.state;
      for (const effect of decision.effects) this.#perform(job, effect);
    }
  }

  #perform(job: ActiveJob, effect: JobEffect): void {
    switch (effect.kind) {
      case 'publish':
        this.#publish(job, effect.index, effect.attempt);
        return;
      case 'merge':
        job.enqueue(() => this.#merge(job, effect.index));
        return;
      case 'rebuild':
        job.enqueue(() => this.#deps.assemblies.rebuild(job.id, effect.watermark));
        return;
      case 'discard-result':
        job.enqueue(() => this.#discardResult(job.id, effect.index));
        return;
      case 'finalize':
        job.enqueue(() => this.#finalize(job));
        return;
      case 'abort-input':
        job.abort(new SluiceError('aborted', job.state.error?.message ?? 'the job was cancelled'));
        return;
    }
  }

  #publish(job: ActiveJob, index: number, attempt: number): void {
    const chunk = this.#deps.store.chunk(job.id, index);
    const contextKey = job.facts.contextKey;
    if (chunk === null || contextKey === null) return;
    const { taskKey, chunkKey, bytes } = chunk;
    const task: TaskMessage = {
      ...{ v: 1, taskKey, jobId: job.id, chunkIndex: index, chunkKey, contextKey, bytes, attempt },
    };
    this.counts.tasksPublished += 1;
    this.#deps.queue.publish(task).catch((thrown: unknown) => {
      // Not lost: the task stays in `running`, which is published again when the broker is back.
      if (!this.#closing) {
        this.#deps.log.warn({ jobId: job.id, chunkIndex: index, err: thrown }, 'publish failed');
      }
    });
  }

  async #merge(job: ActiveJob, index: number): Promise<void> {
    if (isFinal(job.state) || this.#closing) return;
    const chunk = this.#deps.store.chunk(job.id, index);
    if (chunk?.statistics == null) return;
    try {
      await this.#deps.assemblies.merge(job.id, chunk);
    } catch (thrown) {
      await this.#onMergeFailed(job, chunk, thrown);
      return;
    }
    await this.applyDurably(job.id, { kind: 'chunk-merged', index });
  }

  async #onMergeFailed(job: ActiveJob, chunk: ChunkRecord, thrown: unknown): Promise<void> {
    const error = toSluiceError(thrown);
    const { index, attempts, status, statistics } = chunk;
    this.#deps.log.warn({ jobId: job.id, chunkIndex: index, err: error }, 'merge failed');
    if (error.code === 'group-limit' || statistics === null) {
      await this.applyDurably(job.id, { kind: 'input-failed', error: errorDocument(error) });
      return;
    }
    await this.applyDurably(job.id, {
      ...{ kind: 'merge-failed', index, attempt: attempts, reused: status === 'reused' },
      statistics,
      error: errorDocument(error),
    });
  }

  async #discardResult(jobId: string, index: number): Promise<void> {
    const chunk = this.#deps.store.chunk(jobId, index);
    if (chunk !== null) await this.#deps.blobs.delete(`results/${chunk.taskKey}`);
  }

  async #finalize(job: ActiveJob): Promise<void> {
    if (job.state.status !== 'finalizing' || this.#closing) return;
    let event: JobEvent;
    try {
      const { facts, verdict } = await this.#deps.assemblies.finalize(job);
      job.facts = { ...job.facts, ...facts };
      event = { kind: 'finalized', verdict };
    } catch (thrown) {
      this.#deps.log.error({ jobId: job.id, err: thrown }, 'finalize failed');
      event = { kind: 'finalize-failed', error: errorDocument(thrown) };
    }
    await this.applyDurably(job.id, event);
  }

  async #onAnnouncement(announcement: Announcement): Promise<void> {
    switch (announcement.kind) {
      case 'worker':
        this.#deps.workers.heartbeat(announcement);
        this.#schedule();
        return;
      case 'result':
        this.#onResult(announcement);
        return;
      case 'failure':
        await this.#onFailure(announcement);
        return;
    }
  }

  #onResult(result: ResultAnnouncement): void {
    if (!this.#isCurrent(result)) {
      this.counts.announcementsDuplicate += 1;
      return;
    }
    const { chunkIndex: index, attempt, worker, reused, ms, statistics } = result;
    const event = {
      kind: 'result-announced',
      index,
      attempt,
      worker,
      reused,
      ms,
      statistics,
    } as const;
    if (this.apply(result.jobId, event) !== 'taken') this.counts.announcementsDuplicate += 1;
  }

  async #onFailure(failure: FailureAnnouncement): Promise<void> {
    if (!this.#isCurrent(failure)) return;
    const { chunkIndex: index, attempt, worker, ms, retryable } = failure;
    const chunk = this.#deps.store.chunk(failure.jobId, index);
    // A stored result that cannot be read is in the way of the next attempt's.
    if (failure.error.code === 'blob-corrupt') {
      await this.#deps.blobs.delete(`results/${failure.taskKey}`);
    }
    const error = placeOfFault(failure.error as ErrorDocument, chunk);
    this.apply(failure.jobId, {
      ...{ kind: 'attempt-failed', index, attempt, worker, ms, retryable, error },
    });
  }

  async #onDeadLetter(task: TaskMessage, reason: string): Promise<void> {
    this.#deps.log.warn({ taskKey: task.taskKey, jobId: task.jobId, reason }, 'dead letter');
    if (!this.#isCurrent(task)) return;
    const error: ErrorDocument = {
      code: 'chunk-failed',
      message:
        `Chunk ${task.chunkIndex} was given up after ${LIMITS.deliveryLimit} deliveries: ` +
        `${reason}. Workers that took it may have crashed.`,
      details: { chunk: task.chunkIndex, chunkKey: task.chunkKey, reason },
    };
    // Worth another attempt: a task held beside the one that ends its workers is not to blame.
    this.apply(task.jobId, {
      ...{ kind: 'attempt-failed', index: task.chunkIndex, attempt: task.attempt },
      ...{ worker: null, ms: 0, retryable: true, error },
    });
    await Promise.resolve();
  }

  /** Whether the message speaks of a chunk of a job under way, under the key we gave it. */
  #isCurrent(message: { jobId: string; chunkIndex: number; taskKey: string }): boolean {
    if (!this.#active.has(message.jobId)) return false;
    const chunk = this.#deps.store.chunk(message.jobId, message.chunkIndex);
    return chunk?.taskKey === message.taskKey;
  }

  #count(event: JobEvent, decision: Decision): void {
    if (event.kind === 'result-announced') {
      if (event.reused) this.counts.chunksReused += 1;
      else this.counts.chunksDone += 1;
      this.counts.recordsIn += event.statistics.recordsIn;
    }
    this.counts.chunksFailed += decision.changes.filter((one) => one.status === 'failed').length;
  }

  #notify(jobId: string): void {
    for (const listener of this.#listeners) listener(jobId);
  }
}
