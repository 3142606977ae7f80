import type { JobRecord } from '../../master/storage/job-record.ts';
import type { JobCommit, SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import type { Random } from './random.ts';

type Write = (store: SqliteJobStore) => void;

/**
 * The job store's file, as SQLite keeps it in a log (WAL) with `synchronous = NORMAL`: each write is
 * whole or not at all, and is seen by all at once. Of those that came after the last `sync` a loss
 * of power keeps the first ones, as many as it likes (`tests/storage/power-loss.test.ts`).
 */
export class StateDisk {
  readonly #store: SqliteJobStore;
  readonly #random: Random;
  readonly #writes: Write[] = [];
  readonly #jobIds = new Set<string>();
  #syncedCount = 0;

  constructor(store: SqliteJobStore, random: Random) {
    this.#store = store;
    this.#random = random;
  }

  insertJob(record: JobRecord): void {
    this.#jobIds.add(record.id);
    this.#write((store) => store.insertJob(record));
  }

  commit(commit: JobCommit): void {
    this.#write((store) => store.commit(commit));
  }

  deleteJob(id: string): void {
    this.#write((store) => store.deleteJob(id));
  }

  releaseIdempotencyKey(jobId: string): void {
    this.#write((store) => store.releaseIdempotencyKey(jobId));
  }

  /** How many writes there were. */
  get writeCount(): number {
    return this.#writes.length;
  }

  /** The first `count` writes survive whatever comes. */
  synced(count: number): void {
    this.#syncedCount = Math.max(this.#syncedCount, Math.min(count, this.#writes.length));
  }

  /** All processes that have it open have ended. Returns how many writes are lost. */
  losePower(): number {
    const writes = this.#writes;
    const before = writes.length;
    const keepsAll = this.#random.chance(0.3);
    const kept = keepsAll ? before : this.#random.between(this.#syncedCount, before);
    this.clear();
    for (const write of writes.slice(0, kept)) write(this.#store);
    writes.length = kept;
    this.#syncedCount = kept;
    return before - kept;
  }

  clear(): void {
    for (const id of this.#jobIds) this.#store.deleteJob(id);
  }

  #write(write: Write): void {
    write(this.#store);
    this.#writes.push(write);
  }
}
