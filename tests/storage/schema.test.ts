import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decide } from '../../master/coordination/decide.ts';
import { INITIAL_JOB_STATE, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import { doneCount, jobTotals } from '../../master/coordination/waves.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';

/** The tables as version 1 made them. */
const VERSION_1 = `
CREATE TABLE jobs (id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, idempotency_key TEXT UNIQUE,
  facts TEXT NOT NULL, state TEXT NOT NULL) STRICT;
CREATE TABLE chunks (job_id TEXT NOT NULL, idx INTEGER NOT NULL, chunk_key TEXT NOT NULL,
  task_key TEXT NOT NULL, byte_offset INTEGER NOT NULL, bytes INTEGER NOT NULL,
  line INTEGER NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, worker TEXT, ms REAL,
  statistics TEXT, error TEXT, PRIMARY KEY (job_id, idx)) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
`;
const totals = { ...ZERO_STATISTICS, recordsIn: 7, recordsOut: 7, outputBytes: 70 };
const oldFacts = { planText: '', contextKey: 'key', context: { engine: 'old', steps: [] } };

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-schema-'));
  file = path.join(dir, 'jobs.sqlite');
});
afterEach(() => rmSync(dir, { recursive: true }));

function oldState(status: string) {
  const unknown = ['waves', 'waveCount', 'planning'];
  const known = Object.entries(INITIAL_JOB_STATE).filter(([name]) => !unknown.includes(name));
  const counts = { chunkCount: 1, doneCount: 1, reusedCount: 0, totals, watermark: 1 };
  const running = status === 'processing' ? [{ index: 0, attempt: 1 }] : [];
  return { ...Object.fromEntries(known), ...counts, running, status, input: 'complete' };
}

describe('a job store of version 1', () => {
  it('is brought up to date: what was finished stays, what was under way has failed', () => {
    const old = new Database(file);
    old.exec(VERSION_1);
    const insertJob = old.prepare('INSERT INTO jobs VALUES (?, ?, ?, ?, ?, NULL, ?, ?)');
    const insertChunk = old.prepare(
      `INSERT INTO chunks VALUES (?, 0, 'c', 't', 5, 70, 1, 'done', 1, 'w', 1.5, ?, NULL)`,
    );
    for (const status of ['completed', 'processing']) {
      const texts = [JSON.stringify(oldFacts), JSON.stringify(oldState(status))] as const;
      insertJob.run(status, status, status, 'x', 'x', ...texts);
      insertChunk.run(status, JSON.stringify(totals));
    }
    old.close();
    const store = new SqliteJobStore(file);
    const done = store.job('completed')!;
    expect(done.state.status).toBe('completed');
    expect([doneCount(done.state), jobTotals(done.state, 1)]).toEqual([1, totals]);
    expect(done.facts.waves).toEqual([
      {
        contextKey: 'key',
        context: { engine: 'old', steps: [], input: 'chunk', exchange: null },
      },
    ]);
    expect(store.chunk('completed', 0)).toMatchObject({ wave: 0, statistics: totals });
    const underWay = store.job('processing')!;
    expect(underWay.state).toMatchObject({ status: 'failed', running: [], input: 'failed' });
    expect(underWay.state.error?.message).toMatch(/Upload the file again/);
    expect(store.unfinishedJobs()).toEqual([]);
    for (const { state } of [done, underWay]) {
      expect(decide(state, { kind: 'retry' }).verdict).toBe('refused');
    }
    store.close();
    new SqliteJobStore(file).close();
  });

  it('is refused when it is of a version to come', () => {
    const next = new Database(file);
    next.exec('PRAGMA user_version = 99');
    next.close();
    expect(() => new SqliteJobStore(file)).toThrow(/version 99.*use a newer one/);
  });
});
