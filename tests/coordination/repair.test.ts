import { describe, expect, it } from 'vitest';
import { decide } from '../../master/coordination/decide.ts';
import type { JobEvent, JobState } from '../../master/coordination/job-state.ts';
import { INITIAL_JOB_STATE, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import { doneCount } from '../../master/coordination/waves.ts';

const error = { code: 'blob-corrupt', message: 'x', details: {} } as const;

/** A state after some events, all of which count. */
function after(events: readonly JobEvent[], from: JobState = INITIAL_JOB_STATE): JobState {
  return events.reduce((state, event) => {
    const decision = decide(state, event);
    expect(decision.verdict).toBe('taken');
    return decision.state;
  }, from);
}

function stored(count: number): JobEvent[] {
  return Array.from({ length: count }, (_, index) => ({ kind: 'chunk-stored', index }));
}

function result(index: number, reused = false): JobEvent {
  const attempt = reused ? 0 : 1;
  const facts = { worker: null, ms: 1, statistics: ZERO_STATISTICS };
  return { kind: 'result-announced', index, attempt, reused, ...facts };
}

/** A job of three chunks, the second of them reused, that has come to its end. */
function completed(): JobState {
  const merged = [0, 1, 2].flatMap((index): JobEvent[] => [
    result(index, index === 1),
    { kind: 'chunk-merged', index },
  ]);
  const end: JobEvent = { kind: 'finalized', verdict: null };
  return after([...stored(3), { kind: 'input-complete', waves: 1 }, ...merged, end]);
}

const lost = (
  kind: 'merge-failed' | 'rebuild-failed',
  index: number,
  reused: boolean,
): JobEvent => ({
  ...{ kind, index, attempt: reused ? 0 : 1, reused, statistics: ZERO_STATISTICS, error },
});

describe('a retried job', () => {
  it('asks for the chunks that were running when it failed, too', () => {
    const slots = Array.from({ length: 3 }, (): JobEvent => ({ kind: 'slot-granted' }));
    const malformed: JobEvent = {
      ...{ kind: 'attempt-failed', index: 1, attempt: 1, worker: null, ms: 1, retryable: false },
      error: { code: 'input-malformed', message: 'x', details: {} },
    };
    const failed = after([...stored(3), { kind: 'input-complete', waves: 1 }, ...slots, malformed]);
    expect(failed.status).toBe('failed');
    const { waiting } = after([{ kind: 'retry' }], failed);
    expect(waiting.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('writes its outputs again when only they failed', () => {
    const finalizing = after([{ kind: 'input-complete', waves: 1 }]);
    const full = { code: 'disk-full', message: 'x', details: {} } as const;
    const failed = after([{ kind: 'finalize-failed', error: full }], finalizing);
    const { state, effects } = decide(failed, { kind: 'retry' });
    expect(state.status).toBe('finalizing');
    expect(effects.map(({ kind }) => kind)).toEqual(['rebuild', 'finalize']);
  });
});

describe('a result that is lost', () => {
  it('is asked for once, although its chunk was never published', () => {
    const merging = after([...stored(2), result(0, true)]);
    const undone = after([lost('merge-failed', 0, true), { kind: 'slot-granted' }], merging);
    expect(undone.running).toEqual([{ index: 0, attempt: 1 }]);
    const { running } = after([{ kind: 'slot-granted' }], undone);
    expect(running.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('takes the watermark back, and what follows it stays answered', () => {
    const merged = [0, 1, 2].flatMap((index): JobEvent[] => [
      result(index),
      { kind: 'chunk-merged', index },
    ]);
    const slots = Array.from({ length: 3 }, (): JobEvent => ({ kind: 'slot-granted' }));
    const finalizing = after([
      ...stored(3),
      ...slots,
      { kind: 'input-complete', waves: 1 },
      ...merged,
    ]);
    expect(finalizing.status).toBe('finalizing');
    const state = after([lost('rebuild-failed', 1, false)], finalizing);
    expect(state).toMatchObject({ status: 'processing', watermark: 1 });
    expect(doneCount(state)).toBe(2);
    expect(state.waiting).toEqual([{ index: 1, attempt: 2 }]);
    const again = after(
      [{ kind: 'slot-granted' }, { ...result(1), attempt: 2 } as JobEvent],
      state,
    );
    const done = after(
      [
        { kind: 'chunk-merged', index: 1 },
        { kind: 'chunk-merged', index: 2 },
      ],
      again,
    );
    expect(done.status).toBe('finalizing');
  });
});

describe('a finished job whose output is damaged', () => {
  const damaged: JobEvent = { kind: 'result-damaged', error };

  it('says so, once, and can be retried', () => {
    expect(decide(completed(), { kind: 'retry' }).verdict).toBe('refused');
    const state = after([damaged], completed());
    expect(state).toMatchObject({ status: 'completed_with_failures', error, failed: [] });
    expect(decide(state, { ...damaged, error: { ...error, message: 'y' } }).verdict).toBe(
      'ignored',
    );
  });

  it('makes what is lost again, and nothing else', () => {
    const { index, reused, statistics } = { index: 1, reused: true, statistics: ZERO_STATISTICS };
    const retry: JobEvent = { kind: 'retry', lost: [{ index, reused, statistics }] };
    const { state, effects, changes } = decide(after([damaged], completed()), retry);
    expect(state).toMatchObject({ status: 'processing', watermark: 1, error: null });
    expect(state).toMatchObject({ waves: [{ doneCount: 2, reusedCount: 0 }] });
    expect(changes).toEqual([{ index: 1, status: 'queued', attempts: 0, error: null }]);
    expect(effects).toEqual([{ kind: 'rebuild', watermark: 1 }]);
    const again = after([{ kind: 'slot-granted' }, result(1)], state);
    const merges = [1, 2].map((one): JobEvent => ({ kind: 'chunk-merged', index: one }));
    const done = after([...merges, { kind: 'finalized', verdict: null }], again);
    expect(done).toMatchObject({ status: 'completed', waves: [{ doneCount: 3 }], error: null });
  });

  it('writes its outputs again when no chunk is lost', () => {
    const { state, effects } = decide(after([damaged], completed()), { kind: 'retry', lost: [] });
    expect(state.status).toBe('finalizing');
    expect(effects.map(({ kind }) => kind)).toEqual(['rebuild', 'finalize']);
  });

  it('is not told of while it is under way', () => {
    const running = after([...stored(1), { kind: 'input-complete', waves: 1 }]);
    expect(decide(running, damaged).verdict).toBe('ignored');
  });
});
