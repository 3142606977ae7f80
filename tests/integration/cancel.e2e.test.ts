import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Job } from '../../pipeline/protocol/index.ts';
import { eventually, getJson, jobNamed, run, send, workersOf } from '../support/jobs.ts';
import { describeWith } from '../support/needs.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const started = await startRabbitMq();
const broker = 'skipped' in started ? null : started;
const reason = 'skipped' in started ? started.skipped : '';

/** Some 30 MB, and a plan that takes far longer per chunk than a message takes to arrive. */
function records(name: string): Buffer {
  const lines = ['id,name,amount'];
  for (let id = 0; id < 750_000; id++) {
    lines.push(`${id},${name} of number ${(id * 7919) % 10_007},${(id * 31) % 997}`);
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}
const SLOW = `steps:
  - derive: { a: "md5(name)", b: "sha256(name)", c: "md5(concat(name, id))" }
  - derive: { d: "sha256(concat(a, b, c))" }
`;

async function underWay(server: TestServer, name: string): Promise<Job> {
  void send(server, records(name), { name, plan: SLOW }).catch(() => undefined);
  const { id } = await jobNamed(server, name);
  return await eventually(async () => {
    const job = await getJson<Job>(server, `/api/jobs/${id}`);
    if (job.chunks.done < 1 || job.chunks.running < 3) throw new Error('not enough is under way');
    return job;
  });
}

/** As told with heartbeats: every two seconds, and when a worker gets idle. */
async function tasksDone(server: TestServer): Promise<number> {
  return (await workersOf(server)).reduce((sum, worker) => sum + worker.tasksDone, 0);
}

async function untilIdle(server: TestServer): Promise<void> {
  await eventually(async () => {
    for (const worker of await workersOf(server)) expect(worker.state).toBe('idle');
  });
}

/** Pauses the job: its workers get idle, and stay so until it is resumed. */
async function pauseAndResume(server: TestServer, { id }: Job): Promise<void> {
  const command = async (name: string): Promise<Job> => {
    const answer = await fetch(`${server.url}/api/jobs/${id}/${name}`, { method: 'POST' });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Job;
  };
  expect(await command('pause')).toMatchObject({ status: 'paused', chunks: { running: 0 } });
  await untilIdle(server);
  const { chunks } = await getJson<Job>(server, `/api/jobs/${id}`);
  await sleep(1_000);
  const later = await getJson<Job>(server, `/api/jobs/${id}`);
  expect(later.chunks.done).toBe(chunks.done);
  await command('resume');
  await eventually(async () => {
    const { running } = (await getJson<Job>(server, `/api/jobs/${id}`)).chunks;
    if (running === 0) throw new Error('nothing goes on');
  });
}

function cancelling(start: () => Promise<TestServer>): void {
  it('stops workers when a job is paused or cancelled, in the midst of a chunk too', async () => {
    const server = await start();
    try {
      await pauseAndResume(server, await underWay(server, 'cancelled.csv'));
      const { id: jobId } = await jobNamed(server, 'cancelled.csv');
      const job = await getJson<Job>(server, `/api/jobs/${jobId}`);
      const startedMs = performance.now();
      const answer = await fetch(`${server.url}/api/jobs/${job.id}/cancel`, { method: 'POST' });
      expect(answer.status).toBe(200);
      const { chunks, status } = (await answer.json()) as Job;
      expect(status).toBe('cancelled');
      await untilIdle(server);
      const idleMs = performance.now() - startedMs;
      // Within a second, but for a machine that does something else.
      expect(idleMs).toBeLessThan(5_000);
      // A chunk takes far less: what was not called back would be computed by then.
      await sleep(1_500);
      const computed = (await tasksDone(server)) - chunks.done;
      const { running } = job.chunks;
      process.stdout.write(
        `  ${running} were out, ${computed} were computed; idle after ${idleMs.toFixed(0)} ms\n`,
      );
      // The one that was in work, and one whose result was on its way.
      expect(computed).toBeLessThanOrEqual(2);

      // Deleting a job that is under way does the same.
      const { id } = await underWay(server, 'deleted.csv');
      expect((await fetch(`${server.url}/api/jobs/${id}`, { method: 'DELETE' })).status).toBe(204);
      expect((await fetch(`${server.url}/api/jobs/${id}`)).status).toBe(404);
      await untilIdle(server);
      const next = await run(server, 'id,name\n1,x\n', { name: 'next.csv' });
      expect(next.status).toBe('completed');
      expect(next.chunks).toMatchObject({ done: 1, failed: 0 });
    } finally {
      await server.stop();
    }
  });
}

describe('cancelling with the in-process queue', () => {
  cancelling(() => startServer({ workers: 1 }));
});

describeWith({ met: broker !== null, otherwise: reason }, 'cancelling with RabbitMQ', () => {
  afterAll(async () => {
    await broker?.stop();
  });
  cancelling(() => startServer({ workers: 1, broker: broker?.url ?? '' }));
});
