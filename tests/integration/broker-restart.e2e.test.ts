import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freezeWorkers, type Frozen } from '../support/freeze.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import { download, ended, eventually, expectAccount, getJson } from '../support/jobs.ts';
import { jobNamed, paced, send } from '../support/jobs.ts';
import { startRabbitMq, type RabbitMq, type RabbitMqSkipped } from '../support/rabbitmq.ts';
import { sha256OfRun } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let file = '';
let generated: GeneratedFile;
let broker: RabbitMq | RabbitMqSkipped;
let server: TestServer | null = null;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-broker-'));
  file = path.join(folder, 'people.csv');
  generated = await generateFile(file, { bytes: 50_000_000, seed: 3, malformedEvery: 999 });
  broker = await startRabbitMq();
});
afterAll(async () => {
  await server?.stop();
  if ('stop' in broker) await broker.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach((test) => {
  if ('skipped' in broker) test.skip(broker.skipped);
  else if (!broker.owned) test.skip('the broker is not ours to kill');
});

it('a job whose broker is killed and comes back completes by itself', async () => {
  if ('skipped' in broker) return;
  const node = broker;
  server = await startServer({ workers: 2, broker: node.url });
  const { url } = server;
  let frozen: Frozen;
  const gates = [
    { at: 0.3, pass: async () => void (frozen = await freezeWorkers({ url }, 2)) },
    {
      at: 0.8,
      pass: async () => {
        // Tasks are with the broker and with both workers now.
        const { id } = await jobNamed({ url }, 'people.csv');
        await eventually(async () => {
          const { chunks } = await getJson<{ chunks: { running: number } }>(
            { url },
            `/api/jobs/${id}`,
          );
          expect(chunks.running).toBeGreaterThan(4);
        });
        // The node's register of quorum queues must be on its disk: see tests/queue.
        await sleep(7_000);
        await node.kill();
        frozen.thaw();
        await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503));
      },
    },
  ];
  const answer = await send(server, paced(file, gates), { name: 'people.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  expect(answer.job.status).toBe('processing');
  await node.restart();
  const job = await ended(server, answer.job.id);
  expect(job).toMatchObject({ status: 'completed', error: null, recordsIn: generated.records });
  await expectAccount(server, job);
  expect((await download(server, job.id)).sha256).toBe(await sha256OfRun(file));
  await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
});
