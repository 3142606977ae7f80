import { open } from 'node:fs/promises';
import Database from 'libsql';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import type { ChunkStatistics, ChunkStatus } from '../../pipeline/protocol/index.ts';
import type { ChunkChange, JobState } from '../coordination/job-state.ts';
import { inTransaction } from './in-transaction.ts';
import type { ChunkRecord, JobFacts, JobRecord, NewChunk } from './job-record.ts';
import { decodeState, encodeState } from './open-chunks.ts';
import type { OpenChunk } from './open-chunks.ts';
import { openSchema } from './schema.ts';

export interface JobListQuery {
  readonly status: string | null;
  /** Part of the name, any case. */
  readonly q: string | null;
  /** Id of the last job of the page before; jobs come newest first. */
  readonly before: string | null;
  readonly limit: number;
}

/** What one event commits: all of it, or nothing. */
export interface JobCommit {
  readonly jobId: string;
  readonly updatedAt: string;
  readonly state: JobState;
  readonly facts?: JobFacts;
  readonly newChunks?: readonly NewChunk[];
  /** Chunks from this index on are no more: their waves are planned anew. */
  readonly dropFrom?: number;
  readonly changes: readonly ChunkChange[];
}

interface JobRow {
  id: string;
  name: string;
  created_at: string;
  updated_at: string;
  idempotency_key: string | null;
  facts: string;
  state: string;
}

interface ChunkRow {
  idx: number;
  wave: number;
  chunk_key: string;
  task_key: string;
  byte_offset: number;
  bytes: number;
  line: number;
  status: string;
  attempts: number;
  worker: string | null;
  ms: number | null;
  statistics: string | null;
  error: string | null;
}

/** Jobs and chunks in SQLite (WAL). Synchronous: one call is one transaction of some 50 µs. */
export class SqliteJobStore {
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #commit: (commit: JobCommit) => void;
  /** Each statement is prepared once: that costs more than to run it. */
  readonly #statements = new Map<string, Database.Statement>();

  /** `file` may be ':memory:'. Errors: `storage-failed`. */
  constructor(file: string) {
    this.#file = file;
    try {
      this.#db = new Database(file);
      this.#db.exec('PRAGMA journal_mode = WAL');
      this.#db.exec('PRAGMA synchronous = NORMAL');
      this.#db.exec('PRAGMA busy_timeout = 5000');
      openSchema(this.#db);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new SluiceError('storage-failed', `cannot open the job store ${file}: ${reason}`, {
        cause: thrown,
      });
    }
    this.#commit = this.#prepareCommit();
  }

  insertJob(job: JobRecord): void {
    this.#prepared('INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
      job.id,
      job.name,
      job.state.status,
      job.createdAt,
      job.updatedAt,
      job.idempotencyKey,
      JSON.stringify(job.facts),
      encodeState(job.state),
    );
  }

  commit(commit: JobCommit): void {
    this.#commit(commit);
  }

  job(id: string): JobRecord | null {
    const row = this.#prepared('SELECT * FROM jobs WHERE id = ?').get(id) as JobRow | undefined;
    return row === undefined ? null : this.#jobOf(row);
  }

  jobByIdempotencyKey(key: string): JobRecord | null {
    const row = this.#prepared('SELECT * FROM jobs WHERE idempotency_key = ?').get(key) as
      JobRow | undefined;
    return row === undefined ? null : this.#jobOf(row);
  }

  /** The key is free for another job. */
  releaseIdempotencyKey(jobId: string): void {
    this.#prepared('UPDATE jobs SET idempotency_key = NULL WHERE id = ?').run(jobId);
  }

  /** Newest first. */
  jobs(query: JobListQuery): JobRecord[] {
    const where: string[] = [];
    const values: (string | number)[] = [];
    if (query.status !== null) {
      where.push('status = ?');
      values.push(query.status);
    }
    if (query.before !== null) {
      where.push('id < ?');
      values.push(query.before);
    }
    if (query.q !== null) {
      where.push("name LIKE ? ESCAPE '\\'");
      values.push(`%${query.q.replace(/[\\%_]/g, '\\$&')}%`);
    }
    const filter = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
    const rows = this.#prepared(`SELECT * FROM jobs ${filter} ORDER BY id DESC LIMIT ?`).all(
      ...values,
      query.limit,
    ) as JobRow[];
    return rows.map((row) => this.#jobOf(row));
  }

  /** Jobs that are not at an end: what a restarted master goes on with. */
  unfinishedJobs(): JobRecord[] {
    const rows = this.#prepared(
      `SELECT * FROM jobs WHERE status IN ('receiving', 'processing', 'finalizing', 'paused')
         ORDER BY id`,
    ).all() as JobRow[];
    return rows.map((row) => this.#jobOf(row));
  }

  chunk(jobId: string, index: number): ChunkRecord | null {
    const row = this.#prepared('SELECT * FROM chunks WHERE job_id = ? AND idx = ?').get(
      jobId,
      index,
    ) as ChunkRow | undefined;
    return row === undefined ? null : chunkOf(row);
  }

  /** Name of the chunk's result; null when there is no such chunk. */
  taskKey(jobId: string, index: number): string | null {
    const row = this.#prepared('SELECT task_key FROM chunks WHERE job_id = ? AND idx = ?').get(
      jobId,
      index,
    ) as Pick<ChunkRow, 'task_key'> | undefined;
    return row?.task_key ?? null;
  }

  /** Chunks `[from, from + limit)` in file order. */
  chunks(jobId: string, from: number, limit: number): ChunkRecord[] {
    const rows = this.#prepared(
      'SELECT * FROM chunks WHERE job_id = ? AND idx >= ? ORDER BY idx LIMIT ?',
    ).all(jobId, from, limit) as ChunkRow[];
    return rows.map(chunkOf);
  }

  /** Keys of all chunks in file order. */
  chunkKeys(jobId: string): string[] {
    const rows = this.#prepared('SELECT chunk_key FROM chunks WHERE job_id = ? ORDER BY idx')
      .raw()
      .all(jobId) as [string][];
    return rows.map(([key]) => key);
  }

  /** One character a chunk in file order, from its status. */
  chunkMap(jobId: string): string {
    const rows = this.#prepared('SELECT status FROM chunks WHERE job_id = ? ORDER BY idx')
      .raw()
      .all(jobId) as [string][];
    return rows.map(([status]) => MAP_LETTERS[status as ChunkStatus]).join('');
  }

  deleteJob(id: string): void {
    inTransaction(this.#db, () => {
      this.#prepared('DELETE FROM chunks WHERE job_id = ?').run(id);
      this.#prepared('DELETE FROM jobs WHERE id = ?').run(id);
    });
  }

  /** The job's first chunk with that result. */
  chunkOfTask(jobId: string, taskKey: string): ChunkRecord | null {
    const row = this.#prepared(
      'SELECT * FROM chunks WHERE task_key = ? AND job_id = ? ORDER BY idx LIMIT 1',
    ).get(taskKey, jobId) as ChunkRow | undefined;
    return row === undefined ? null : chunkOf(row);
  }

  /** Whether a chunk of any job refers to the result. */
  isTaskKeyUsed(taskKey: string): boolean {
    const found = this.#prepared('SELECT 1 FROM chunks WHERE task_key = ? LIMIT 1').get(taskKey);
    return found !== undefined;
  }

  /** Whether a chunk of any job has these bytes, or a part of a lookup, which becomes one. */
  isChunkKeyUsed(key: string): boolean {
    const found = this.#prepared('SELECT 1 FROM chunks WHERE chunk_key = ? LIMIT 1').get(key);
    return found !== undefined || this.isLookupUsed(key);
  }

  /** Whether any job came with a lookup of this hash, as a file or decoded, or with such a part. */
  isLookupUsed(key: string): boolean {
    const sql = 'SELECT 1 FROM jobs WHERE instr(facts, ?) > 0 LIMIT 1';
    return this.#prepared(sql).get(key) !== undefined;
  }

  /** Whether any job was computed by the context. */
  isContextKeyUsed(key: string): boolean {
    const found = this.#prepared('SELECT 1 FROM jobs WHERE instr(facts, ?) > 0 LIMIT 1').get(key);
    return found !== undefined;
  }

  /** Jobs at their end, those that changed last first. */
  finishedJobs(): { readonly id: string; readonly updatedMs: number }[] {
    const rows = this.#prepared(
      `SELECT id, updated_at FROM jobs
         WHERE status IN ('completed', 'completed_with_failures', 'failed', 'cancelled')
         ORDER BY updated_at DESC, id DESC`,
    ).all() as { id: string; updated_at: string }[];
    return rows.map(({ id, updated_at }) => ({ id, updatedMs: Date.parse(updated_at) }));
  }

  /**
   * Resolves when all that is committed survives a loss of power, which `commit` alone does not
   * promise: it hands the log to the system, and the disk gets it later.
   */
  async sync(): Promise<void> {
    if (this.#file === ':memory:') return;
    try {
      const log = await open(`${this.#file}-wal`, 'r+');
      try {
        await log.datasync();
      } finally {
        await log.close();
      }
    } catch (thrown) {
      // Without a log all is in the database file, where a checkpoint has synced it.
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw toSluiceError(thrown);
    }
  }

  close(): void {
    this.#db.close();
  }

  #jobOf(row: JobRow): JobRecord {
    const state = decodeState(row.state, ({ watermark, cursor }) => ({
      open: this.#prepared(OPEN_CHUNKS).all(row.id, watermark, cursor) as OpenChunk[],
      failed: (this.#prepared(FAILED_CHUNKS).all(row.id) as { idx: number }[]).map(
        ({ idx }) => idx,
      ),
    }));
    return {
      id: row.id,
      name: row.name,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      idempotencyKey: row.idempotency_key,
      facts: JSON.parse(row.facts) as JobFacts,
      state,
    };
  }

  #prepared(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #prepareCommit(): (commit: JobCommit) => void {
    const saveState = this.#db.prepare(
      'UPDATE jobs SET status = ?, updated_at = ?, state = ?, facts = coalesce(?, facts) WHERE id = ?',
    );
    const insertChunk = this.#db.prepare(
      `INSERT INTO chunks (job_id, idx, wave, chunk_key, task_key, byte_offset, bytes, line, status,
        attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0)`,
    );
    const dropChunks = this.#db.prepare('DELETE FROM chunks WHERE job_id = ? AND idx >= ?');
    const changeChunk = this.#db.prepare(
      `UPDATE chunks SET status = ?, attempts = coalesce(?, attempts), worker = coalesce(?, worker),
        ms = coalesce(?, ms), statistics = coalesce(?, statistics), error = ?
       WHERE job_id = ? AND idx = ?`,
    );
    const save = (commit: JobCommit): void => {
      const { state, facts, newChunks = [], dropFrom } = commit;
      const factsText = facts === undefined ? null : JSON.stringify(facts);
      saveState.run(state.status, commit.updatedAt, encodeState(state), factsText, commit.jobId);
      if (dropFrom !== undefined) dropChunks.run(commit.jobId, dropFrom);
      for (const { index, wave, chunkKey, taskKey, byteOffset, bytes, line } of newChunks) {
        insertChunk.run(commit.jobId, index, wave, chunkKey, taskKey, byteOffset, bytes, line);
      }
      for (const change of commit.changes) {
        changeChunk.run(
          change.status,
          change.attempts ?? null,
          change.worker ?? null,
          change.ms ?? null,
          change.statistics === undefined ? null : JSON.stringify(change.statistics),
          change.error == null ? null : JSON.stringify(change.error),
          commit.jobId,
          change.index,
        );
      }
    };
    // One statement is whole or not at all by itself.
    return (commit) =>
      isOneStatement(commit) ? save(commit) : inTransaction(this.#db, () => save(commit));
  }
}

function isOneStatement({ newChunks = [], changes, dropFrom }: JobCommit): boolean {
  return newChunks.length === 0 && changes.length === 0 && dropFrom === undefined;
}

const OPEN_CHUNKS = `SELECT idx AS "index", status, attempts FROM chunks
  WHERE job_id = ? AND idx >= ? AND (status <> 'queued' OR idx < ?) ORDER BY idx`;
const FAILED_CHUNKS = `SELECT idx FROM chunks WHERE job_id = ? AND status = 'failed' ORDER BY idx`;

const MAP_LETTERS: Record<ChunkStatus, string> = {
  queued: 'q',
  running: 'r',
  done: 'd',
  reused: 'u',
  failed: 'f',
};

function chunkOf(row: ChunkRow): ChunkRecord {
  return {
    index: row.idx,
    wave: row.wave,
    chunkKey: row.chunk_key,
    taskKey: row.task_key,
    byteOffset: row.byte_offset,
    bytes: row.bytes,
    line: row.line,
    status: row.status as ChunkStatus,
    attempts: row.attempts,
    worker: row.worker,
    ms: row.ms,
    statistics: row.statistics === null ? null : (JSON.parse(row.statistics) as ChunkStatistics),
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorDocument),
  };
}
