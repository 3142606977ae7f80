import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Announcement, TaskMessage, TaskProducer } from '../../pipeline/protocol/index.ts';

/** One adapter under test. */
export interface QueueUnderTest {
  readonly producer: TaskProducer;
  /** Starts processes of `scripted-worker.ts`. */
  startWorkers(count: number): void;
  /** Lets the workers finish what they have begun, and ends them. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export const DELIVERY_LIMIT = 3;
const WAIT = { timeout: 60_000, interval: 10 };

/** A task whose worker does what `script` says; see `scripted-worker.ts`. */
export function taskFor(script: string, chunkIndex = 0): TaskMessage {
  const taskKey = randomUUID();
  return {
    v: 1,
    taskKey,
    jobId: script,
    chunkIndex,
    chunkKey: 'c',
    contextKey: 'x',
    bytes: 1,
    attempt: 1,
    round: 0,
  };
}

export function resultKeys(announcements: readonly Announcement[]): string[] {
  return announcements.flatMap((one) => (one.kind === 'result' ? [one.taskKey] : []));
}

/** What every adapter of the task queue promises. */
export function queueContract(open: () => Promise<QueueUnderTest>): void {
  let queue: QueueUnderTest;
  let heard: Announcement[];

  beforeEach(async () => {
    queue = await open();
    heard = [];
  });
  afterEach(async () => {
    await queue.close();
  });

  async function listen(): Promise<void> {
    await queue.producer.onAnnouncement(async (announcement) => {
      heard.push(announcement);
    });
  }
  const results = (): string[] => resultKeys(heard);
  const begunBy = (): number =>
    heard.flatMap((one) => (one.kind === 'failure' ? [Number(one.error.details['pid'])] : []))[0] ??
    0;

  it('is connected, and says so without credentials', () => {
    expect(queue.producer.status()).toMatchObject({ connected: true, error: null });
    expect(queue.producer.status().address).not.toContain('guest');
  });

  it('confirms publishes, and delivers every task to some worker', async () => {
    const tasks = Array.from({ length: 80 }, (_, index) => taskFor('slow-20', index));
    await listen();
    await Promise.all(tasks.map((task) => queue.producer.publish(task)));
    queue.startWorkers(2);
    await vi.waitFor(() => expect(new Set(results()).size).toBe(tasks.length), WAIT);
    expect(new Set(results())).toEqual(new Set(tasks.map((task) => task.taskKey)));
    expect(new Set(heard.map((one) => one.worker))).toEqual(new Set(['worker-1', 'worker-2']));
  });

  it('delivers a task again when the worker that held it is killed', async () => {
    const task = taskFor('hang-first');
    await listen();
    queue.startWorkers(1);
    await queue.producer.publish(task);
    await vi.waitFor(() => expect(begunBy()).toBeGreaterThan(0), WAIT);
    process.kill(begunBy(), 'SIGKILL');
    await vi.waitFor(() => expect(results()).toEqual([task.taskKey]), WAIT);
    expect(heard.at(-1)).toMatchObject({ kind: 'result', reused: true });
  });

  it('gives a worker no more tasks at once than its prefetch', async () => {
    await listen();
    queue.startWorkers(1);
    const tasks = Array.from({ length: 12 }, (_, index) => taskFor('slow-20', index));
    await Promise.all(tasks.map((task) => queue.producer.publish(task)));
    await vi.waitFor(() => expect(results()).toHaveLength(tasks.length), WAIT);
    const heldMax = Math.max(...heard.map((one) => (one.kind === 'result' ? one.ms : 0)));
    expect(heldMax).toBe(2);
  });

  it.each(['requeue', 'throw', 'die'])(
    'dead-letters a task that was delivered too often (%s), and goes on with others',
    async (script) => {
      const dead: [string, string][] = [];
      const [bad, good] = [taskFor(script), taskFor('ok')];
      await listen();
      await queue.producer.onDeadLetter(async (task, reason) => {
        dead.push([task.taskKey, reason]);
      });
      queue.startWorkers(1);
      await queue.producer.publish(bad);
      await vi.waitFor(() => expect(dead).toEqual([[bad.taskKey, 'delivery-limit']]), WAIT);
      await queue.producer.publish(good);
      await vi.waitFor(() => expect(results()).toContain(good.taskKey), WAIT);
    },
  );

  it('drops the tasks of a revoked job, those that a worker holds too, and no others', async () => {
    await listen();
    queue.startWorkers(1);
    const wanted = taskFor('ok');
    const revoked = Array.from({ length: 12 }, (_, index) => taskFor('slow-400', index));
    await Promise.all(revoked.map((task) => queue.producer.publish(task)));
    await vi.waitFor(() => expect(results().length).toBeGreaterThan(0), WAIT);
    queue.producer.revoke('slow-400', 0);
    await queue.producer.publish(wanted);
    await vi.waitFor(() => expect(results()).toContain(wanted.taskKey), WAIT);
    // What it had begun it finished, and one more may have begun before it heard.
    await queue.drain();
    expect(results().filter((key) => key !== wanted.taskKey).length).toBeLessThanOrEqual(5);
  });

  it('dead-letters a task that the worker drops, at once and until the handler takes it', async () => {
    const reasons: string[] = [];
    await queue.producer.onDeadLetter(async (_task, reason) => {
      reasons.push(reason);
      if (reasons.length < 3) throw new Error('not yet');
    });
    queue.startWorkers(1);
    await queue.producer.publish(taskFor('drop'));
    await vi.waitFor(() => expect(reasons).toHaveLength(3), WAIT);
    expect(new Set(reasons)).toEqual(new Set(['rejected']));
  });

  it('delivers an announcement again when the handler rejects, one handler at a time', async () => {
    let running = 0;
    let runningMax = 0;
    const refused = new Set<string>();
    await queue.producer.onAnnouncement(async (announcement) => {
      runningMax = Math.max(runningMax, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      if (announcement.kind !== 'result') return;
      if (!refused.has(announcement.taskKey)) {
        refused.add(announcement.taskKey);
        throw new Error('not yet');
      }
      heard.push(announcement);
    });
    queue.startWorkers(2);
    const tasks = Array.from({ length: 8 }, (_, index) => taskFor('ok', index));
    await Promise.all(tasks.map((task) => queue.producer.publish(task)));
    await vi.waitFor(() => expect(new Set(results()).size).toBe(tasks.length), WAIT);
    expect(runningMax).toBe(1);
  });

  it('keeps announcements until there is a handler', async () => {
    queue.startWorkers(1);
    const task = taskFor('ok');
    await queue.producer.publish(task);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await listen();
    await vi.waitFor(() => expect(results()).toEqual([task.taskKey]), WAIT);
  });

  it('close drains: what a worker has begun is announced, and no process is left', async () => {
    await listen();
    queue.startWorkers(1);
    const [warmUp, slow] = [taskFor('ok'), taskFor('tell-400')];
    await queue.producer.publish(warmUp);
    await vi.waitFor(() => expect(results()).toHaveLength(1), WAIT);
    await queue.producer.publish(slow);
    await vi.waitFor(() => expect(begunBy()).toBeGreaterThan(0), WAIT);
    await queue.drain();
    await vi.waitFor(() => expect(results()).toContain(slow.taskKey), WAIT);
    await queue.close();
    await expect(queue.producer.publish(taskFor('ok'))).rejects.toMatchObject({ code: 'closing' });
  });
}
