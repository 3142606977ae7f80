import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InProcessProducer } from '../../master/queue/in-process-producer.ts';
import type { Announcement } from '../../pipeline/protocol/index.ts';

/** `npm test` builds it before the tests run. */
const BUILT = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url));
const WAIT = { timeout: 60_000, interval: 20 };

describe('a worker process', { timeout: 120_000 }, () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'sluice-worker-'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true });
  });

  it('announces itself, answers tasks, and says goodbye when the master closes', async () => {
    const heard: Announcement[] = [];
    const producer = new InProcessProducer({
      workerEntry: BUILT,
      storage: { kind: 'file', dir, durable: true },
      log: pino({ level: 'silent' }),
    });
    await producer.onAnnouncement(async (announcement) => void heard.push(announcement));
    producer.startWorkers(1);
    const pid = producer.workerPids().get('worker-1');
    await producer.publish({
      v: 1,
      taskKey: '0'.repeat(64),
      jobId: 'job',
      chunkIndex: 0,
      chunkKey: '1'.repeat(64),
      contextKey: '2'.repeat(64),
      bytes: 1,
      attempt: 1,
      round: 0,
    });
    await vi.waitFor(() => {
      expect(heard).toContainEqual(expect.objectContaining({ kind: 'failure', retryable: true }));
      expect(heard).toContainEqual(expect.objectContaining({ kind: 'worker', pid }));
    }, WAIT);
    await producer.close();
    expect(heard.at(-1)).toMatchObject({ kind: 'worker', state: 'stopped', tasksFailed: 1 });
  });

  it('ends by itself when its master could not start, and hears nobody', async () => {
    const producer = new InProcessProducer({
      workerEntry: BUILT,
      storage: { kind: 'file', dir, durable: true },
      log: pino({ level: 'silent' }),
      // Longer than the test may take: the worker is not to be killed.
      drainWithinMs: 600_000,
    });
    producer.startWorkers(1);
    await producer.close();
    expect(producer.workerPids().size).toBe(0);
  });
});
