import { describe, expect, it } from 'vitest';
import type { Job, Snapshot, WatchAnswer } from '../../pipeline/protocol/index.ts';
import { ProblemError, toProblem } from '../../dashboard-vue/src/api/problem.ts';
import {
  createJobFeed,
  type FeedEvents,
  type JobView,
} from '../../dashboard-vue/src/live/job-feed.ts';

const jobWith = (part: Partial<Job>) => ({ id: 'a', status: 'processing', ...part }) as Job;
const problemWith = (status: number) =>
  new ProblemError({ type: '', title: 'x', status, detail: '', code: 'x', details: {} });
const OFFLINE = problemWith(0);
const GONE = problemWith(404);

/** A socket, a poll and a clock in the test's hands. */
function bench() {
  const listeners = new Map<string, Set<(event: never) => void>>();
  const timers: { dueMs: number; action: () => void }[] = [];
  const views: JobView[] = [];
  const log: string[] = [];
  let nowMs = 0;
  let poll: () => Promise<{ job: Job; chunkMap: string }> = async () => ({
    job: jobWith({ recordsIn: 1 }),
    chunkMap: 'dq',
  });
  let watchAnswer: WatchAnswer = { ok: true };
  const socket = {
    connected: false,
    on: (name: string, listener: (event: never) => void) => {
      listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
    },
    off: (name: string, listener: (event: never) => void) => {
      listeners.get(name)?.delete(listener);
    },
    watch: (jobId: string, answer: (result: WatchAnswer) => void) => {
      log.push(`watch ${jobId}`);
      answer(watchAnswer);
    },
    unwatch: (jobId: string) => log.push(`unwatch ${jobId}`),
  };
  const emit = (name: keyof FeedEvents, event?: unknown) => {
    if (name === 'connect') socket.connected = true;
    if (name === 'disconnect') socket.connected = false;
    for (const listener of listeners.get(name) ?? []) listener(event as never);
  };
  const feed = createJobFeed('a', {
    socket: socket,
    poll: () => {
      log.push('poll');
      return poll();
    },
    problemOf: toProblem,
    isFinal: (job) => job.status === 'completed',
    onView: (view) => views.push(view),
    after: (ms, action) => {
      const timer = { dueMs: nowMs + ms, action };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
  });
  return {
    feed,
    emit,
    log,
    last: () => views.at(-1),
    listenerCount: () => [...listeners.values()].reduce((sum, set) => sum + set.size, 0),
    answerWith: (answer: typeof poll) => (poll = answer),
    refuseWatch: () => (watchAnswer = { ok: false, code: 'not-found', message: '' }),
    async pass(ms: number) {
      const endMs = nowMs + ms;
      for (;;) {
        const due = timers
          .filter((timer) => timer.dueMs <= endMs)
          .sort((a, b) => a.dueMs - b.dueMs);
        const next = due[0];
        if (next === undefined) break;
        timers.splice(timers.indexOf(next), 1);
        nowMs = next.dueMs;
        next.action();
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = endMs;
    },
  };
}

const snapshot = (sequence: number, recordsIn = sequence, jobId = 'a'): Snapshot => ({
  jobId,
  sequence,
  job: jobWith({ recordsIn }),
  chunkMap: 'd',
});

describe('job feed over the socket', () => {
  it('watches when connected, shows each event, and does not poll', async () => {
    const b = bench();
    b.feed.start();
    b.emit('connect');
    b.emit('snapshot', snapshot(0));
    b.emit('progress', snapshot(1));
    await b.pass(60_000);
    expect(b.log).toEqual(['watch a']);
    expect(b.last()).toMatchObject({ connection: 'live', job: { recordsIn: 1 }, chunkMap: 'd' });
  });

  it('asks for a new snapshot after a gap, and drops what is older', () => {
    const b = bench();
    b.feed.start();
    b.emit('connect');
    b.emit('snapshot', snapshot(0));
    b.emit('progress', snapshot(3));
    expect(b.log).toEqual(['watch a', 'watch a']);
    b.emit('progress', snapshot(2));
    expect(b.last()?.job?.recordsIn).toBe(3);
    b.emit('snapshot', snapshot(0, 9));
    b.emit('progress', snapshot(1, 10));
    expect(b.last()?.job?.recordsIn).toBe(10);
    expect(b.log).toHaveLength(2);
  });

  it('does not show events of another job', () => {
    const b = bench();
    b.feed.start();
    b.emit('connect');
    b.emit('snapshot', snapshot(0, 5, 'other'));
    expect(b.last()).toBeUndefined();
  });

  it('lets go of the socket when it stops', () => {
    const b = bench();
    b.feed.start();
    b.emit('connect');
    b.feed.stop();
    expect(b.log.at(-1)).toBe('unwatch a');
    expect(b.listenerCount()).toBe(0);
  });
});

describe('job feed without the socket', () => {
  it('polls once a second after a moment of grace', async () => {
    const b = bench();
    b.feed.start();
    await b.pass(1400);
    expect(b.log).toEqual([]);
    await b.pass(2100);
    expect(b.log).toEqual(['poll', 'poll', 'poll']);
    expect(b.last()).toMatchObject({ connection: 'polling', chunkMap: 'dq' });
  });

  it('polls seldom when the job has ended', async () => {
    const b = bench();
    b.answerWith(async () => ({ job: jobWith({ status: 'completed' }), chunkMap: 'dd' }));
    b.feed.start();
    await b.pass(11_000);
    expect(b.log).toEqual(['poll']);
  });

  it('keeps the last job on the screen while the server is away, and recovers', async () => {
    const b = bench();
    b.feed.start();
    b.emit('connect');
    b.emit('snapshot', snapshot(0, 7));
    b.answerWith(() => Promise.reject(OFFLINE));
    b.emit('disconnect');
    await b.pass(2000);
    expect(b.last()).toMatchObject({ connection: 'offline', job: { recordsIn: 7 }, problem: null });
    b.emit('connect');
    b.emit('snapshot', snapshot(0, 8));
    const polls = b.log.filter((entry) => entry === 'poll').length;
    await b.pass(30_000);
    expect(b.last()).toMatchObject({ connection: 'live', job: { recordsIn: 8 } });
    expect(b.log.filter((entry) => entry === 'poll')).toHaveLength(polls);
  });

  it('says so when there is no such job', async () => {
    const b = bench();
    b.refuseWatch();
    b.answerWith(() => Promise.reject(GONE));
    b.feed.start();
    b.emit('connect');
    await b.pass(10);
    expect(b.last()).toMatchObject({ job: null, problem: { status: 404 } });
  });
});
