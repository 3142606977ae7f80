import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChunkPage, Job } from '../../pipeline/protocol/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { freezeWorkers } from '../support/freeze.ts';
import { download, ended, eventually, expectAccount, getJson } from '../support/jobs.ts';
import { jobNamed, paced, resultText, run, send } from '../support/jobs.ts';
import { startRabbitMq, type RabbitMq, type RabbitMqSkipped } from '../support/rabbitmq.ts';
import { startServer, type TestServer } from '../support/server.ts';

const RECORDS = 1_650_000;
/** Many records for each name, so that equal keys meet in every chunk and lie on every boundary. */
const NAMES = 700;
const PLAN = 'steps: [{ sort: [{ by: name }, { by: amount, desc: true }] }]';
/** Of the language, not of the bytes: cells are texts, and DuckDB quotes as the file does. */
const SORTED_BY_DUCKDB = `
  SELECT * FROM read_csv($input, all_varchar = true, header = true, delim = ',', quote = '"')
  ORDER BY name COLLATE "binary", CAST(amount AS DOUBLE) DESC NULLS LAST, CAST(id AS BIGINT)`;

let folder = '';
let file = '';
/** Of DuckDB's answer as CSV. */
let wanted = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-sort-'));
  file = path.join(folder, 'input.csv');
  await generate(file);
  wanted = await sortByDuckDB(file, path.join(folder, 'wanted.csv'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(['in-process', 'rabbitmq'] as const)('a sort over the %s queue', (queue) => {
  let broker: RabbitMq | RabbitMqSkipped | null = null;
  let server: TestServer;

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

  it('gives the bytes of DuckDB when all workers are killed in each wave', async () => {
    const kill = async (): Promise<void> => {
      const { pids } = await freezeWorkers(server, 2);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
    };
    const name = `sort-${queue}.csv`;
    const gates = [{ at: 0.5, pass: kill }];
    const sent = send(server, paced(file, gates), { name, plan: PLAN });
    const { id } = await jobNamed(server, name);
    await eventually(async () => {
      const { waves } = await getJson<Job>(server, `/api/jobs/${id}`);
      expect(waves[1]?.firstChunk).toBeGreaterThan(0);
    });
    await kill();
    expect((await getJson<Job>(server, `/api/jobs/${id}`)).status).toBe('processing');
    expect((await sent).status).toBe(201);
    const job = await ended(server, id);
    expect(job).toMatchObject({ status: 'completed', error: null, recordsOut: RECORDS });
    expect(job.bytesProcessed).toBe(job.bytesReceived);
    expect(job.waves.map(({ kind }) => kind)).toEqual(['read', 'sort']);
    expect(job.waves[0]?.chunks).toBeGreaterThan(LIMITS.windowTasksMin);
    expect(job.waves[1]?.chunks).toBeGreaterThan(2);
    await expectWaves(server, job);
    expect((await download(server, id)).sha256).toBe(wanted);
  });

  it('does not sort the same file again', async () => {
    const job = await run(server, createReadStream(file), { name: 'again.csv', plan: PLAN });
    expect(job.chunks).toMatchObject({ done: 0, failed: 0 });
    expect((await download(server, job.id)).sha256).toBe(wanted);
  });

  it('of no records gives the header, and of one chunk all of it', async () => {
    const empty = await run(server, 'name,amount\n', { name: 'empty.csv', plan: PLAN });
    expect(empty).toMatchObject({ status: 'completed', recordsIn: 0, resultRecords: 0 });
    expect(await resultText(server, empty.id)).toBe('name,amount\n');
    const text = 'name,amount\nb,1\na,\na,"2"\nb,10\na,2.0\n';
    const one = await run(server, text, { name: 'one.csv', plan: PLAN });
    expect(one.waves.map(({ chunks }) => chunks)).toEqual([1, 1]);
    expect(await resultText(server, one.id)).toBe('name,amount\na,"2"\na,2.0\na,\nb,10\nb,1\n');
    await expectAccount(server, empty);
    await expectWaves(server, one);
  });
});

/** Checks the account, by wave: each takes the records that the one before it gave. */
async function expectWaves(server: TestServer, job: Job): Promise<void> {
  const { chunks } = await getJson<ChunkPage>(server, `/api/jobs/${job.id}/chunks?limit=1000`);
  for (const wave of job.waves.keys()) {
    const records = chunks.filter((chunk) => chunk.wave === wave);
    expect(records.reduce((sum, chunk) => sum + chunk.records, 0)).toBe(job.recordsIn);
  }
  const { balanced } = await getJson<{ balanced: boolean }>(server, `/api/jobs/${job.id}/manifest`);
  expect(balanced).toBe(true);
}

/** Some 60 MB; ids count the records, amounts may be missing, texts are quoted where they must be. */
async function generate(target: string): Promise<void> {
  const stream = createWriteStream(target);
  let seed = 20_261_126;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >>> 8) % below;
  };
  stream.write('id,name,amount,note\n');
  for (let id = 0; id < RECORDS;) {
    let text = '';
    for (const end = Math.min(id + 10_000, RECORDS); id < end; id++) {
      const amount = random(20) === 0 ? '' : `${random(50_000) / 100}`;
      const note = random(3) === 0 ? `"note, ${random(1_000)}"` : `note ${random(1_000)}`;
      text += `${id},name ${random(NAMES)},${amount},${note}\n`;
    }
    if (!stream.write(text)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
}

async function sortByDuckDB(input: string, target: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const query = SORTED_BY_DUCKDB.replace('$input', `'${input}'`);
  await connection.run(`COPY (${query}) TO '${target}' (HEADER, DELIMITER ',')`);
  connection.closeSync();
  instance.closeSync();
  const hash = createHash('sha256');
  for await (const part of createReadStream(target)) hash.update(part as Buffer);
  return hash.digest('hex');
}
