import { describe, expect, it } from 'vitest';
import { INITIAL_JOB_STATE, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import type { JobRecord } from '../../master/storage/job-record.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';

function record(id: string, name = id, idempotencyKey: string | null = null): JobRecord {
  return {
    id,
    name,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    idempotencyKey,
    facts: {
      ...{ planText: '', plan: {}, bytesReceived: 0, bytesTotal: null, inputHash: null },
      ...{ input: null, waves: null, outputColumns: null, shape: null },
      ...{
        resultFormat: null,
        lookupFiles: [],
        lookups: [],
        warnings: [],
        checks: [],
        dataOffset: 0,
        dataLine: 0,
        resultBytes: 0,
        resultPieces: [],
        resultRecords: 0,
      },
    },
    state: INITIAL_JOB_STATE,
  };
}

const newChunk = (index: number) => ({
  ...{
    index,
    wave: 0,
    chunkKey: `c${index}`,
    taskKey: `t${index}`,
    byteOffset: index * 10,
    bytes: 10,
  },
  line: index,
});

describe('SqliteJobStore', () => {
  it('commits state, facts, new chunks and changes of chunks together', () => {
    const store = new SqliteJobStore(':memory:');
    store.insertJob(record('a'));
    for (const index of [0, 1]) {
      store.commit({
        jobId: 'a',
        updatedAt: '2026-01-02T00:00:00.000Z',
        state: { ...INITIAL_JOB_STATE, chunkCount: index + 1 },
        newChunks: [newChunk(index)],
        changes: [],
      });
    }
    const statistics = { ...ZERO_STATISTICS, recordsIn: 7 };
    store.commit({
      jobId: 'a',
      updatedAt: '2026-01-02T00:00:00.000Z',
      state: { ...INITIAL_JOB_STATE, status: 'processing', chunkCount: 2 },
      facts: { ...record('a').facts, bytesReceived: 20 },
      changes: [{ index: 1, status: 'done', attempts: 2, worker: 'w1', ms: 3.5, statistics }],
    });
    expect(store.job('a')?.state.status).toBe('processing');
    expect(store.job('a')?.facts.bytesReceived).toBe(20);
    expect(store.chunk('a', 1)).toMatchObject({
      status: 'done',
      worker: 'w1',
      ms: 3.5,
      statistics,
    });
    expect(store.chunk('a', 0)).toMatchObject({ status: 'queued', statistics: null });
    expect(store.chunkMap('a')).toBe('qd');
    expect(store.isTaskKeyUsed('t1')).toBe(true);
    expect(store.isChunkKeyUsed('c9')).toBe(false);
    store.close();
  });

  it('commits nothing when a part of it fails', () => {
    const store = new SqliteJobStore(':memory:');
    store.insertJob(record('a'));
    const commit = { jobId: 'a', updatedAt: 'x', newChunks: [newChunk(0)], changes: [] };
    store.commit({ ...commit, state: { ...INITIAL_JOB_STATE, chunkCount: 1 } });
    expect(() =>
      store.commit({ ...commit, state: { ...INITIAL_JOB_STATE, chunkCount: 2 } }),
    ).toThrow();
    expect(store.job('a')?.state.chunkCount).toBe(1);
    store.close();
  });

  it('lists newest first, by part of the name and status, page by page', () => {
    const store = new SqliteJobStore(':memory:');
    for (const id of ['1', '2', '3']) store.insertJob(record(id, `100%_file ${id}.CSV`));
    store.insertJob(record('4', 'other'));
    const query = { status: null, q: null, before: null, limit: 2 };
    expect(store.jobs(query).map((job) => job.id)).toEqual(['4', '3']);
    expect(store.jobs({ ...query, before: '3' }).map((job) => job.id)).toEqual(['2', '1']);
    expect(store.jobs({ ...query, limit: 9, q: '%_FILE' }).map((job) => job.id)).toEqual([
      ...['3', '2', '1'],
    ]);
    expect(store.jobs({ ...query, q: '1%' }).map((job) => job.id)).toEqual([]);
    expect(store.jobs({ ...query, status: 'completed' })).toEqual([]);
    store.close();
  });

  it('finds a job by its idempotency key, and takes a key once', () => {
    const store = new SqliteJobStore(':memory:');
    store.insertJob(record('a', 'a', 'key'));
    expect(store.jobByIdempotencyKey('key')?.id).toBe('a');
    expect(() => store.insertJob(record('b', 'b', 'key'))).toThrow();
    store.deleteJob('a');
    expect(store.jobByIdempotencyKey('key')).toBeNull();
    store.close();
  });
});
