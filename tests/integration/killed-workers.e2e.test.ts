import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FINAL_STATUSES } from '../../pipeline/protocol/index.ts';
import type { Job, Manifest, WorkerList } from '../../pipeline/protocol/index.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import { startRabbitMq, type RabbitMq, type RabbitMqSkipped } from '../support/rabbitmq.ts';
import { startServer, type TestServer } from '../support/server.ts';

const FILE_BYTES = 200_000_000;
const expectedScript = path.join(import.meta.dirname, '..', 'support', 'expected-by-csv-parse.mjs');

interface Expected {
  readonly records: number;
  readonly rejected: number;
  readonly sha256: string;
}

let folder = '';
let file = '';
let generated: GeneratedFile;
let expected: Expected;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-integration-'));
  file = path.join(folder, 'people.csv');
  generated = await generateFile(file, { bytes: FILE_BYTES, seed: 42, malformedEvery: 5000 });
  const oracle = spawnSync(process.execPath, [expectedScript, file], { encoding: 'utf8' });
  expected = JSON.parse(oracle.stdout) as Expected;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(['in-process', 'rabbitmq'] as const)(
  'a 200 MB job over the %s queue, whose workers are killed at random',
  (queue) => {
    let broker: RabbitMq | RabbitMqSkipped | null = null;
    let server: TestServer | null = null;
    let firstBytes = '';

    beforeAll(async () => {
      if (queue === 'rabbitmq') broker = await startRabbitMq();
      if (broker !== null && 'skipped' in broker) return;
      server = await startServer({
        workers: 2,
        ...(broker === null ? {} : { broker: broker.url }),
      });
    });
    afterAll(async () => {
      await server?.stop();
      if (broker !== null && 'stop' in broker) await broker.stop();
    });
    beforeEach((test) => {
      if (broker !== null && 'skipped' in broker) test.skip(broker.skipped);
    });
    const started = (): TestServer => {
      if (server === null) throw new Error('the server did not start');
      return server;
    };

    it('loses nothing and counts nothing twice', async () => {
      const kills = killWorkers(started(), 2);
      const job = await uploadAndWait(started());
      expect(await kills).toBe(2);
      expect(job.status).toBe('completed');
      expect(job.recordsIn).toBe(generated.records);
      expect(job.rejected).toBe(generated.malformed);
      await expectAccount(started(), job);
      const result = await readResult(started(), job);
      expect(result.records).toBe(expected.records);
      expect(result.sha256).toBe(expected.sha256);
      firstBytes = result.bytesSha256;
    });

    it('does no work again for the same file, and gives the same bytes', async () => {
      const job = await uploadAndWait(started());
      expect(job.status).toBe('completed');
      expect(job.chunks.reused).toBeGreaterThan(10);
      expect(job.chunks.done).toBe(0);
      expect((await readResult(started(), job)).bytesSha256).toBe(firstBytes);
    });
  },
);

async function uploadAndWait(server: TestServer): Promise<Job> {
  const answer = await fetch(`${server.url}/api/jobs?name=people.csv`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: await openAsBlob(file),
  });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as Job;
  for (;;) {
    const job = (await (await fetch(`${server.url}/api/jobs/${id}`)).json()) as Job;
    if (FINAL_STATUSES.includes(job.status)) return job;
    await pause(200);
  }
}

/** SIGKILLs `count` workers while they hold tasks; gives how many were killed. */
async function killWorkers(server: TestServer, count: number): Promise<number> {
  const killed = new Set<number>();
  for (let tries = 0; killed.size < count && tries < 2000; tries++) {
    await pause(20);
    const answer = await fetch(`${server.url}/api/workers`);
    const { workers } = (await answer.json()) as WorkerList;
    const busy = workers.find(({ state, pid }) => state === 'working' && !killed.has(pid));
    if (busy === undefined) continue;
    process.kill(busy.pid, 'SIGKILL');
    killed.add(busy.pid);
    await pause(300 + Math.random() * 300);
  }
  return killed.size;
}

async function expectAccount(server: TestServer, job: Job): Promise<void> {
  const answer = await fetch(`${server.url}/api/jobs/${job.id}/manifest`);
  const manifest = (await answer.json()) as Manifest;
  expect(manifest.balanced).toBe(true);
  let recordsIn = 0;
  for (const chunk of manifest.chunks) {
    const { recordsOut, rejected, filtered, deduplicated, aggregated } = chunk;
    expect(chunk.recordsIn).toBe(recordsOut + rejected + filtered + deduplicated + aggregated);
    recordsIn += chunk.recordsIn;
  }
  expect(recordsIn).toBe(generated.records);
}

interface ReadBack {
  readonly records: number;
  /** Over the records as JSON arrays, as the oracle's. */
  readonly sha256: string;
  readonly bytesSha256: string;
}

async function readResult(server: TestServer, job: Job): Promise<ReadBack> {
  const target = path.join(folder, `${job.id}.csv`);
  const answer = await fetch(`${server.url}/api/jobs/${job.id}/result`);
  const bytesHash = createHash('sha256');
  const out = createWriteStream(target);
  for await (const part of answer.body ?? []) {
    bytesHash.update(part);
    if (!out.write(part))
      await new Promise((resolve) => out.once('drain', () => resolve(undefined)));
  }
  await new Promise<void>((resolve) => out.end(resolve));
  const hash = createHash('sha256');
  let records = -1;
  for await (const record of createReadStream(target).pipe(parse())) {
    hash.update(`${JSON.stringify(record)}\n`);
    records++;
  }
  await rm(target);
  return { records, sha256: hash.digest('hex'), bytesSha256: bytesHash.digest('hex') };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
