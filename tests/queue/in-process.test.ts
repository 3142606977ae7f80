import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InProcessProducer } from '../../master/queue/in-process-producer.ts';
import { type BundledEntry, bundleEntry } from '../support/bundle-entry.ts';
import { DELIVERY_LIMIT, queueContract, taskFor } from './contract.ts';

let worker: BundledEntry;
beforeAll(async () => {
  worker = await bundleEntry('tests/queue/scripted-worker.ts');
});
afterAll(() => worker.remove());

const WAIT = { timeout: 60_000, interval: 20 };

function openProducer(workerEntry: string): InProcessProducer {
  return new InProcessProducer({
    workerEntry,
    storage: { kind: 'file', dir: 'unused', durable: true },
    log: pino({ level: 'silent' }),
    deliveryLimit: DELIVERY_LIMIT,
    drainWithinMs: 30_000,
  });
}

describe('the in-process queue', { timeout: 120_000 }, () => {
  queueContract(async () => {
    const producer = openProducer(worker.path);
    return {
      producer,
      startWorkers: (count) => producer.startWorkers(count),
      drain: () => producer.close(),
      close: () => producer.close(),
    };
  });

  it('replaces a killed worker, under the same name', async () => {
    const producer = openProducer(worker.path);
    try {
      producer.startWorkers(2);
      const before = producer.workerPids().get('worker-2') ?? 0;
      expect(producer.workerPids().size).toBe(2);
      process.kill(before, 'SIGKILL');
      await vi.waitFor(() => {
        expect(producer.workerPids().size).toBe(2);
        expect(producer.workerPids().get('worker-2')).not.toBe(before);
      }, WAIT);
    } finally {
      await producer.close();
    }
    expect(producer.workerPids().size).toBe(0);
  });

  it('starts more workers while tasks wait for those that are there, and no more than that', async () => {
    const producer = openProducer(worker.path);
    try {
      const answered = vi.fn(async () => {});
      await producer.onAnnouncement(answered);
      producer.startWorkers(3, 1);
      for (let task = 0; task < 5; task++) {
        await producer.publish(taskFor('slow-100'));
        await vi.waitFor(() => expect(answered).toHaveBeenCalledTimes(task + 1), WAIT);
      }
      expect(producer.workerPids().size).toBe(1);
      for (let task = 0; task < 60; task++) await producer.publish(taskFor('slow-100'));
      await vi.waitFor(() => expect(producer.workerPids().size).toBe(3), WAIT);
      await vi.waitFor(() => expect(answered).toHaveBeenCalledTimes(65), WAIT);
      expect([...producer.workerPids().keys()]).toEqual(['worker-1', 'worker-2', 'worker-3']);
    } finally {
      await producer.close();
    }
  });

  it('starts all workers that there may be when it is told to, once', async () => {
    const producer = openProducer(worker.path);
    try {
      producer.startWorkers(3, 1);
      expect(producer.workerPids().size).toBe(1);
      producer.startAllWorkers();
      producer.startAllWorkers();
      expect([...producer.workerPids().keys()]).toEqual(['worker-1', 'worker-2', 'worker-3']);
    } finally {
      await producer.close();
    }
  });

  it('says in its status when workers cannot be started, and keeps the tasks', async () => {
    const producer = openProducer('/nonexistent/worker.mjs');
    try {
      producer.startWorkers(1);
      await producer.publish(taskFor('ok'));
      await vi.waitFor(
        () => expect(producer.status().error).toMatch(/worker-1 ended \(exit code/),
        WAIT,
      );
    } finally {
      await producer.close();
    }
  });
});
