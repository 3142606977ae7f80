import type { Attempt, JobState } from '../../master/coordination/job-state.ts';
import { addStatistics, ZERO_STATISTICS, isFinal } from '../../master/coordination/job-state.ts';
import { doneCount, reusedCount } from '../../master/coordination/waves.ts';
import { taskWindow } from '../../master/driver/task-window.ts';
import type { ChunkRecord, JobRecord } from '../../master/storage/job-record.ts';
import type { JobCommit } from '../../master/storage/sqlite-job-store.ts';
import { isBalanced } from '../../master/views/account.ts';
import { canonicalJson } from '../../pipeline/keys/index.ts';
import type { Announcement, ChunkStatistics, TaskMessage } from '../../pipeline/protocol/index.ts';

/** Every so many commits, and at a job's end, the state is read back. */
const READ_BACK_EVERY = 20;

/** A broken promise. */
export class Violation extends Error {}

interface Row {
  readonly wave: number;
  status: string;
  attempts: number;
  statistics: ChunkStatistics | null;
}

/** A job as it was last committed. */
export interface CommittedJob {
  state: JobState;
  readonly rows: Row[];
  /** `index.attempt` of tasks that were handed to the queue. */
  readonly published: Set<string>;
  /** Chunks that were published or answered at some time. */
  readonly everAsked: Set<number>;
  /** Where the merge in this master's memory is; null when it holds nothing of the job. */
  merged: number | null;
}

/** Watches every commit and every effect, and holds them against each other. */
export class Invariants {
  readonly jobs = new Map<string, CommittedJob>();
  readonly #workersMax: number;
  readonly #isDurable: (name: string) => boolean;
  #commitCount = 0;

  constructor(workersMax: number, isDurable: (name: string) => boolean) {
    this.#workersMax = workersMax;
    this.#isDurable = isDurable;
  }

  /** The first promise that was broken. It is kept here, since production code catches errors. */
  violation: Violation | null = null;

  /** Keeps what `hold` throws. */
  guard(hold: () => void): void {
    try {
      hold();
    } catch (thrown) {
      if (!(thrown instanceof Violation)) throw thrown;
      this.violation ??= thrown;
    }
  }

  inserted(record: JobRecord): void {
    const { state } = record;
    this.jobs.set(record.id, {
      state,
      rows: [],
      published: new Set(),
      everAsked: new Set(),
      merged: null,
    });
  }

  deleted(jobId: string): void {
    this.jobs.delete(jobId);
  }

  /** After a loss of power: of `jobs`, what of them was committed is this. */
  restored(jobs: readonly { record: JobRecord; chunks: readonly ChunkRecord[] }[]): void {
    const before = new Map(this.jobs);
    this.jobs.clear();
    for (const { record, chunks } of jobs) {
      this.inserted(record);
      const job = this.#job(record.id);
      for (const { wave, status, attempts, statistics } of chunks) {
        job.rows.push({ wave, status, attempts, statistics });
      }
      // What was asked for is not undone.
      const { everAsked = [], published = [] } = before.get(record.id) ?? {};
      for (const index of everAsked) job.everAsked.add(index);
      for (const name of published) job.published.add(name);
    }
  }

  /** The master ended, and what it had merged with it. */
  masterEnded(): void {
    for (const job of this.jobs.values()) job.merged = null;
  }

  /** `read` reads the state back. */
  committed(commit: JobCommit, read: () => JobState | undefined): void {
    this.guard(() => {
      this.#committed(commit);
      this.#commitCount += 1;
      if (this.#commitCount % READ_BACK_EVERY === 0 || isFinal(commit.state)) {
        check(spellingOf(read()) === spellingOf(commit.state), 'a state is read as it was written');
      }
    });
  }

  published(task: TaskMessage): void {
    this.guard(() => this.#published(task));
  }

  announced(announcement: Announcement): void {
    this.guard(() => this.#announced(announcement));
  }

  merging(jobId: string, index: number): void {
    this.guard(() => this.#merging(jobId, index));
  }

  finalizing(jobId: string): void {
    this.guard(() => this.#finalizing(jobId));
  }

  merged(jobId: string, count: number): void {
    const job = this.jobs.get(jobId);
    if (job !== undefined) job.merged = count;
  }

  #committed({ jobId, state: next, newChunks = [], dropFrom, changes }: JobCommit): void {
    const job = this.#job(jobId);
    const before = job.state;
    if (dropFrom !== undefined) job.rows.length = dropFrom;
    for (const { index, wave, chunkKey } of newChunks) {
      check(index === job.rows.length, 'chunks are stored in file order');
      check(this.#isDurable(`chunks/${chunkKey}`), 'a chunk is durable before its row');
      if (wave > 0) checkPlanned(job, before, wave);
      job.rows.push({ wave, status: 'queued', attempts: 0, statistics: null });
    }
    let reopened = (isFinal(before) && !isFinal(next)) || dropFrom !== undefined;
    for (const change of changes) {
      const row = job.rows[change.index];
      check(row !== undefined, 'only stored chunks change');
      const counted = isCounted(row);
      row.status = change.status;
      row.attempts = change.attempts ?? row.attempts;
      row.statistics = change.statistics ?? row.statistics;
      check(!(counted && isCounted(row)), `chunk ${change.index} is counted once`);
      if (counted) {
        reopened = true;
        job.everAsked.add(change.index);
      }
      if (isCounted(row)) {
        check(row.statistics !== null && isBalanced(row.statistics), 'each chunk balances');
      }
    }
    job.state = next;
    checkStatus(before, next);
    checkWaveOrder(job, before);
    const isOut = next.status === 'paused' && next.running.length > 0;
    check(!isOut, 'the tasks of a paused job are called back');
    check(next.watermark >= before.watermark || reopened, 'the watermark does not go back');
    checkCounts(job);
    checkNothingForgotten(job);
  }

  #published(task: TaskMessage): void {
    const job = this.#job(task.jobId);
    const { state, published } = job;
    const { chunkIndex: index, attempt } = task;
    const what = `task ${index}.${attempt}`;
    check(!isFinal(state), `${what} is published while the job is ${state.status}`);
    const isGranted = state.running.some((one) => one.index === index && one.attempt === attempt);
    check(isGranted, `${what} is committed before it is published`);
    const name = `${index}.${attempt}`;
    const isNew = !published.has(name);
    published.add(name);
    if (!isNew) return;
    check(state.status !== 'paused', `${what} is not published while the job is paused`);
    // The watermark may have gone back since a chunk was published first, or answered.
    const isFirst = attempt === 1 && !job.everAsked.has(index);
    job.everAsked.add(index);
    const window = taskWindow(this.#workersMax);
    const isNear = !isFirst || index < state.watermark + window.aheadChunks;
    check(isNear, `${what} is within the reorder window`);
    const running = [...this.jobs.values()]
      .filter((one) => !isFinal(one.state))
      .reduce((sum, one) => sum + one.state.running.length, 0);
    check(running <= window.tasks, `${running} tasks are out, more than ${window.tasks}`);
  }

  #announced(announcement: Announcement): void {
    if (announcement.kind !== 'result') return;
    const { taskKey, chunkIndex } = announcement;
    check(this.#isDurable(`results/${taskKey}`), `result ${chunkIndex} is durable when announced`);
  }

  #merging(jobId: string, index: number): void {
    const { state, merged } = this.#job(jobId);
    check(state.merging && state.watermark === index, `the merge of chunk ${index} is committed`);
    check(index >= (merged ?? 0), `chunk ${index} is merged once and in order (after ${merged})`);
  }

  #finalizing(jobId: string): void {
    const { state, rows } = this.#job(jobId);
    check(state.status === 'finalizing', 'the end is committed before the outputs are written');
    const open = rows.findIndex((row) => !isAnswered(row));
    check(open === -1, `chunk ${open} is answered before the end`);
    check(state.waves.length === state.waveCount, 'every wave is planned before the end');
  }

  #job(jobId: string): CommittedJob {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new Violation(`there is no job ${jobId}`);
    return job;
  }
}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Violation(message);
}

/** Tasks that run or wait have no order in the store. */
function spellingOf(state: JobState | undefined): string {
  const sorted = (tasks: readonly Attempt[] = []) => [...tasks].sort((a, b) => a.index - b.index);
  const lists = { running: sorted(state?.running), waiting: sorted(state?.waiting) };
  return canonicalJson({ ...state, ...lists });
}

function isCounted(row: Row): boolean {
  return row.status === 'done' || row.status === 'reused';
}

function isAnswered(row: Row): boolean {
  return isCounted(row) || row.status === 'failed';
}

/** A wave is planned once, of whatever all before it came to. */
function checkPlanned(job: CommittedJob, before: JobState, wave: number): void {
  check(before.planning, `wave ${wave} is planned when it is asked for`);
  check(before.waves.length === wave, `wave ${wave} is planned once`);
  const open = job.rows.findIndex((row) => row.wave < wave && !isAnswered(row));
  check(open === -1, `chunk ${open} is answered before wave ${wave} is planned`);
}

/** A task is granted when all waves before its own are answered. */
function checkWaveOrder({ state, rows }: CommittedJob, before: JobState): void {
  const openWave = rows.find((row) => !isAnswered(row))?.wave;
  for (const { index, attempt } of state.running) {
    const isNew = !before.running.some((one) => one.index === index && one.attempt === attempt);
    const isInTurn = rows[index]?.wave === openWave;
    check(!isNew || isInTurn, `task ${index}.${attempt} waits for the waves before it`);
  }
}

function checkStatus(before: JobState, next: JobState): void {
  if (!isFinal(before)) return;
  const left = next.status !== before.status;
  check(!left || before.status !== 'cancelled', `a cancelled job becomes ${next.status}`);
  const isDamage = before.status === 'completed' && next.status === 'completed_with_failures';
  check(!left || isDamage || !isFinal(next), `${before.status} becomes ${next.status}`);
}

/** What the state says in numbers is what the chunks' rows say one by one. */
function checkCounts({ state, rows }: CommittedJob): void {
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  check(state.chunkCount === rows.length, 'every chunk has a row');
  const done = doneCount(state);
  check(done === count('done'), `${done} done, but ${count('done')} rows`);
  check(reusedCount(state) === count('reused'), 'reused chunks are counted once');
  const failed = rows.flatMap((row, index) => (row.status === 'failed' ? [index] : []));
  check(state.failed.join() === failed.join(), 'failed chunks are those whose rows say so');
  state.waves.forEach(({ totals, start }, wave) => {
    const of = rows.filter((row) => row.wave === wave);
    check(start === rows.filter((row) => row.wave < wave).length, 'waves follow each other');
    const sum = of
      .filter(isCounted)
      .reduce((total, row) => addStatistics(total, row.statistics!), ZERO_STATISTICS);
    check(JSON.stringify(sum) === JSON.stringify(totals), 'totals are the sum of all chunks');
  });
  check(state.watermark <= rows.length, 'the watermark is within the input');
  const below = rows.slice(0, state.watermark);
  const open = below.findIndex((row) => !isAnswered(row));
  check(open === -1, `chunk ${open} is answered before the watermark passes it`);
  if (state.status === 'completed') check(rows.every(isCounted), 'a completed job has every chunk');
}

/** Each chunk is answered, or somebody will ask for it, once. */
function checkNothingForgotten({ state, rows }: CommittedJob): void {
  if (isFinal(state)) return;
  const asked = [...state.running, ...state.waiting].map(({ index }) => index);
  check(new Set(asked).size === asked.length, 'a chunk is asked for once at a time');
  rows.forEach((row, index) => {
    const isAsked = asked.includes(index);
    check(!(isAnswered(row) && isAsked), `chunk ${index} is answered and asked for`);
    const isKnown = isAnswered(row) || isAsked || index >= state.cursor;
    check(isKnown, `chunk ${index} is forgotten: neither answered, nor asked for`);
  });
}
