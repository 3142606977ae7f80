import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Logger } from 'pino';
import { errorDocument, SluiceError } from '../../pipeline/errors.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from '../../pipeline/limits.ts';
import type { Announcement, TaskProducer } from '../../pipeline/protocol/index.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import { decide, isPublishable } from '../coordination/decide.ts';
import { isFinal } from '../coordination/job-state.ts';
import type { Decision, JobEffect, JobEvent, JobState } from '../coordination/job-state.ts';
import { nextInTurn } from '../coordination/turns.ts';
import { waveOf } from '../coordination/waves.ts';
import type { JobFacts, JobRecord, NewChunk } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import { bytesProcessed } from '../views/job-document.ts';
import { ActiveJob } from './active-job.ts';
import type { Assemblies } from '../aggregator/assemblies.ts';
import { removeLostResults } from '../aggregator/damaged-result.ts';
import { type CoordinatorCounts, NO_COUNTS } from './coordinator-counts.ts';
import { outdatedError } from './outdated-job.ts';
import { ResultMerger } from './result-merger.ts';
import { TaskPublisher } from './task-publisher.ts';
import { taskWindow } from './task-window.ts';
import type { TaskWindow } from './task-window.ts';
import { lookupOfWave } from './fault-place.ts';
import { TaskAnswers } from './task-answers.ts';
import { WavePlanner } from './wave-planner.ts';
import type { WorkerRegistry } from './worker-registry.ts';

/** Between tries of a commit that the store refused. */
const COMMIT_RETRY_MS = 1_000;

export interface CoordinatorDeps {
  readonly store: SqliteJobStore;
  readonly blobs: CollectableBlobStore;
  readonly queue: TaskProducer;
  readonly workers: WorkerRegistry;
  readonly assemblies: Assemblies;
  readonly exchangeLimits?: ExchangeLimits;
  readonly now: () => number;
  readonly log: Logger;
  /** Resolves after `ms`; by the process's timers when left out. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Drives `decide`: takes events, commits state and chunk rows in one transaction, then performs the
 * effects. Events of a job are taken one at a time, in the order they come (the process is single
 * threaded and `apply` does not wait); merges and finalisation of a job run one after another.
 */
export class Coordinator {
  readonly counts: CoordinatorCounts = { ...NO_COUNTS };
  readonly #deps: CoordinatorDeps;
  readonly #merger: ResultMerger;
  readonly #publisher: TaskPublisher;
  readonly #planner: WavePlanner;
  readonly #answers: TaskAnswers;
  readonly #active = new Map<string, ActiveJob>();
  readonly #listeners = new Set<(jobId: string) => void>();
  #lastServed: string | null = null;
  readonly #sleep: (ms: number) => Promise<void>;
  /** Work of jobs that came to their end, until it has stopped. */
  readonly #ending = new Map<string, Promise<void>>();
  #recovered = false;
  #scheduleIsPending = false;
  #closing = false;

  constructor(deps: CoordinatorDeps) {
    this.#deps = deps;
    this.#sleep = deps.sleep ?? ((ms) => sleepFor(ms));
    const shared = {
      ...deps,
      sleep: this.#sleep,
      isUnderWay: (job: ActiveJob) => this.#isUnderWay(job),
    };
    this.#publisher = new TaskPublisher(shared);
    this.#merger = new ResultMerger({
      ...shared,
      apply: (job, event) => this.#applyTo(job, event),
    });
    this.#planner = new WavePlanner({
      ...shared,
      limits: deps.exchangeLimits ?? EXCHANGE_LIMITS,
      apply: (job, event) => this.#applyTo(job, event),
      applyNow: (job, event, newChunks) => void this.apply(job.id, event, newChunks),
    });
    this.#answers = new TaskAnswers({
      ...deps,
      isActive: (jobId) => this.#active.has(jobId),
      lookupOf: (jobId, wave) => lookupOfWave(this.#active.get(jobId), wave),
      remake: async (jobId, wave, key) => {
        const job = this.#active.get(jobId);
        return job === undefined ? null : await this.#planner.remake(job, wave, key);
      },
      apply: (jobId, event) => this.apply(jobId, event),
    });
    deps.assemblies.onDamage((jobId, error) => this.#onDamage(jobId, error));
  }

  /** Takes up what an earlier process left unfinished, and starts to listen to the queue. */
  async start(): Promise<void> {
    for (const record of this.#deps.store.unfinishedJobs()) this.#recover(record);
    // Not before all are known: tasks that are out count against the window, whosever they are.
    this.#recovered = true;
    this.#deps.queue.onConnected(() => {
      for (const jobId of [...this.#active.keys()]) {
        void this.applyDurably(jobId, { kind: 'reconnected' });
      }
    });
    await this.#deps.queue.onDeadLetter(async (task, reason) => {
      this.#answers.onDeadLetter(task, reason);
      await Promise.resolve();
    });
    await this.#deps.queue.onAnnouncement((announcement) => this.#onAnnouncement(announcement));
    this.#schedule();
  }

  /** Retries a job at its end. What a damaged one has lost is looked for first, in all its results. */
  async retry(jobId: string): Promise<Decision['verdict']> {
    return this.apply(jobId, { kind: 'retry', lost: await removeLostResults(this.#deps, jobId) });
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

  /** Resolves when nothing of a job that came to its end is under way any more. */
  async ended(jobId: string): Promise<void> {
    while (this.#ending.has(jobId)) await this.#ending.get(jobId);
  }

  /** How far ahead of the workers that live now. */
  window(): TaskWindow {
    return taskWindow(this.#deps.workers.liveCount());
  }

  /** All jobs that are under way in this process. */
  activeJobs(): ActiveJob[] {
    return [...this.#active.values()];
  }

  onChange(listener: (jobId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Commits facts that no decision depends on. Bytes received are committed with the chunks. */
  saveFacts(job: ActiveJob, facts: Partial<JobFacts>): void {
    const before = job.facts;
    job.facts = { ...before, ...facts };
    try {
      this.#commit(job, { state: job.state, changes: [], effects: [], verdict: 'taken' });
    } catch (thrown) {
      job.facts = before;
      throw thrown;
    }
    this.#notify(job.id);
  }

  /** Tells that something the view shows (received bytes) moved, without a commit. */
  touch(jobId: string): void {
    this.#notify(jobId);
  }

  apply(jobId: string, event: JobEvent, newChunks?: readonly NewChunk[]): Decision['verdict'] {
    const job = this.#active.get(jobId) ?? this.#wake(jobId, event);
    if (job === undefined) return 'ignored';
    const decision = decide(job.state, event);
    if (decision.verdict !== 'taken') return decision.verdict;
    this.#commit(job, decision, newChunks);
    job.state = decision.state;
    this.#count(job, decision);
    for (const effect of decision.effects) this.#perform(job, effect);
    job.settle();
    this.#notify(jobId);
    if (isFinal(job.state)) this.#retire(job);
    this.#schedule();
    return 'taken';
  }

  /** As `apply`, tried again while the store cannot commit (a full disk), until the master closes. */
  async applyDurably(jobId: string, event: JobEvent): Promise<void> {
    const job = this.#active.get(jobId);
    if (job !== undefined) await this.#applyTo(job, event);
  }

  /** The same for one life of a job: what is left of an earlier one is nobody's any more. */
  async #applyTo(job: ActiveJob, event: JobEvent): Promise<void> {
    while (this.#isUnderWay(job)) {
      try {
        this.apply(job.id, event);
        return;
      } catch (thrown) {
        this.#deps.log.error({ jobId: job.id, event: event.kind, err: thrown }, 'commit failed');
        await this.#sleep(COMMIT_RETRY_MS);
      }
    }
  }

  #isUnderWay(job: ActiveJob): boolean {
    return !this.#closing && this.#active.get(job.id) === job;
  }

  #commit(job: ActiveJob, decision: Decision, newChunks?: readonly NewChunk[]): void {
    job.updatedAt = new Date(this.#deps.now()).toISOString();
    const facts = job.unsavedFacts();
    const { chunkCount } = decision.state;
    this.#deps.store.commit({
      jobId: job.id,
      updatedAt: job.updatedAt,
      state: decision.state,
      changes: decision.changes,
      ...(facts === null ? {} : { facts }),
      ...(newChunks === undefined ? {} : { newChunks }),
      // Waves that are planned anew: what was planned is nobody's any more.
      ...(chunkCount < job.state.chunkCount ? { dropFrom: chunkCount } : {}),
    });
    if (facts !== null) job.factsSaved(facts);
  }

  /** Only `retry`, and damage that is found, bring a job back that had come to its end. */
  #wake(jobId: string, event: JobEvent): ActiveJob | undefined {
    if (event.kind !== 'retry' && event.kind !== 'result-damaged') return undefined;
    const record = this.#deps.store.job(jobId);
    if (record === null) return undefined;
    const job = new ActiveJob(record, this.#deps.now);
    if (decide(job.state, event).verdict !== 'taken') return job;
    this.#active.set(jobId, job);
    const ending = this.#ending.get(jobId);
    if (ending !== undefined) job.enqueue(() => ending);
    return job;
  }

  #retire(job: ActiveJob): void {
    this.#active.delete(job.id);
    job.abort(new SluiceError('aborted', `the job is ${job.state.status}`));
    const ending = job.idle().finally(() => {
      if (this.#ending.get(job.id) === ending) this.#ending.delete(job.id);
    });
    this.#ending.set(job.id, ending);
  }

  #recover(record: JobRecord): void {
    const job = new ActiveJob(record, this.#deps.now);
    this.#active.set(record.id, job);
    const error = outdatedError(record.facts);
    if (error !== null) {
      this.apply(record.id, { kind: 'input-failed', error });
      return;
    }
    // Merges are kept in memory only: the merged prefix is read back before anything goes on.
    const { watermark } = record.state;
    job.enqueue(() => this.#merger.rebuild(job, watermark));
    const inputIsResumable = record.facts.upload !== undefined;
    this.apply(record.id, { kind: 'recovered', inputIsResumable });
  }

  /** Fills the window now, or as soon as the store commits again. */
  #schedule(): void {
    if (this.#closing || !this.#recovered || this.#scheduleIsPending) return;
    try {
      this.#fillWindow();
    } catch (thrown) {
      this.#deps.log.error({ err: thrown }, 'commit failed');
      this.#scheduleIsPending = true;
      void this.#sleep(COMMIT_RETRY_MS).then(() => {
        this.#scheduleIsPending = false;
        this.#schedule();
      });
    }
  }

  /** Publishes tasks up to the window's bound, job by job in turn. */
  #fillWindow(): void {
    const { tasks, aheadChunks } = this.window();
    const jobs = [...this.#active.values()];
    const running = jobs.reduce((sum, { state }) => sum + state.running.length, 0);
    for (let free = tasks - running; free > 0; free--) {
      const publishable = jobs.filter(({ state }) => isPublishable(state, aheadChunks));
      const ids = publishable.map(({ id }) => id);
      const jobId = nextInTurn(ids, this.#lastServed);
      const job = jobId === null ? undefined : this.#active.get(jobId);
      if (job === undefined) return;
      this.#lastServed = job.id;
      const decision = decide(job.state, { kind: 'slot-granted', aheadChunks });
      if (decision.verdict !== 'taken') return;
      this.#commit(job, decision);
      job.state = decision.state;
      for (const effect of decision.effects) this.#perform(job, effect);
    }
  }

  #perform(job: ActiveJob, effect: JobEffect): void {
    switch (effect.kind) {
      case 'publish':
        this.#publisher.publish(job, effect);
        this.counts.tasksPublished += 1;
        return;
      case 'merge':
        job.enqueue(() => this.#merger.merge(job, effect.index));
        return;
      case 'rebuild':
        job.enqueue(() => this.#merger.rebuild(job, effect.watermark));
        return;
      case 'discard-result':
        job.enqueue(() => this.#merger.discard(job, effect.index));
        return;
      case 'plan-wave':
        job.enqueue(() => this.#planner.plan(job, effect.wave));
        return;
      case 'finalize':
        job.enqueue(() => this.#merger.finalize(job));
        return;
      case 'revoke':
        void this.#revoke(job.id, effect.round);
        return;
      case 'abort-input':
        job.abort(abortReason(job.state));
        return;
    }
  }

  /**
   * Not before the decision survives a loss of power: workers remember it, and would drop the tasks of a
   * job that goes on as before.
   */
  async #revoke(jobId: string, round: number): Promise<void> {
    try {
      await this.#deps.store.sync();
      this.#deps.queue.revoke(jobId, round);
    } catch (thrown) {
      this.#deps.log.warn({ jobId, err: thrown }, 'tasks are not called back');
    }
  }

  /** The reader is told in any case: a commit that fails must not hide that. */
  #onDamage(jobId: string, error: SluiceError): void {
    this.#deps.log.error({ jobId, err: error }, 'stored result is damaged');
    const damage = { kind: 'result-damaged', error: errorDocument(error) } as const;
    try {
      if (this.apply(jobId, damage) === 'taken') this.counts.resultsDamaged += 1;
    } catch (thrown) {
      this.#deps.log.error({ jobId, err: thrown }, 'commit failed');
    }
  }

  async #onAnnouncement(announcement: Announcement): Promise<void> {
    switch (announcement.kind) {
      case 'worker':
        this.#deps.workers.heartbeat(announcement);
        this.#schedule();
        return;
      case 'result':
        if (!this.#answers.onResult(announcement)) this.counts.announcementsDuplicate += 1;
        return;
      case 'failure':
        await this.#answers.onFailure(announcement);
        return;
    }
  }

  #count(job: ActiveJob, { changes }: Decision): void {
    for (const { index, status, statistics } of changes) {
      if (status === 'failed') this.counts.chunksFailed += 1;
      if (statistics === undefined) continue;
      if (status === 'reused') this.counts.chunksReused += 1;
      else this.counts.chunksDone += 1;
      if (waveOf(job.state, index) === 0) this.counts.recordsIn += statistics.recordsIn;
      job.rate.add(bytesProcessed(job));
    }
  }

  #notify(jobId: string): void {
    for (const listener of this.#listeners) listener(jobId);
  }
}

/** Why the input is read no further: what its sender is told. */
function abortReason({ error }: JobState): SluiceError {
  if (error === null) return new SluiceError('aborted', 'the job was cancelled');
  return new SluiceError(error.code, error.message, { details: error.details });
}
