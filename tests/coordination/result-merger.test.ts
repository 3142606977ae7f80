import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import { INITIAL_JOB_STATE, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import type { JobEvent, JobState } from '../../master/coordination/job-state.ts';
import { ActiveJob } from '../../master/driver/active-job.ts';
import { ResultMerger, type ResultMergerDeps } from '../../master/driver/result-merger.ts';

const MERGING: JobState = {
  ...INITIAL_JOB_STATE,
  ...{ status: 'processing', chunkCount: 3, watermark: 2, merging: true },
};

/** A merger over a storage that fails once; `meanwhile` is what happens until it is tried again. */
function mergerOf(fault: SluiceError, meanwhile: (job: ActiveJob) => void) {
  const job = new ActiveJob({ id: 'j', state: MERGING, facts: {} } as never, () => 0);
  const merged: number[] = [];
  const events: JobEvent[] = [];
  const faults = [fault];
  let attempts = 1;
  const deps = {
    log: pino({ level: 'silent' }),
    sleep: async () => meanwhile(job),
    isUnderWay: () => true,
    apply: async (_job: ActiveJob, event: JobEvent) => void events.push(event),
    store: {
      chunk: (_id: string, index: number) => ({ index, attempts, statistics: ZERO_STATISTICS }),
    },
    assemblies: {
      merge: async (_id: string, { index }: { index: number }) => {
        const next = faults.pop();
        if (next !== undefined) {
          attempts = 2;
          throw next;
        }
        merged.push(index);
      },
    },
  };
  const merger = new ResultMerger(deps as unknown as ResultMergerDeps);
  return { job, merger, merged, events };
}

const disk = new SluiceError('storage-failed', 'EIO');

describe('a merge whose storage fails', () => {
  it('is done when the storage is back', async () => {
    const { job, merger, merged, events } = mergerOf(disk, () => undefined);
    await merger.merge(job, 2);
    expect({ merged, events }).toEqual({
      merged: [2],
      events: [{ kind: 'chunk-merged', index: 2 }],
    });
  });

  it('is left when an earlier chunk was taken back meanwhile', async () => {
    const { job, merger, merged, events } = mergerOf(disk, (stale) => {
      stale.state = { ...stale.state, watermark: 0, merging: false };
    });
    await merger.merge(job, 2);
    expect({ merged, events }).toEqual({ merged: [], events: [] });
  });

  it('tells of damage with the attempt that the chunk has then', async () => {
    const damage = new SluiceError('blob-corrupt', 'bits');
    const { job, merger, events } = mergerOf(damage, () => undefined);
    await merger.merge(job, 2);
    expect(events).toMatchObject([{ kind: 'merge-failed', index: 2, attempt: 2 }]);
  });
});
