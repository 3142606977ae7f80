import { pino } from 'pino';
import { expect, it } from 'vitest';
import { emptyWave, INITIAL_JOB_STATE } from '../../master/coordination/job-state.ts';
import { ActiveJob } from '../../master/driver/active-job.ts';
import { WavePlanner, type WavePlannerDeps } from '../../master/driver/wave-planner.ts';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';
import { taskKey } from '../../pipeline/keys/index.ts';

/** A job whose second wave reads the parts of a lookup. */
function jobBeforeLookup(parts: readonly string[]): ActiveJob {
  const part = (key: string) => ({ key, bytes: 10, lines: 1 });
  const lookups = [{ name: 'cities', parts: parts.map(part), dataLine: 1 }];
  const waves = [
    { contextKey: 'c0', context: {} },
    { contextKey: 'c1', context: {}, lookup: 'cities' },
  ];
  const state = { ...INITIAL_JOB_STATE, waves: [emptyWave(0)], waveCount: 2, planning: true };
  return new ActiveJob({ id: 'j', state, facts: { waves, lookups } } as never, () => 0);
}

it('renews what is stored of the results of a wave before rows refer to them', async () => {
  const keys = Array.from({ length: 20 }, (_, at) => `part${at}`);
  const job = jobBeforeLookup(keys);
  const calls: string[] = [];
  const deps = {
    log: pino({ level: 'silent' }),
    limits: EXCHANGE_LIMITS,
    isUnderWay: () => true,
    blobs: { renew: async (name: string) => calls.push(`renew ${name}`) > 0 },
    applyNow: (_job: ActiveJob, _event: unknown, chunks: readonly { taskKey: string }[]) => {
      for (const chunk of chunks) calls.push(`row ${chunk.taskKey}`);
    },
  };
  await new WavePlanner(deps as unknown as WavePlannerDeps).plan(job, 1);
  const taskKeys = keys.map((key) => taskKey(key, 'c1'));
  expect(calls).toEqual([
    ...taskKeys.map((key) => `renew results/${key}`),
    ...taskKeys.map((key) => `row ${key}`),
  ]);
});
