import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freezeWorkers, type Frozen } from '../support/freeze.ts';
import { generateFile } from '../support/generate.ts';
import { download, ended, eventually, expectAccount, getJson } from '../support/jobs.ts';
import { jobNamed, paced, send, workersOf } from '../support/jobs.ts';
import type { ChunkPage, Job } from '../../pipeline/protocol/index.ts';
import { startRabbitMq, type RabbitMq, type RabbitMqSkipped } from '../support/rabbitmq.ts';
import { startS3 } from '../support/s3-server.ts';
import { sha256OfRun } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';

const TOKEN = 'a-worker-token-for-tests';
let folder = '';
let file = '';
let wanted = '';
let broker: RabbitMq | RabbitMqSkipped;
let server: TestServer;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-remote-'));
  file = path.join(folder, 'people.csv');
  await generateFile(file, { bytes: 60_000_000, seed: 11, malformedEvery: 2000 });
  wanted = await sha256OfRun(file);
  broker = await startRabbitMq();
  if ('skipped' in broker) return;
  server = await startServer({
    workers: 0,
    broker: broker.url,
    env: { SLUICE_WORKER_TOKEN: TOKEN },
  });
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
  await server?.stop();
  if ('stop' in broker) await broker.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach((test) => {
  if ('skipped' in broker) test.skip(broker.skipped);
});

/** A worker as on another machine: it has the broker's and the master's address, and no folder. */
function start(name: string): WorkerProcess {
  const url = 'url' in broker ? broker.url : '';
  const worker = startWorkerProcess({
    ...{ name, storage: ['--master', server.url], broker: url },
    env: { SLUICE_WORKER_TOKEN: TOKEN },
  });
  workers.push(worker);
  return worker;
}

const isIdle = (name: string) =>
  eventually(async () => {
    const found = (await workersOf(server)).find((worker) => worker.name === name);
    expect(found?.state).toMatch(/idle|working/);
  });

it('workers elsewhere come, die and leave in the middle of a job, and nothing is lost', async () => {
  const [north, south, east] = [start('north'), start('south'), start('east')];
  let frozen: Frozen;
  let killed = 0;
  let exitCode: number | null = null;
  const id = async () => (await jobNamed(server, 'people.csv')).id;
  const gates = [
    { at: 0.2, pass: async () => void (frozen = await freezeWorkers(server, 3)) },
    { at: 0.6, pass: async () => void (killed = await frozen.killOne(await id())) },
    {
      at: 0.65,
      pass: async () => {
        start('west');
        await isIdle('west');
      },
    },
    {
      at: 0.8,
      pass: async () => {
        const leaving = [north, south, east].find(({ pid }) => pid !== killed);
        exitCode = (await leaving?.end('SIGTERM')) ?? null;
      },
    },
  ];
  const answer = await send(server, paced(file, gates), { name: 'people.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  const job = await ended(server, answer.job.id);
  expect(job).toMatchObject({ status: 'completed', error: null });
  expect([north, south, east].map(({ pid }) => pid)).toContain(killed);
  expect(exitCode).toBe(0);
  await expectAccount(server, job);
  expect((await download(server, job.id)).sha256).toBe(wanted);
  const { chunks } = await getJson<ChunkPage>(server, `/api/jobs/${job.id}/chunks?limit=1000`);
  const took = new Set(chunks.map(({ worker }) => worker));
  expect([...took]).toContain('west');
  expect(took.size).toBeGreaterThanOrEqual(2);
});

it('a job waits when there is no worker, and goes on when one comes', async () => {
  await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  const small = path.join(folder, 'small.csv');
  await generateFile(small, { bytes: 100_000, seed: 5, malformedEvery: 0 });
  const answer = await send(server, paced(small, []), { name: 'small.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  const waiting = await getJson<Job>(server, `/api/jobs/${answer.job.id}`);
  expect(waiting.status).toBe('processing');
  start('late');
  const job = await ended(server, answer.job.id);
  expect(job.status).toBe('completed');
  expect((await download(server, job.id)).sha256).toBe(await sha256OfRun(small));
});

it('a worker that has the address of the broker and of an S3 store needs no master', async () => {
  if (!('url' in broker)) return;
  // Those before have another store.
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
  await server.stop();
  const s3 = await startS3();
  const store = `s3://${s3.bucket}/jobs`;
  server = await startServer({
    ...{ workers: 0, broker: broker.url, env: { ...s3.env, SLUICE_STORE: store } },
  });
  const worker = startWorkerProcess({
    ...{ name: 's3', storage: ['--store', store], broker: broker.url, env: s3.env },
  });
  workers.push(worker);
  const small = path.join(folder, 'small.csv');
  await generateFile(small, { bytes: 3_000_000, seed: 6, malformedEvery: 500 });
  const answer = await send(server, paced(small, []), { name: 's3.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  const job = await ended(server, answer.job.id);
  expect(job.status).toBe('completed');
  await expectAccount(server, job);
  expect((await download(server, job.id)).sha256).toBe(await sha256OfRun(small));
  const { chunks } = await getJson<ChunkPage>(server, `/api/jobs/${job.id}/chunks?limit=1000`);
  expect(new Set(chunks.map((chunk) => chunk.worker))).toEqual(new Set(['s3']));
  expect(await readdir(server.dataDir)).not.toContain('blobs');
  expect(await worker.end('SIGTERM')).toBe(0);
  await server.stop();
  await s3.close();
});
