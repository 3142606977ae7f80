import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createJobFeeds } from '../../master/http/job-feeds.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { Snapshot } from '../../pipeline/protocol/index.ts';
import { FakeMasterService } from '../support/fake-master-service.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A watched job, and all that was told of it on a clock that the test turns. */
function watchedJob() {
  const service = new FakeMasterService();
  const jobId = service.add({ status: 'processing' }).job.id;
  const told: { readonly event: string; readonly atMs: number; readonly document: unknown }[] = [];
  const feeds = createJobFeeds({
    service,
    broadcast: (_, event, document) => told.push({ event, atMs: performance.now(), document }),
    onError: (error) => {
      throw error;
    },
  });
  feeds.join(jobId);
  return {
    service,
    jobId,
    feeds,
    of: (event: string) => told.filter((one) => one.event === event),
    /** Something changes every 10 ms. */
    changeFor: async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 10) {
        service.append(jobId, Buffer.from('x\n'));
        await vi.advanceTimersByTimeAsync(10);
      }
    },
  };
}

const gaps = (times: readonly { readonly atMs: number }[]): number[] =>
  times.slice(1).map(({ atMs }, index) => atMs - (times[index]?.atMs ?? 0));

it('progress is told 4 times a second, profiles once, however often something changes', async () => {
  const { of, changeFor, feeds } = watchedJob();
  await changeFor(2_900);
  const leastMs = 1000 / LIMITS.progressPerSecondMax;
  expect(of('progress')).toHaveLength(12);
  expect(Math.min(...gaps(of('progress')))).toBeGreaterThanOrEqual(leastMs);
  expect(of('profile')).toHaveLength(3);
  expect(Math.min(...gaps(of('profile')))).toBeGreaterThanOrEqual(1_000);
  feeds.close();
});

it('the last change is told when its turn comes, and then nothing is', async () => {
  const { service, jobId, of, changeFor, feeds } = watchedJob();
  await changeFor(500);
  await vi.advanceTimersByTimeAsync(1_000);
  const last = of('progress').at(-1)?.document as Snapshot;
  expect(last.job.recordsIn).toBe(service.getJob(jobId).recordsIn);
  const before = of('progress').length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(of('progress')).toHaveLength(before);
  feeds.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('whom the job waits for is told although nothing of the job changes', async () => {
  const { service, jobId, of, feeds } = watchedJob();
  feeds.greet(jobId, () => undefined);
  await vi.advanceTimersByTimeAsync(10_000);
  const before = of('progress').length;
  Object.assign(service.getJob(jobId), { waitsFor: 'no-worker' });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(of('progress')).toHaveLength(before + 1);
  expect((of('progress').at(-1)?.document as Snapshot).job.waitsFor).toBe('no-worker');
  feeds.close();
});
