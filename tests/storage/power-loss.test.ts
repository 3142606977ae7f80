import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newJob } from '../../master/new-job.ts';
import { INITIAL_JOB_STATE } from '../../master/coordination/job-state.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
const COMMITS = 8;

let dir: string;
let store: SqliteJobStore;
let opened = 0;
const fileOf = (name: string) => path.join(dir, name);

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-power-'));
  store = new SqliteJobStore(fileOf('jobs.sqlite'));
  const request = { name: 'a.csv', plan: '', bytesTotal: null, idempotencyKey: null };
  store.insertJob(newJob(request, [], 0, 'a'));
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const commit = (index: number) =>
  store.commit({
    jobId: 'a',
    updatedAt: '2026-01-01T00:00:00.000Z',
    state: { ...INITIAL_JOB_STATE, chunkCount: index + 1 },
    newChunks: [
      {
        ...{ index, wave: 0, chunkKey: `c${index}`, taskKey: `t${index}` },
        ...{ byteOffset: index, bytes: 1, line: index },
      },
    ],
    changes: [],
  });

/** Commits that a store has which is opened on such a log; each has its state and its chunk, or neither. */
function commitsLeft(log: Uint8Array): number {
  // A new name each time: SQLite knows the files that it has open by their names.
  const after = fileOf(`after-${opened++}.sqlite`);
  copyFileSync(fileOf('jobs.sqlite'), after);
  writeFileSync(`${after}-wal`, log);
  const reopened = new SqliteJobStore(after);
  try {
    const count = reopened.job('a')?.state.chunkCount ?? -1;
    expect(reopened.chunks('a', 0, 100).map(({ index }) => index)).toEqual(
      Array.from({ length: count }, (_, index) => index),
    );
    return count;
  } finally {
    reopened.close();
  }
}

describe('a loss of power', () => {
  it('leaves the commits up to the last sync, and of later ones the first few, each whole', async () => {
    for (let index = 0; index < COMMITS / 2; index++) commit(index);
    await store.sync();
    const synced = readFileSync(fileOf('jobs.sqlite-wal'));
    for (let index = COMMITS / 2; index < COMMITS; index++) commit(index);
    const written = readFileSync(fileOf('jobs.sqlite-wal'));
    const sectors = Math.ceil((written.length - synced.length) / SECTOR_BYTES);
    const seen = new Set<number>();
    const kept = fc.oneof(
      // Each sector for itself, or all up to one that is torn.
      fc.array(fc.boolean(), { minLength: sectors, maxLength: sectors }),
      fc.nat(sectors).map((end) => Array.from({ length: sectors }, (_, at) => at < end)),
    );
    fc.assert(
      fc.property(kept, fc.constantFrom(0, 0xff), fc.boolean(), (isKept, filler, isShort) => {
        const log = Buffer.from(written);
        isKept.forEach((keeps, at) => {
          const start = synced.length + at * SECTOR_BYTES;
          if (!keeps) log.fill(filler, start, Math.min(start + SECTOR_BYTES, log.length));
        });
        const end = isShort ? synced.length + isKept.lastIndexOf(true) * SECTOR_BYTES : log.length;
        const count = commitsLeft(log.subarray(0, Math.max(synced.length, end)));
        expect(count).toBeGreaterThanOrEqual(COMMITS / 2);
        expect(count).toBeLessThanOrEqual(COMMITS);
        seen.add(count);
      }),
      { numRuns: 60 },
    );
    // So a commit alone is not enough.
    expect(seen.size).toBeGreaterThan(1);
  });

  it('finds the log on the disk after a sync', async () => {
    const handle = await open(fileOf('any'), 'w');
    const datasync = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'datasync');
    await handle.close();
    try {
      commit(0);
      expect(existsSync(fileOf('jobs.sqlite-wal'))).toBe(true);
      await store.sync();
      expect(datasync).toHaveBeenCalledTimes(1);
    } finally {
      datasync.mockRestore();
    }
  });
});
