import { beforeEach, expect, it } from 'vitest';
import { INITIAL_JOB_STATE } from '../../master/coordination/job-state.ts';
import { Deletions, type DeletionDeps } from '../../master/deletions.ts';
import { newJob } from '../../master/new-job.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';

let store: SqliteJobStore;
let active: Set<string>;
let events: string[];
/** Resolves the listing of blobs that a deletion waits for. */
let goOn: () => void;
let deletions: Deletions;

/** Names of blobs, of which there are none, when the test lets them come. */
const NONE: AsyncIterable<string> = {
  [Symbol.asyncIterator]: () => ({
    next: () => new Promise((resolve) => (goOn = () => resolve({ done: true, value: undefined }))),
  }),
};

beforeEach(() => {
  store = new SqliteJobStore(':memory:');
  active = new Set();
  events = [];
  const deps = {
    store,
    blobs: { list: () => NONE, delete: () => Promise.resolve() },
    assemblies: { forget: (id: string) => void events.push(`${id} forgotten`) },
    coordinator: {
      ended: () => Promise.resolve(),
      active: (id: string) => (active.has(id) ? { state: INITIAL_JOB_STATE } : undefined),
      activeJobs: () => [...active],
      apply: (id: string, { kind }: { kind: string }) => {
        events.push(`${id} ${kind}`);
        active.delete(id);
      },
    },
  };
  deletions = new Deletions(deps as unknown as DeletionDeps);
  for (const id of ['a', 'b']) insert(id);
});

function insert(id: string): void {
  const asked = { name: id, plan: '', bytesTotal: null, idempotencyKey: null };
  const record = newJob(asked, [], 1_000, id);
  store.insertJob({ ...record, state: { ...record.state, status: 'completed' } });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('a job that is retried while others are deleted is cancelled, and leaves nothing that runs', async () => {
  const first = deletions.delete('a');
  const second = deletions.delete('b');
  await turn();
  active.add('b');
  goOn();
  await first;
  await turn();
  goOn();
  await second;
  expect(events).toEqual(['a forgotten', 'b cancel', 'b forgotten']);
  expect([store.job('b'), active.size]).toEqual([null, 0]);
});

it('a job that is kept no longer stays when it goes on again, or did so', async () => {
  const first = deletions.expire({ id: 'a', updatedMs: 1_000 });
  const others = [
    deletions.expire({ id: 'b', updatedMs: 1_000 }),
    deletions.expire({ id: 'b', updatedMs: 999 }),
  ];
  await turn();
  active.add('b');
  goOn();
  expect(await first).toBe(true);
  expect(await Promise.all(others)).toEqual([false, false]);
  expect(store.job('b')).not.toBeNull();
  active.clear();
  expect(await deletions.expire({ id: 'b', updatedMs: 999 })).toBe(false);
  expect(events).toEqual(['a forgotten']);
});

it('what creates a job waits for deletions, and those that come then take nothing shared', async () => {
  const blobs: string[] = [];
  const deletion = deletions.delete('a');
  await turn();
  let isCreating = false;
  const created = deletions.creating(async () => {
    isCreating = true;
    await turn();
    blobs.push('found');
  });
  await turn();
  expect(isCreating).toBe(false);
  goOn();
  await Promise.all([deletion, created]);
  expect(blobs).toEqual(['found']);
});
