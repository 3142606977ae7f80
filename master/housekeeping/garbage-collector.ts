import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';

/** Blobs under suspicion at a time; with more of them further ones wait for a later sweep. */
const SUSPECTS_MAX = 200_000;

/** What the collector asks of the job store. */
export type References = Pick<
  SqliteJobStore,
  'isChunkKeyUsed' | 'isTaskKeyUsed' | 'isContextKeyUsed' | 'isLookupUsed' | 'job' | 'sync'
>;

export interface GarbageCollectorDeps {
  readonly store: References;
  readonly blobs: CollectableBlobStore;
  /** Milliseconds of a clock that only runs forward. */
  readonly now: () => number;
  /**
   * How long a blob that no job refers to stays, at least. An upload stores a blob, or finds it
   * stored, before it commits the row that refers to it: that must take less.
   */
  readonly graceMs: number;
}

interface Suspect {
  readonly version: string;
  readonly sinceMs: number;
}

/**
 * Removes blobs that no job needs. A blob is needed when a row of any job refers to it: chunks and
 * results of all its chunks (for downloads, retries, and quarantined chunks), its contexts and lookups, and
 * its outputs. One that no row refers to is a suspect first, and is removed by a later sweep if all the
 * while no row referred to it and nobody stored or renewed it. Suspects are kept in memory: after a
 * restart the grace begins again, and clocks that jump do not matter.
 */
export class GarbageCollector {
  readonly #deps: GarbageCollectorDeps;
  #suspects = new Map<string, Suspect>();

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps;
  }

  /** Blobs that no job refers to, as the last sweep found it. */
  get suspectCount(): number {
    return this.#suspects.size;
  }

  /** Looks at every blob once. Returns how many were removed. Errors: those of the stores. */
  async sweep(): Promise<number> {
    const { blobs, store } = this.#deps;
    // What no row has referred to since the last sweep, none does after a loss of power.
    await store.sync();
    const before = this.#suspects;
    const next = new Map<string, Suspect>();
    let removed = 0;
    for (const room of Object.keys(ROOMS) as (keyof typeof ROOMS)[]) {
      for await (const name of blobs.list(`${room}/`)) {
        if (this.#isNeeded(name)) continue;
        const suspect = await this.#suspectOf(name, before.get(name));
        if (suspect === null) continue;
        if (this.#isRipe(suspect) && !this.#isNeeded(name)) {
          if (await blobs.deleteUnchanged(name, suspect.version)) removed += 1;
        } else if (next.size < SUSPECTS_MAX) next.set(name, suspect);
      }
    }
    this.#suspects = next;
    return removed;
  }

  async #suspectOf(name: string, known: Suspect | undefined): Promise<Suspect | null> {
    const version = await this.#deps.blobs.version(name);
    if (version === null) return null;
    return known?.version === version ? known : { version, sinceMs: this.#deps.now() };
  }

  #isRipe({ sinceMs }: Suspect): boolean {
    return this.#deps.now() - sinceMs >= this.#deps.graceMs;
  }

  #isNeeded(name: string): boolean {
    const [room = '', key = ''] = name.split('/');
    return ROOMS[room as keyof typeof ROOMS](this.#deps.store, key);
  }
}

/** By the first part of a blob's name: whether a row refers to the key behind it. */
const ROOMS = {
  chunks: (store: References, key: string) => store.isChunkKeyUsed(key),
  results: (store: References, key: string) => store.isTaskKeyUsed(key),
  contexts: (store: References, key: string) => store.isContextKeyUsed(key),
  lookups: (store: References, key: string) => store.isLookupUsed(key),
  outputs: (store: References, jobId: string) => store.job(jobId) !== null,
} as const;
