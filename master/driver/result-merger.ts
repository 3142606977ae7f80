import { errorDocument, toSluiceError, type ErrorCode } from '../../pipeline/errors.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { Assemblies } from '../aggregator/assemblies.ts';
import { discardIfDamaged } from '../aggregator/damaged-result.ts';
import type { JobEvent } from '../coordination/job-state.ts';
import type { ChunkRecord } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { ActiveJob } from './active-job.ts';
import { whileStorageFails, type PatienceDeps } from './while-storage-fails.ts';

export interface ResultMergerDeps extends PatienceDeps {
  readonly store: SqliteJobStore;
  readonly blobs: CollectableBlobStore;
  readonly assemblies: Assemblies;
  /** Takes an event of this life of the job, when the store commits it. */
  readonly apply: (job: ActiveJob, event: JobEvent) => Promise<void>;
}

/** Errors that end the job: the same would come again. */
const ENDING: ReadonlySet<ErrorCode> = new Set(['group-limit', 'rejects-over-budget']);

/**
 * Performs what a job's results need: merges in file order, reading back after a restart, and the
 * outputs at the end. Called one after another for each job. A storage that fails is waited for; a
 * result that is damaged is made again.
 */
export class ResultMerger {
  readonly #deps: ResultMergerDeps;

  constructor(deps: ResultMergerDeps) {
    this.#deps = deps;
  }

  /**
   * Merges the chunk at the watermark, if that is still what the job waits for: while the storage
   * fails, the chunk may be called back and made again.
   */
  async merge(job: ActiveJob, index: number): Promise<void> {
    const isWanted = (): boolean => {
      const { merging, watermark } = job.state;
      return this.#deps.isUnderWay(job) && merging && watermark === index;
    };
    const wanted = (): ChunkRecord | null => {
      const chunk = isWanted() ? this.#deps.store.chunk(job.id, index) : null;
      return chunk?.statistics == null ? null : chunk;
    };
    const mergeWanted = async (): Promise<boolean> => {
      const chunk = wanted();
      if (chunk !== null) await this.#deps.assemblies.merge(job, chunk);
      return chunk !== null;
    };
    let isMerged: boolean;
    try {
      isMerged = await whileStorageFails(this.#deps, job, mergeWanted);
    } catch (thrown) {
      const chunk = wanted();
      if (chunk !== null) await this.#onMergeFailed(job, chunk, 'merge-failed', thrown);
      return;
    }
    if (isMerged && isWanted()) await this.#deps.apply(job, { kind: 'chunk-merged', index });
  }

  /** Reads the merged prefix back; from a damaged result on it is merged anew. */
  async rebuild(job: ActiveJob, watermark: number): Promise<void> {
    const { assemblies } = this.#deps;
    try {
      const rebuild = () => assemblies.rebuild(job, watermark);
      const damage = await whileStorageFails(this.#deps, job, rebuild);
      if (damage === null) return;
      await this.#onMergeFailed(job, damage.chunk, 'rebuild-failed', damage.error);
    } catch (thrown) {
      // Never go on without the prefix: what is missing of it would be missing in the result.
      await this.#deps.apply(job, { kind: 'input-failed', error: errorDocument(thrown) });
    }
  }

  async #onMergeFailed(
    job: ActiveJob,
    chunk: ChunkRecord,
    kind: 'merge-failed' | 'rebuild-failed',
    thrown: unknown,
  ): Promise<void> {
    const error = toSluiceError(thrown);
    const { index, attempts, status, statistics } = chunk;
    this.#deps.log.warn({ jobId: job.id, chunkIndex: index, err: error }, 'merge failed');
    if (ENDING.has(error.code) || statistics === null) {
      await this.#deps.apply(job, { kind: 'input-failed', error: errorDocument(error) });
      return;
    }
    await this.#deps.apply(job, {
      ...{ kind, index, attempt: attempts, reused: status === 'reused' },
      statistics,
      error: errorDocument(error),
    });
  }

  /** Makes room for a result that is made again. */
  async discard(job: ActiveJob, index: number): Promise<void> {
    const chunk = this.#deps.store.chunk(job.id, index);
    if (chunk === null) return;
    const { blobs } = this.#deps;
    await whileStorageFails(this.#deps, job, () => discardIfDamaged(blobs, chunk.taskKey));
  }

  /** Writes the job's outputs. */
  async finalize(job: ActiveJob): Promise<void> {
    if (job.state.status !== 'finalizing' || !this.#deps.isUnderWay(job)) return;
    let event: JobEvent;
    try {
      const { facts, verdict } = await this.#deps.assemblies.finalize(job);
      job.facts = { ...job.facts, ...facts };
      event = { kind: 'finalized', verdict };
    } catch (thrown) {
      this.#deps.log.error({ jobId: job.id, err: thrown }, 'finalize failed');
      event = { kind: 'finalize-failed', error: errorDocument(thrown) };
    }
    await this.#deps.apply(job, event);
  }
}
