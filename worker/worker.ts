import { type SluiceError, toSluiceError } from '../pipeline/errors.ts';
import { LIMITS } from '../pipeline/limits.ts';
import type {
  Delivery,
  TaskConsumer,
  TaskMessage,
  Verdict,
  WorkerState,
  WorkerStatus,
} from '../pipeline/protocol/index.ts';
import type { ProgramCache } from './program-cache.ts';
import type { WorkerBlobs } from './storage/worker-blobs.ts';
import { type TaskOutcome, TaskRunner, verdictOf } from './task-runner.ts';
import { PROCESS_TIMING, type Timing } from './timing.ts';

/** Changes of state are told at most this often: a chunk takes some 30 ms. */
const STATUS_INTERVAL_MS = 250;

/** What the worker tells its log. */
export type WorkerEvent =
  | { readonly kind: 'task-ended'; readonly task: TaskMessage; readonly outcome: TaskOutcome }
  | { readonly kind: 'status-failed'; readonly error: SluiceError };

/** Set when the worker can compute nothing of its master's: others take what it gave back. */
export function mismatchOf(event: WorkerEvent): SluiceError | null {
  if (event.kind !== 'task-ended' || event.outcome.kind !== 'returned') return null;
  const { error } = event.outcome;
  return error?.code === 'engine-mismatch' ? error : null;
}

export interface WorkerDeps {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly consumer: TaskConsumer;
  readonly blobs: WorkerBlobs;
  readonly programs: ProgramCache;
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Bytes this process has in memory. */
  readonly residentBytes: () => number;
  /** The process's own when left out. */
  readonly timing?: Timing;
}

/**
 * One worker: takes tasks, computes one at a time, and tells how it is every `workerHeartbeatMs`
 * and when its state changes.
 *
 * | state    | enters by                  | leaves by                      |
 * | -------- | -------------------------- | ------------------------------ |
 * | starting | construction               | `start`                        |
 * | idle     | `start`, last task settled | first task taken, `stop`       |
 * | working  | a task is taken            | last task settled, `stop`      |
 * | draining | `stop`                     | every task settled             |
 * | stopped  | after draining             |                                |
 */
export class Worker {
  readonly #deps: WorkerDeps;
  readonly #runner: TaskRunner;
  readonly #startedAt = new Date().toISOString();
  readonly #figures = {
    tasksDone: 0,
    tasksReused: 0,
    tasksFailed: 0,
    bytesDone: 0,
    recordsDone: 0,
    busyMs: 0,
  };
  #state: 'starting' | WorkerState = 'starting';
  #heldCount = 0;
  #currentTask: WorkerStatus['currentTask'] = null;
  readonly #timing: Timing;
  #endHeartbeat: (() => void) | null = null;
  #callOffStatus: (() => void) | null = null;
  #statusSentMs = -Infinity;
  #stopping: Promise<void> | null = null;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    this.#timing = deps.timing ?? PROCESS_TIMING;
    this.#runner = new TaskRunner({
      worker: deps.name,
      blobs: deps.blobs,
      programs: deps.programs,
      announce: (announcement) => deps.consumer.announce(announcement),
      now: () => this.#timing.now(),
      turn: () => this.#timing.turn(),
      sliceMs: this.#timing.sliceMs,
      isDraining: () => this.#state === 'draining' || this.#state === 'stopped',
      onComputing: ({ jobId, chunkIndex }) => {
        this.#currentTask = { jobId, chunkIndex };
      },
    });
  }

  get state(): 'starting' | WorkerState {
    return this.#state;
  }

  async start(): Promise<void> {
    this.#enter('idle');
    this.#endHeartbeat = this.#timing.every(LIMITS.workerHeartbeatMs, () => this.#sendStatus());
    await this.#deps.consumer.consume(
      (delivery) => this.#handle(delivery),
      LIMITS.workerPrefetchTasks,
    );
  }

  /** Finishes what is computed, gives the rest back, says goodbye and disconnects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#enter('draining');
    try {
      await this.#deps.consumer.drain();
    } finally {
      this.#endHeartbeat?.();
      this.#callOffStatus?.();
      this.#state = 'stopped';
      this.#currentTask = null;
      await this.#announceStatus();
      await this.#deps.consumer.close();
    }
  }

  async #handle({ task, signal }: Delivery): Promise<Verdict> {
    this.#heldCount++;
    if (this.#state === 'idle') this.#enter('working');
    const outcome = await this.#runner.run(task, signal);
    this.#count(task, outcome);
    this.#deps.onEvent?.({ kind: 'task-ended', task, outcome });
    this.#heldCount--;
    if (this.#heldCount === 0) {
      this.#currentTask = null;
      if (this.#state === 'working') this.#enter('idle');
    }
    return verdictOf(outcome);
  }

  #count(task: TaskMessage, outcome: TaskOutcome): void {
    const figures = this.#figures;
    if (outcome.kind === 'failed') figures.tasksFailed++;
    else if (outcome.kind === 'reused') figures.tasksReused++;
    else if (outcome.kind === 'done') {
      figures.tasksDone++;
      figures.bytesDone += task.bytes;
      figures.recordsDone += outcome.statistics.recordsIn;
      figures.busyMs += outcome.busyMs;
    }
  }

  #enter(state: WorkerState): void {
    this.#state = state;
    if (this.#callOffStatus !== null) return;
    const sinceMs = this.#timing.now() - this.#statusSentMs;
    if (sinceMs >= STATUS_INTERVAL_MS) this.#sendStatus();
    else {
      this.#callOffStatus = this.#timing.after(STATUS_INTERVAL_MS - sinceMs, () => {
        this.#callOffStatus = null;
        this.#sendStatus();
      });
    }
  }

  #sendStatus(): void {
    this.#statusSentMs = this.#timing.now();
    void this.#announceStatus();
  }

  /** A heartbeat that does not arrive is followed by another one. */
  async #announceStatus(): Promise<void> {
    try {
      await this.#deps.consumer.announce(this.#status());
    } catch (thrown) {
      this.#deps.onEvent?.({ kind: 'status-failed', error: toSluiceError(thrown) });
    }
  }

  #status(): WorkerStatus {
    const { name, host, pid, residentBytes } = this.#deps;
    return {
      v: 1,
      kind: 'worker',
      worker: name,
      host,
      pid,
      state: this.#state === 'starting' ? 'idle' : this.#state,
      startedAt: this.#startedAt,
      ...this.#figures,
      residentBytes: residentBytes(),
      currentTask: this.#currentTask,
    };
  }
}
