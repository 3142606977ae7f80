import pLimit from 'p-limit';
import {
  type ErrorCode,
  type SluiceError,
  errorDocument,
  toSluiceError,
} from '../pipeline/errors.ts';
import type { ChunkResult } from '../pipeline/execution/chunk-program.ts';
import { LIMITS } from '../pipeline/limits.ts';
import type {
  ChunkStatistics,
  FailureAnnouncement,
  ResultAnnouncement,
  TaskMessage,
  Verdict,
} from '../pipeline/protocol/index.ts';
import {
  RESULT_HEAD_BYTES,
  encodeResult,
  readResultHead,
  resultBytes,
} from '../pipeline/result/result-format.ts';
import { ChunkMemory } from './chunk-memory.ts';
import type { ProgramCache } from './program-cache.ts';
import type { WorkerBlobs } from './storage/worker-blobs.ts';
import { fetchInputs } from './task-inputs.ts';
import type { InputRooms, TaskInputs } from './task-inputs.ts';

export interface TaskRunnerDeps {
  readonly worker: string;
  readonly blobs: WorkerBlobs;
  readonly programs: ProgramCache;
  /** Resolves when the announcement is stored where the master finds it. */
  readonly announce: (announcement: ResultAnnouncement | FailureAnnouncement) => Promise<void>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Resolves when every message that has come to this process was heard. */
  readonly turn: () => Promise<void>;
  /** A computation takes a turn after so long. */
  readonly sliceMs: number;
  /** A task that has not come to its computation by then is given back. */
  readonly isDraining: () => boolean;
  readonly onComputing: (task: TaskMessage) => void;
}

/** What became of a delivery: for the verdict, and for the worker's figures. */
export type TaskOutcome =
  | { readonly kind: 'done'; readonly statistics: ChunkStatistics; readonly busyMs: number }
  | { readonly kind: 'reused'; readonly statistics: ChunkStatistics }
  | { readonly kind: 'failed'; readonly error: SluiceError }
  /** Given back: nothing is wrong with the task. */
  | { readonly kind: 'returned'; readonly error: SluiceError | null };

interface Result {
  readonly statistics: ChunkStatistics;
  readonly resultBytes: number;
  /** Milliseconds of computation; null when the result was found. */
  readonly busyMs: number | null;
}

/** Troubles of this worker's surroundings, not of the task: somebody else may do it, or we later. */
const RETURNED: ReadonlySet<ErrorCode> = new Set([
  'aborted',
  'closing',
  'broker-unavailable',
  'master-unavailable',
  'storage-failed',
  'engine-mismatch',
  'unauthorized',
  'forbidden',
]);

export function verdictOf(outcome: TaskOutcome): Verdict {
  return outcome.kind === 'returned' ? 'requeue' : 'ack';
}

/**
 * The life of one task: its result is stored already, or what it needs is fetched, the plan is run, and the result is stored; then it is announced; the caller acknowledges after that. Two tasks
 * fetch while one computes.
 */
export class TaskRunner {
  readonly #deps: TaskRunnerDeps;
  readonly #fetching = pLimit(LIMITS.workerPrefetchTasks);
  readonly #computing = pLimit(1);
  readonly #memory = { chunk: new ChunkMemory(), slices: new ChunkMemory() };

  constructor(deps: TaskRunnerDeps) {
    this.#deps = deps;
  }

  /** Never rejects. `signal` says that the delivery is void. */
  async run(task: TaskMessage, signal: AbortSignal): Promise<TaskOutcome> {
    const startedMs = this.#deps.now();
    try {
      const result = await this.#resultOf(task, signal);
      if (result === null) return { kind: 'returned', error: null };
      const { statistics, busyMs } = result;
      await this.#deps.announce({
        ...this.#address(task, startedMs),
        kind: 'result',
        reused: busyMs === null,
        statistics,
        resultBytes: result.resultBytes,
      });
      return busyMs === null
        ? { kind: 'reused', statistics }
        : { kind: 'done', statistics, busyMs };
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (RETURNED.has(error.code)) return { kind: 'returned', error };
      return await this.#announceFailure(task, error, startedMs);
    }
  }

  /** The durable result, found or made; null when the task is to be given back. */
  async #resultOf(task: TaskMessage, signal: AbortSignal): Promise<Result | null> {
    const [chunk, slices] = [this.#memory.chunk.lend(), this.#memory.slices.lend()];
    try {
      return await this.#foundOrMade(task, signal, { chunk: chunk.room, slices: slices.room });
    } finally {
      chunk.giveBack();
      slices.giveBack();
    }
  }

  async #foundOrMade(
    task: TaskMessage,
    signal: AbortSignal,
    rooms: InputRooms,
  ): Promise<Result | null> {
    const name = `results/${task.taskKey}`;
    const fetched = await this.#fetching(async () => {
      if (this.#isVoid(signal)) return null;
      return (await this.#stored(name)) ?? (await fetchInputs(this.#deps, task, rooms));
    });
    if (fetched === null || 'statistics' in fetched) return fetched;
    const computed = await this.#computing(async () => {
      // What came while the task before was computed is heard first: this one may be void.
      await this.#deps.turn();
      if (this.#isVoid(signal)) return null;
      this.#deps.onComputing(task);
      const startedMs = this.#deps.now();
      const { bytes } = fetched;
      const content = await this.#compute(fetched, signal);
      if (content === null) return null;
      const parts = encodeResult(content, { bytes, sha256: task.chunkKey });
      return { content, parts, busyMs: this.#deps.now() - startedMs };
    });
    if (computed === null) return null;
    const { content, parts, busyMs } = computed;
    await this.#deps.blobs.put(name, parts);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    return { statistics: content.statistics, resultBytes: bytes, busyMs };
  }

  /** Null when the task was called back meanwhile. A lost connection is no reason to stop. */
  async #compute(
    { program, bytes, slices }: TaskInputs,
    signal: AbortSignal,
  ): Promise<ChunkResult | null> {
    const steps = program.steps(bytes, slices);
    let sinceMs = this.#deps.now();
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (this.#deps.now() - sinceMs < this.#deps.sliceMs) continue;
      await this.#deps.turn();
      if (signal.aborted && toSluiceError(signal.reason).code === 'aborted') return null;
      sinceMs = this.#deps.now();
    }
  }

  async #stored(name: string): Promise<Result | null> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#deps.blobs.getRange(name, 0, RESULT_HEAD_BYTES);
    } catch (thrown) {
      if (toSluiceError(thrown).code === 'blob-missing') return null;
      throw thrown;
    }
    const head = readResultHead(bytes);
    return { statistics: head.statistics, resultBytes: resultBytes(head), busyMs: null };
  }

  async #announceFailure(
    task: TaskMessage,
    error: SluiceError,
    startedMs: number,
  ): Promise<TaskOutcome> {
    try {
      await this.#deps.announce({
        ...this.#address(task, startedMs),
        kind: 'failure',
        retryable: error.retryable,
        error: errorDocument(error),
      });
      return { kind: 'failed', error };
    } catch (thrown) {
      return { kind: 'returned', error: toSluiceError(thrown) };
    }
  }

  #isVoid(signal: AbortSignal): boolean {
    return signal.aborted || this.#deps.isDraining();
  }

  #address(task: TaskMessage, startedMs: number) {
    const { taskKey, jobId, chunkIndex, attempt } = task;
    const ms = this.#deps.now() - startedMs;
    return { v: 1 as const, taskKey, jobId, chunkIndex, attempt, worker: this.#deps.worker, ms };
  }
}
