import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Job } from '../../pipeline/protocol/index.ts';
import { generateFile } from '../support/generate.ts';
import { ended, eventually, getJson, jobNamed, paced, run, send } from '../support/jobs.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let file = '';
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-hangup-'));
  file = path.join(folder, 'people.csv');
  await generateFile(file, { bytes: 40_000_000, seed: 9, malformedEvery: 0 });
  server = await startServer({ workers: 1 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it.each(['raw', 'form'] as const)(
  'a %s upload whose client goes away fails the job, and leaves nothing behind',
  async (kind) => {
    const name = `${kind}.csv`;
    const boundary = 'boundary-of-the-test';
    const form = `multipart/form-data; boundary=${boundary}`;
    const upload = request(`${server.url}/api/jobs?name=${name}`, {
      method: 'POST',
      headers: { 'content-type': kind === 'form' ? form : 'text/csv' },
    });
    upload.on('error', () => undefined);
    if (kind === 'form') {
      const disposition = `Content-Disposition: form-data; name="file"; filename="${name}"`;
      upload.write(`--${boundary}\r\n${disposition}\r\n\r\n`);
    }
    let sent = 0;
    for await (const part of paced(file, [])) {
      if (sent > 25_000_000) break;
      sent += part.length;
      if (!upload.write(part)) await new Promise((resolve) => upload.once('drain', resolve));
    }
    const { id } = await jobNamed(server, name);
    await eventually(async () => {
      const { chunks } = await getJson<Job>(server, `/api/jobs/${id}`);
      expect(chunks.done + chunks.reused).toBeGreaterThan(0);
    });
    upload.destroy();
    const job = await ended(server, id);
    expect(job).toMatchObject({ status: 'failed', error: { code: 'input-truncated' } });
    expect(job.error?.message).toMatch(/Upload the file again/);
    await eventually(() => expect(temporaryFiles()).toEqual([]));
  },
);

it('the server goes on', async () => {
  const job = await run(server, paced(file, []), { name: 'whole.csv' });
  expect(job.status).toBe('completed');
  expect(job.chunks.reused).toBeGreaterThan(0);
  expect(temporaryFiles()).toEqual([]);
});

it('the server stops while an upload goes on, and says at the next start what to do', async () => {
  const dataDir = path.join(folder, 'stopped');
  const stopped = await startServer({ workers: 1, dataDir });
  const never = { at: 0.5, pass: () => new Promise<void>(() => undefined) };
  const upload = expect(
    send(stopped, paced(file, [never]), { name: 'held.csv' }),
  ).rejects.toThrow();
  const { id } = await jobNamed(stopped, 'held.csv');
  expect(await stopped.stop()).toBe(0);
  await upload;
  const next = await startServer({ workers: 0, dataDir });
  try {
    const job = await ended(next, id);
    expect(job).toMatchObject({ status: 'failed', error: { code: 'input-truncated' } });
  } finally {
    await next.stop();
  }
});

/** Files that a write left under a temporary name. */
function temporaryFiles(): string[] {
  const temporary = path.join(server.dataDir, 'blobs', 'tmp');
  if (!existsSync(temporary)) return [];
  return readdirSync(temporary, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}
