import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChunkPage, JobPage } from '../../pipeline/protocol/index.ts';
import { freezeWorkers, type Frozen } from '../support/freeze.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import { download, ended, expectAccount, getJson } from '../support/jobs.ts';
import { jobNamed, paced, send, workersOf, type Gate } from '../support/jobs.ts';
import { startRabbitMq, type RabbitMq, type RabbitMqSkipped } from '../support/rabbitmq.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { sluice } from '../support/sluice.ts';

const FILE_BYTES = 100_000_000;
const oracle = path.join(import.meta.dirname, '..', 'support', 'expected-by-csv-parse.mjs');

let folder = '';
let file = '';
let generated: GeneratedFile;
/** Of the result of a run that nobody disturbed. */
let undisturbed = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-killed-'));
  file = path.join(folder, 'people.csv');
  generated = await generateFile(file, { bytes: FILE_BYTES, seed: 42, malformedEvery: 5000 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('an undisturbed run gives the records that csv-parse reads', async () => {
  const out = path.join(folder, 'out.csv');
  expect((await sluice(['run', file, '-o', out, '--quiet'])).code).toBe(0);
  const hash = createHash('sha256');
  for await (const part of createReadStream(out)) hash.update(part as Buffer);
  undisturbed = hash.digest('hex');
  const [wanted, got] = await Promise.all([readByCsvParse(file), readByCsvParse(out)]);
  expect(wanted.rejected).toBe(generated.malformed);
  expect(got).toEqual({ ...wanted, rejected: 0 });
  await rm(out);
});

describe.each(['in-process', 'rabbitmq'] as const)(
  'a 200 MB job over the %s queue, two of whose workers are killed',
  (queue) => {
    let broker: RabbitMq | RabbitMqSkipped | null = null;
    let server: TestServer;
    let firstId = '';

    beforeAll(async () => {
      if (queue === 'rabbitmq') broker = await startRabbitMq();
      if (broker !== null && 'skipped' in broker) return;
      server = await startServer({ workers: 2, ...(broker && { broker: broker.url }) });
    });
    afterAll(async () => {
      await server?.stop();
      if (broker !== null && 'stop' in broker) await broker.stop();
    });
    beforeEach((test) => {
      if (broker !== null && 'skipped' in broker) test.skip(broker.skipped);
    });

    it('loses nothing and counts nothing twice', async () => {
      const killed: number[] = [];
      const gates = [...killAround(0.2, killed), ...killAround(0.6, killed)];
      const answer = await send(server, paced(file, gates), { name: 'people.csv' });
      if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
      const job = await ended(server, answer.job.id);
      firstId = job.id;
      expect(new Set(killed).size).toBe(2);
      expect(job).toMatchObject({ status: 'completed', error: null });
      expect(job.recordsIn).toBe(generated.records);
      expect(job.rejected).toBe(generated.malformed);
      expect(job.chunks.failed).toBe(0);
      await expectAccount(server, job);
      expect((await download(server, job.id)).sha256).toBe(undisturbed);
    });

    it('does no work again for the same file, and gives the same bytes', async () => {
      const workDone = async () =>
        (await workersOf(server)).map(({ name, tasksDone }) => ({ name, tasksDone }));
      const before = await workDone();
      const answer = await send(server, paced(file, []), { name: 'again.csv' });
      if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
      const job = await ended(server, answer.job.id);
      expect(job).toMatchObject({ status: 'completed', recordsIn: generated.records });
      const { chunks } = await getJson<ChunkPage>(server, `/api/jobs/${job.id}/chunks?limit=1000`);
      expect(chunks.length).toBeGreaterThan(10);
      expect(job.chunks).toEqual({
        ...{ queued: 0, running: 0, done: 0, reused: chunks.length, failed: 0 },
      });
      expect(await workDone()).toEqual(before);
      await expectAccount(server, job);
      expect((await download(server, job.id)).sha256).toBe(undisturbed);
      const { jobs } = await getJson<JobPage>(server, '/api/jobs');
      expect(jobs.map(({ id }) => id)).toEqual([job.id, firstId]);
      expect(new Set(jobs.map(({ inputHash }) => inputHash)).size).toBe(1);
    });

    /** Freezes both workers at a share of the upload, and kills one when they hold chunks. */
    function killAround(at: number, killed: number[]): Gate[] {
      let frozen: Frozen;
      return [
        { at, pass: async () => void (frozen = await freezeWorkers(server, 2)) },
        {
          at: at + 0.25,
          pass: async () => {
            const job = await jobNamed(server, 'people.csv');
            expect(job.status).toBe('receiving');
            killed.push(await frozen.killOne(job.id));
          },
        },
      ];
    }
  },
);

interface Reading {
  readonly records: number;
  readonly rejected: number;
  /** Over the records as JSON arrays, one a line. */
  readonly sha256: string;
}

/** In a process of its own. */
async function readByCsvParse(csv: string): Promise<Reading> {
  const child = spawn(process.execPath, [oracle, csv], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve) => child.once('close', resolve));
  const { records, rejected, sha256 } = JSON.parse(output) as Reading;
  return { records, rejected, sha256 };
}
