import type { Logger } from 'pino';
import type { TaskMessage, TaskProducer } from '../../pipeline/protocol/index.ts';
import type { Attempt } from '../coordination/job-state.ts';
import { plannedWave } from '../coordination/waves.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { ActiveJob } from './active-job.ts';

/** Between tries of a publish that the queue refused for longer than it waits itself. */
const PUBLISH_RETRY_MS = 1_000;

export interface TaskPublisherDeps {
  readonly store: SqliteJobStore;
  readonly queue: TaskProducer;
  readonly log: Logger;
  readonly sleep: (ms: number) => Promise<void>;
  /** Whether this is the job's present life, and it is not at its end. */
  readonly isUnderWay: (job: ActiveJob) => boolean;
}

/** Hands tasks to the queue, again and again until it has them, as long as they are running. */
export class TaskPublisher {
  readonly #deps: TaskPublisherDeps;

  constructor(deps: TaskPublisherDeps) {
    this.#deps = deps;
  }

  publish(job: ActiveJob, { index, attempt }: Attempt): void {
    const chunk = this.#deps.store.chunk(job.id, index);
    if (chunk === null) return;
    const contextKey = job.facts.waves?.[plannedWave(job.state, chunk.wave)]?.contextKey;
    if (contextKey === undefined) return;
    const { taskKey, chunkKey, bytes } = chunk;
    void this.#publishUntilStored(job, {
      ...{ v: 1, taskKey, jobId: job.id, chunkIndex: index, chunkKey, contextKey, bytes, attempt },
      round: job.state.round,
    });
  }

  async #publishUntilStored(job: ActiveJob, task: TaskMessage): Promise<void> {
    const { jobId, chunkIndex, attempt, round } = task;
    const name = `${round}/${chunkIndex}/${attempt}`;
    // One that waits for the broker's return goes out when it is back.
    if (job.publishing.has(name)) return;
    job.publishing.add(name);
    const isRunning = (): boolean =>
      job.state.round === round &&
      job.state.running.some((one) => one.index === chunkIndex && one.attempt === attempt);
    while (this.#deps.isUnderWay(job) && isRunning()) {
      try {
        await this.#deps.queue.publish(task);
        break;
      } catch (thrown) {
        this.#deps.log.warn({ jobId, chunkIndex, err: thrown }, 'publish failed');
        await this.#deps.sleep(PUBLISH_RETRY_MS);
      }
    }
    job.publishing.delete(name);
  }
}
