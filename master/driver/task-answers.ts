import type { Logger } from 'pino';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type {
  FailureAnnouncement,
  ResultAnnouncement,
  TaskMessage,
} from '../../pipeline/protocol/index.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import { discardIfDamaged, isDamage } from '../aggregator/damaged-result.ts';
import type { Decision, JobEvent, UnreadableResult } from '../coordination/job-state.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import { damagedInput } from './damaged-input.ts';
import { findFailedSlice } from './failed-slices.ts';
import { placeOfFault } from './fault-place.ts';
import { resultLost } from './wave-sources.ts';

export interface TaskAnswersDeps {
  readonly store: SqliteJobStore;
  readonly blobs: CollectableBlobStore;
  readonly log: Logger;
  /** The lookup whose parts are the tasks of a job's wave, if it has such tasks. */
  readonly lookupOf: (jobId: string, wave: number) => Lookup | null;
  readonly isActive: (jobId: string) => boolean;
  /** See `WavePlanner.remake`. */
  readonly remake: (jobId: string, wave: number, key: string) => Promise<UnreadableResult | null>;
  readonly apply: (jobId: string, event: JobEvent) => Decision['verdict'];
}

/**
 * What became of tasks, as events of their jobs. Messages that come late, or twice, or speak of what
 * was planned anew meanwhile, are nobody's. Rejects when store or blobs fail: the message comes again.
 */
export class TaskAnswers {
  readonly #deps: TaskAnswersDeps;

  constructor(deps: TaskAnswersDeps) {
    this.#deps = deps;
  }

  /** Whether the result was news. */
  onResult(result: ResultAnnouncement): boolean {
    if (!this.#isCurrent(result)) return false;
    const { chunkIndex: index, attempt, worker, reused, ms, statistics } = result;
    const about = { index, attempt, worker, reused, ms, statistics };
    return this.#deps.apply(result.jobId, { kind: 'result-announced', ...about }) === 'taken';
  }

  async onFailure(failure: FailureAnnouncement): Promise<void> {
    if (!this.#isCurrent(failure)) return;
    const { store, blobs, apply } = this.#deps;
    const { jobId, taskKey, chunkIndex: index, attempt, worker, ms, retryable } = failure;
    const chunk = store.chunk(jobId, index);
    const lookup = chunk === null ? null : this.#deps.lookupOf(jobId, chunk.wave);
    const rowOf = (at: number) => store.chunk(jobId, at);
    const error = placeOfFault(failure.error as ErrorDocument, chunk, lookup, rowOf);
    const event = { kind: 'attempt-failed', index, attempt, worker, ms, retryable, error } as const;
    if (!isDamage(error)) {
      apply(jobId, event);
      return;
    }
    const isOwnChunk = chunk !== null && error.details['name'] === `chunks/${chunk.chunkKey}`;
    const isPlanned = chunk !== null && chunk.wave > 0 && lookup === null;
    if (isOwnChunk && chunk.wave === 0) {
      const damage = await damagedInput(blobs, error, chunk);
      if (this.#isCurrent(failure)) apply(jobId, { ...event, error: damage });
      return;
    }
    if (isOwnChunk && isPlanned) {
      const lost = await this.#deps.remake(jobId, chunk.wave, chunk.chunkKey);
      if (!this.#isCurrent(failure)) return;
      if (lost !== null) apply(jobId, lost);
      apply(jobId, { ...event, excused: true });
      return;
    }
    // A stored result that cannot be read is in the way of the next attempt's.
    if (error.code === 'blob-corrupt') await discardIfDamaged(blobs, taskKey);
    const slice = await findFailedSlice(this.#deps, jobId, error, taskKey);
    if (!this.#isCurrent(failure)) return;
    // In this order: until the earlier result is there again, the task is not tried.
    if (slice.kind === 'lost') apply(jobId, resultLost(slice.chunk, error));
    apply(jobId, slice.kind === 'none' ? event : { ...event, excused: true });
  }

  onDeadLetter(task: TaskMessage, reason: string): void {
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
    this.#deps.apply(task.jobId, {
      ...{ kind: 'attempt-failed', index: task.chunkIndex, attempt: task.attempt },
      ...{ worker: null, ms: 0, retryable: true, error },
    });
  }

  /** Whether the message speaks of a chunk of a job under way, under the key we gave it. */
  #isCurrent(message: { jobId: string; chunkIndex: number; taskKey: string }): boolean {
    if (!this.#deps.isActive(message.jobId)) return false;
    return this.#deps.store.taskKey(message.jobId, message.chunkIndex) === message.taskKey;
  }
}
