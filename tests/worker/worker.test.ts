import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../pipeline/limits.ts';
import type {
  Announcement,
  Delivery,
  TaskConsumer,
  TaskMessage,
  Verdict,
} from '../../pipeline/protocol/index.ts';
import { ProgramCache } from '../../worker/program-cache.ts';
import { Worker } from '../../worker/worker.ts';
import { workerConfig } from '../../worker/config.ts';
import { MemoryBlobs } from './memory-blobs.ts';

class ScriptedConsumer implements TaskConsumer {
  readonly log: string[] = [];
  readonly announced: Announcement[] = [];
  prefetch = 0;
  handler: (delivery: Delivery) => Promise<Verdict> = () => Promise.reject(new Error('none'));
  #running: Promise<Verdict>[] = [];

  async consume(handler: (delivery: Delivery) => Promise<Verdict>, prefetch: number) {
    this.handler = handler;
    this.prefetch = prefetch;
  }
  deliver(task: TaskMessage): Promise<Verdict> {
    const { signal } = new AbortController();
    const running = this.handler({ task, redelivered: false, signal });
    this.#running.push(running);
    return running;
  }
  async announce(announcement: Announcement): Promise<void> {
    this.announced.push(announcement);
    this.log.push(announcement.kind === 'worker' ? announcement.state : announcement.kind);
  }
  status() {
    return { kind: 'in-process', connected: true, address: '', error: null } as const;
  }
  async drain(): Promise<void> {
    this.log.push('drain');
    await Promise.all(this.#running);
  }
  async close(): Promise<void> {
    this.log.push('close');
  }
}

const task: TaskMessage = {
  v: 1,
  taskKey: 't',
  jobId: 'job',
  chunkIndex: 0,
  chunkKey: 'c',
  contextKey: 'x',
  bytes: 10,
  attempt: 1,
  round: 0,
};

function start() {
  const blobs = new MemoryBlobs();
  const consumer = new ScriptedConsumer();
  const worker = new Worker({
    name: 'w',
    host: 'h',
    pid: 1,
    consumer,
    blobs,
    programs: new ProgramCache(blobs, () => expect.unreachable()),
    residentBytes: () => 123,
  });
  return { worker, consumer };
}

describe('a worker', () => {
  it('takes as many tasks as it prefetches, counts them, and tells its figures', async () => {
    const { worker, consumer } = start();
    await worker.start();
    expect(consumer.prefetch).toBe(LIMITS.workerPrefetchTasks);
    const delivered = consumer.deliver(task);
    expect(worker.state).toBe('working');
    expect(await delivered).toBe('ack');
    expect(worker.state).toBe('idle');
    await worker.stop();
    expect(consumer.announced.at(-1)).toMatchObject({
      kind: 'worker',
      state: 'stopped',
      tasksFailed: 1,
      tasksDone: 0,
      residentBytes: 123,
      currentTask: null,
    });
  });

  it('drains: gives back what is not begun, says goodbye last, then disconnects', async () => {
    const { worker, consumer } = start();
    await worker.start();
    const delivered = consumer.deliver(task);
    await Promise.all([worker.stop(), worker.stop()]);
    expect(await delivered).toBe('requeue');
    expect(consumer.log.slice(-2)).toEqual(['stopped', 'close']);
    expect(consumer.log.filter((entry) => entry === 'drain')).toHaveLength(1);
    expect(worker.state).toBe('stopped');
  });

  it('sends heartbeats while it is idle', async () => {
    vi.useFakeTimers();
    try {
      const { worker, consumer } = start();
      await worker.start();
      await vi.advanceTimersByTimeAsync(3 * LIMITS.workerHeartbeatMs + 1);
      expect(consumer.log.filter((entry) => entry === 'idle')).toHaveLength(4);
      await worker.stop();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('settings of a worker', () => {
  it('come from the caller first, then from the environment', () => {
    const env = { SLUICE_BROKER: 'amqp://env', SLUICE_WORKER_TOKEN: 'token' };
    const config = workerConfig({ name: 'w', master: 'http://m' }, env);
    expect(config.broker).toEqual({ kind: 'amqp', url: 'amqp://env', prefix: 'sluice' });
    expect(config.storage).toEqual({ kind: 'http', url: 'http://m', token: 'token' });
    const child = workerConfig({ name: 'w', broker: 'ipc', storageDir: 'd' }, env);
    expect(child).toMatchObject({ broker: { kind: 'ipc' }, storage: { kind: 'file', dir: 'd' } });
  });

  it.each([
    [{ name: '../x', broker: 'ipc', storageDir: 'd' }, /named by/],
    [{ name: 'w', storageDir: 'd' }, /--broker/],
    [{ name: 'w', broker: 'http://x', storageDir: 'd' }, /--broker/],
    [{ name: 'w', broker: 'ipc' }, /--master/],
  ])('are refused when they make no sense: %j', (settings, message) => {
    expect(() => workerConfig(settings, {})).toThrow(message);
  });
});
