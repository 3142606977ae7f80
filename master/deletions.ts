import type { Assemblies } from './aggregator/assemblies.ts';
import { isFinal } from './coordination/job-state.ts';
import type { Coordinator } from './driver/coordinator.ts';
import type { FinishedJob } from './housekeeping/retention.ts';
import { removeJobBlobs } from './storage/job-blobs.ts';
import type { SqliteJobStore } from './storage/sqlite-job-store.ts';
import type { BlobStore } from '../pipeline/storage/blob-store.ts';

export interface DeletionDeps {
  readonly store: SqliteJobStore;
  readonly blobs: BlobStore;
  readonly coordinator: Coordinator;
  readonly assemblies: Assemblies;
}

/** Deletes jobs, one after another, so that nothing goes that a job which begins meanwhile finds stored. */
export class Deletions {
  readonly #deps: DeletionDeps;
  #last: Promise<void> = Promise.resolve();
  #creatingCount = 0;

  constructor(deps: DeletionDeps) {
    this.#deps = deps;
  }

  /** Runs what creates a job when no deletion is under way that may take what it finds stored. */
  async creating<T>(create: () => Promise<T>): Promise<T> {
    this.#creatingCount += 1;
    try {
      await this.#last;
      return await create();
    } finally {
      this.#creatingCount -= 1;
    }
  }

  /** Deletes the job, whatever it does. Errors: those of the stores. */
  async delete(id: string): Promise<void> {
    const { coordinator, store } = this.#deps;
    const state = coordinator.active(id)?.state ?? store.job(id)?.state;
    if (state !== undefined && !isFinal(state)) coordinator.apply(id, { kind: 'cancel' });
    await this.#inTurn(async () => {
      await coordinator.ended(id);
      // Somebody may have retried it while others were deleted.
      while (coordinator.active(id) !== undefined) {
        coordinator.apply(id, { kind: 'cancel' });
        await coordinator.ended(id);
      }
      await this.#remove(id);
    });
  }

  /** Deletes a job that is kept no longer, unless it changed since. Whether it is deleted. */
  async expire({ id, updatedMs }: FinishedJob): Promise<boolean> {
    const { coordinator, store } = this.#deps;
    return await this.#inTurn(async () => {
      await coordinator.ended(id);
      const job = coordinator.active(id) === undefined ? store.job(id) : null;
      if (job === null || Date.parse(job.updatedAt) !== updatedMs) return false;
      await this.#remove(id);
      return true;
    });
  }

  /** Without a turn in which the job could go on again, before its rows are gone. */
  async #remove(id: string): Promise<void> {
    const { coordinator, assemblies } = this.#deps;
    const isQuiet = coordinator.activeJobs().length === 0 && this.#creatingCount === 0;
    await removeJobBlobs(this.#deps, id, isQuiet);
    assemblies.forget(id);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const deletion = this.#last.then(work);
    const settled = () => undefined;
    this.#last = deletion.then(settled, settled);
    return await deletion;
  }
}
