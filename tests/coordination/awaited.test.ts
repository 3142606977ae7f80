import { expect, it } from 'vitest';
import { awaitedBy } from '../../master/views/awaited.ts';
import type { JobState } from '../../master/coordination/job-state.ts';

const around = { liveWorkers: 2, queueIsConnected: true, backlogChunks: 100 };

/** A job of one wave, of which `done` chunks are answered and `running` are out. */
function job(part: { chunks: number; done: number; running?: number; status?: string }): JobState {
  const { chunks, done, running = 0, status = 'receiving' } = part;
  return {
    status,
    input: status === 'receiving' ? 'open' : 'complete',
    chunkCount: chunks,
    running: Array.from({ length: running }, (_, index) => ({ index })),
    failed: [],
    waves: [{ start: 0, doneCount: done, reusedCount: 0 }],
  } as unknown as JobState;
}

it('nobody waits while work goes on', () => {
  expect(awaitedBy(job({ chunks: 20, done: 3, running: 8 }), around)).toBeNull();
});

it('the workers wait for the upload when all that came is done', () => {
  expect(awaitedBy(job({ chunks: 20, done: 20 }), around)).toBe('upload');
  expect(awaitedBy(job({ chunks: 20, done: 20, status: 'processing' }), around)).toBeNull();
});

it('the upload waits for the workers when the backlog is full', () => {
  expect(awaitedBy(job({ chunks: 103, done: 3, running: 8 }), around)).toBe('workers');
  const whole = job({ chunks: 103, done: 3, running: 8, status: 'processing' });
  expect(awaitedBy(whole, around)).toBeNull();
});

it('a job waits for workers, for the broker, or for its turn', () => {
  const waiting = job({ chunks: 20, done: 3, status: 'processing' });
  expect(awaitedBy(waiting, around)).toBe('turn');
  expect(awaitedBy(waiting, { ...around, liveWorkers: 0 })).toBe('no-worker');
  expect(awaitedBy(waiting, { ...around, queueIsConnected: false })).toBe('broker');
});

it('one that is paused or has ended waits for nobody', () => {
  const none = { ...around, liveWorkers: 0 };
  for (const status of ['paused', 'completed', 'failed', 'cancelled']) {
    expect(awaitedBy(job({ chunks: 20, done: 3, status }), none)).toBeNull();
  }
});
