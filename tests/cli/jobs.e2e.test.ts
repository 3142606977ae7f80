import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Job } from '../../pipeline/protocol/index.ts';
import { getJson, jobNamed, send } from '../support/jobs.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { sluice } from '../support/sluice.ts';

/** Has no workers, so that a job stays as it is. */
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ workers: 0 });
  await send(server, 'a,b\n1,2\n', { name: 'waiting.csv' });
});
afterAll(() => server.stop());

const command = (...args: string[]) => sluice([...args, '--server', server.url]);

it('sluice jobs lists them, by status where asked', async () => {
  const { id } = await jobNamed(server, 'waiting.csv');
  const all = await command('jobs');
  expect(all.code).toBe(0);
  expect(all.stdout.toString()).toContain(id);
  const done = await command('jobs', '--status', 'completed');
  expect(done.stdout.toString()).not.toContain(id);
});

it('sluice job shows one, for people and for programs', async () => {
  const { id } = await jobNamed(server, 'waiting.csv');
  expect((await command('job', id)).stdout.toString()).toContain('waiting.csv');
  const shown = JSON.parse((await command('job', id, '--json')).stdout.toString()) as Job;
  expect(shown).toEqual(await getJson<Job>(server, `/api/jobs/${id}`));
});

it('sluice cancel stops one; what has ended is neither cancelled nor retried', async () => {
  const { id } = await jobNamed(server, 'waiting.csv');
  expect((await command('cancel', id)).code).toBe(0);
  expect(await getJson<Job>(server, `/api/jobs/${id}`)).toMatchObject({ status: 'cancelled' });
  for (const verb of ['cancel', 'retry']) {
    const again = await command(verb, id);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('cancelled');
  }
});

it('a job that is not there is told in a line', async () => {
  const result = await command('job', 'no-such-job');
  expect(result.code).toBe(1);
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(result.stderr).toContain('no-such-job');
});
