import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Coordinator, type CoordinatorDeps } from '../../master/driver/coordinator.ts';
import { WorkerRegistry } from '../../master/driver/worker-registry.ts';
import { newJob } from '../../master/new-job.ts';
import type { JobState } from '../../master/coordination/job-state.ts';
import type { JobWaves } from '../../master/storage/job-record.ts';
import { SqliteJobStore } from '../../master/storage/sqlite-job-store.ts';
import { ENGINE_VERSION } from '../../pipeline/execution/context.ts';

/** A master that starts on a store with one job, of which waves may be known. */
async function started(engine: string | null, state: Partial<JobState>): Promise<JobState> {
  const store = new SqliteJobStore(':memory:');
  const request = { name: 'x', plan: '', bytesTotal: null, idempotencyKey: null };
  const record = newJob(request, [], 0, 'job');
  const waves = engine && ([{ contextKey: 'k', context: { engine } }] as unknown as JobWaves);
  const facts = { ...record.facts, waves: waves || null, upload: UPLOAD };
  store.insertJob({ ...record, facts, state: { ...record.state, ...state } });
  const nothing = () => Promise.resolve();
  const coordinator = new Coordinator({
    ...{ store, now: () => 0, log: pino({ level: 'silent' }), sleep: nothing },
    workers: new WorkerRegistry(() => 0),
    assemblies: { onDamage: () => undefined, rebuild: () => Promise.resolve(null) },
    queue: {
      ...{ publish: nothing, revoke: () => undefined, onConnected: () => undefined },
      ...{ onDeadLetter: nothing, onAnnouncement: nothing },
    },
  } as unknown as CoordinatorDeps);
  await coordinator.start();
  return store.job('job')!.state;
}

const UPLOAD = {
  metadata: null,
  formatHint: null,
  durableBytes: 0,
  resumePoint: null,
  activeAt: '',
};
const UNDER_WAY = { status: 'processing', input: 'complete', chunkCount: 2 } as const;

it('a job that another engine has begun does not go on, and says what to do', async () => {
  const { status, input, error } = await started('sluice-engine-0', UNDER_WAY);
  expect([status, input]).toEqual(['failed', 'failed']);
  expect(error?.message).toMatch(/begun by .*sluice-engine-0.* Upload the file again/);
});

it('one of this engine goes on, and so does one of which nothing was read yet', async () => {
  expect((await started(ENGINE_VERSION, UNDER_WAY)).status).toBe('processing');
  expect((await started(null, {})).status).toBe('receiving');
});

it('one that has come to its end stays as it is', async () => {
  const completed = { status: 'completed', input: 'complete' } as const;
  expect((await started('sluice-engine-0', completed)).status).toBe('completed');
});
