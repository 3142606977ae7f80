import type Database from 'libsql';
import { SluiceError } from '../../pipeline/errors.ts';
import { emptyWave } from '../coordination/job-state.ts';
import { inTransaction } from './in-transaction.ts';

const VERSION = 3;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  idempotency_key TEXT UNIQUE,
  facts TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, id);
CREATE TABLE IF NOT EXISTS chunks (
  job_id TEXT NOT NULL,
  idx INTEGER NOT NULL,
  wave INTEGER NOT NULL,
  chunk_key TEXT NOT NULL,
  task_key TEXT NOT NULL,
  byte_offset INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  line INTEGER NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  worker TEXT,
  ms REAL,
  statistics TEXT,
  error TEXT,
  PRIMARY KEY (job_id, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_by_task ON chunks (task_key);
CREATE INDEX IF NOT EXISTS chunks_by_key ON chunks (chunk_key);
CREATE INDEX IF NOT EXISTS chunks_failed ON chunks (job_id, idx) WHERE status = 'failed';
PRAGMA user_version = 3;
`;

/** Makes the tables, or brings those of an earlier version up to date. Errors: `storage-failed`. */
export function openSchema(db: Database.Database): void {
  const version = versionOf(db);
  if (version > VERSION) {
    throw new SluiceError(
      'storage-failed',
      `it is of version ${version}, and this Sluice knows versions up to ${VERSION}: use a newer one`,
    );
  }
  inTransaction(db, () => {
    if (version === 1) addWaves(db);
    db.exec(SCHEMA);
  });
}

function versionOf(db: Database.Database): number {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
  return row.user_version;
}

/**
 * Version 1 knew no waves: its jobs had one. Their results are of an earlier engine, so that none of
 * them goes on: what was under way has failed, and nothing can be retried.
 */
function addWaves(db: Database.Database): void {
  db.exec('ALTER TABLE chunks ADD COLUMN wave INTEGER NOT NULL DEFAULT 0');
  const rows = db.prepare('SELECT id, status, facts, state FROM jobs').all() as OldRow[];
  const save = db.prepare('UPDATE jobs SET status = ?, facts = ?, state = ? WHERE id = ?');
  for (const row of rows) {
    const { context, contextKey, ...facts } = JSON.parse(row.facts) as OldFacts;
    const { doneCount, reusedCount, totals, ...state } = JSON.parse(row.state) as OldState;
    const waves = context === null ? null : [{ contextKey, context: withExchange(context) }];
    const wave = { ...emptyWave(0), doneCount, reusedCount, totals };
    const common = { ...state, waves: [wave], waveCount: 1, planning: false, input: 'failed' };
    const wasUnderWay = ['receiving', 'processing', 'finalizing', 'paused'].includes(row.status);
    const status = wasUnderWay ? 'failed' : row.status;
    const next = wasUnderWay ? { ...common, ...STOPPED, status, error: OUTDATED } : common;
    save.run(
      status,
      JSON.stringify({
        ...facts,
        ...NEW_FACTS,
        waves,
        resultFormat: context?.write?.format ?? null,
      }),
      JSON.stringify(next),
      row.id,
    );
  }
}

const NEW_FACTS = { resultPieces: [], lookupFiles: [], lookups: [] };

interface OldRow {
  readonly id: string;
  readonly status: string;
  readonly facts: string;
  readonly state: string;
}

interface OldFacts {
  readonly context: { readonly write?: { readonly format: string } } | null;
  readonly contextKey: string | null;
}

interface OldState {
  readonly doneCount: number;
  readonly reusedCount: number;
  readonly totals: object;
}

const STOPPED = { running: [], waiting: [], merging: false } as const;
const OUTDATED = {
  code: 'aborted',
  message: 'Sluice was updated while the job was under way. Upload the file again.',
  details: {},
} as const;

function withExchange(context: object): object {
  return { ...context, input: 'chunk', exchange: null };
}
