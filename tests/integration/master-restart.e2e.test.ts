import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Job, Manifest, Profile, RecordPage } from '../../pipeline/protocol/index.ts';
import { freezeWorkers } from '../support/freeze.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import { download, ended, eventually, expectAccount, getJson } from '../support/jobs.ts';
import { jobNamed, paced, run, send } from '../support/jobs.ts';
import { sha256OfRun } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let file = '';
let generated: GeneratedFile;
let wanted = '';
let server: TestServer;
const dataDir = () => path.join(folder, 'data');
const start = () => startServer({ workers: 2, dataDir: dataDir() });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-restart-'));
  file = path.join(folder, 'people.csv');
  generated = await generateFile(file, { bytes: 40_000_000, seed: 8, malformedEvery: 1500 });
  wanted = await sha256OfRun(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  server = await start();
});
afterEach(async () => {
  await server.stop();
  await rm(dataDir(), { recursive: true, force: true });
});

it('a job goes on after its master was killed, and stays readable after that', async () => {
  let frozen: readonly number[] = [];
  const freeze = async () => {
    const { id } = await jobNamed(server, 'p.csv');
    await eventually(async () => {
      expect((await getJson<Job>(server, `/api/jobs/${id}`)).chunks.done).toBeGreaterThan(0);
    });
    ({ pids: frozen } = await freezeWorkers(server, 2));
  };
  const answer = await send(server, paced(file, [{ at: 0.5, pass: freeze }]), { name: 'p.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  const { id } = answer.job;
  await eventually(async () => {
    const { chunks } = await getJson<Job>(server, `/api/jobs/${id}`);
    expect(chunks.done).toBeGreaterThan(0);
    expect(chunks.running).toBeGreaterThan(0);
  });
  await server.kill();
  // The workers go with their master.
  for (const pid of frozen) process.kill(pid, 'SIGCONT');

  server = await start();
  const job = await ended(server, id);
  expect(job).toMatchObject({ status: 'completed', error: null, recordsIn: generated.records });
  await expectAccount(server, job);
  expect((await download(server, id)).sha256).toBe(wanted);

  const views = async () => ({
    profile: await getJson<Profile>(server, `/api/jobs/${id}/profile`),
    manifest: await getJson<Manifest>(server, `/api/jobs/${id}/manifest`),
    page: await getJson<RecordPage>(server, `/api/jobs/${id}/records?offset=50000&limit=20`),
    rejects: await getJson<object>(server, `/api/jobs/${id}/rejects?limit=20`),
  });
  const before = await views();
  expect(before.profile).toMatchObject({ complete: true, records: job.recordsOut });
  expect(before.page.records).toHaveLength(20);
  await server.stop();
  server = await start();
  expect(await views()).toEqual(before);
  expect((await download(server, id)).sha256).toBe(wanted);
});

it('an upload that its master did not survive is failed, and what was done is not done again', async () => {
  let chunksDone = 0;
  const hold = {
    at: 0.7,
    pass: async () => {
      const { id } = await jobNamed(server, 'people.csv');
      await eventually(async () => {
        const { chunks } = await getJson<Job>(server, `/api/jobs/${id}`);
        expect(chunks.done).toBeGreaterThan(1);
        expect(chunks.running + chunks.queued).toBe(0);
        chunksDone = chunks.done;
      });
      await server.kill();
    },
  };
  await expect(send(server, paced(file, [hold]), { name: 'people.csv' })).rejects.toThrow();
  server = await start();
  const failed = await jobNamed(server, 'people.csv');
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'input-truncated' } });
  expect(failed.error?.message).toContain('Upload the file again');
  const job = await run(server, paced(file, []), { name: 'people.csv' });
  expect(job).toMatchObject({ status: 'completed', recordsIn: generated.records });
  expect(job.chunks.reused).toBe(chunksDone);
  expect(job.chunks.done).toBeGreaterThan(0);
  expect((await download(server, job.id)).sha256).toBe(wanted);
});

it('a second master on the same data folder is refused', async () => {
  await expect(start()).rejects.toThrow(/in use|another/i);
  expect((await run(server, 'a,b\n1,2\n', { name: 'x.csv' })).status).toBe('completed');
});
