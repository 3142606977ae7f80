import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../pipeline/protocol/index.ts';
import { freezeWorkers, type Frozen } from '../support/freeze.ts';
import { generateFile } from '../support/generate.ts';
import { ended, getJson, jobNamed, paced, run, send } from '../support/jobs.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let server: TestServer;
const inFolder = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-fair-'));
  await generateFile(inFolder('big.csv'), { bytes: 150_000_000, seed: 1, malformedEvery: 0 });
  await generateFile(inFolder('small.csv'), { bytes: 5_000_000, seed: 2, malformedEvery: 0 });
  server = await startServer({ workers: 1 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a small job ends while a big one that came before waits with most of its chunks', async () => {
  let queued = 0;
  let frozen: Frozen;
  const overtake = async (): Promise<void> => {
    const { id } = await jobNamed(server, 'big.csv');
    frozen.thaw();
    const small = await run(server, paced(inFolder('small.csv'), []), { name: 'small.csv' });
    expect(small).toMatchObject({ status: 'completed', error: null });
    const big = await getJson<Job>(server, `/api/jobs/${id}`);
    expect(big.status).toBe('receiving');
    queued = big.chunks.queued;
  };
  const gates = [
    { at: 0.01, pass: async () => void (frozen = await freezeWorkers(server, 1)) },
    { at: 0.95, pass: overtake },
  ];
  const answer = await send(server, paced(inFolder('big.csv'), gates), { name: 'big.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  expect((await ended(server, answer.job.id)).status).toBe('completed');
  expect(queued).toBeGreaterThan(0);
});
