import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChunkPage, Job, Manifest } from '../../pipeline/protocol/index.ts';
import { ended, eventually, getJson, jobNamed, resultText, run, send } from '../support/jobs.ts';
import { startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const QUICK = { SLUICE_SWEEP: '100ms', SLUICE_SWEEP_GRACE: '500ms' };

/** Input of one chunk, another one for each name. */
const input = (name: string) => `id,name\n1,${name}\n2,${name} too\n`;

let dataDir: string;
let server: TestServer | null = null;

async function start(env: Record<string, string>, workers = 1): Promise<TestServer> {
  server = await startServer({ workers, dataDir, env });
  return server;
}

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-housekeeping-'));
});
afterEach(async () => {
  await server?.stop();
  server = null;
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

async function blobNames(): Promise<string[]> {
  const rooms = path.join(dataDir, 'blobs');
  const entries = await readdir(rooms, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(rooms, path.join(entry.parentPath, entry.name)))
    .map((name) => name.replaceAll(path.sep, '/'))
    .filter((name) => !name.startsWith('tmp/'));
}

const remove = (on: TestServer, job: Job) =>
  fetch(`${on.url}/api/jobs/${job.id}`, { method: 'DELETE' });

describe('housekeeping', () => {
  it('removes the blobs of a deleted job, while another job runs', async () => {
    const on = await start(QUICK);
    const kept = await run(on, input('kept'), { name: 'kept.csv' });
    const names = await blobNames();
    const gone = await run(on, input('gone'), { name: 'gone.csv' });
    // An upload that goes on: today's garbage must not wait for its end.
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const body = (async function* () {
      yield Buffer.from('id,name\n');
      await held;
      yield Buffer.from('7,late\n');
    })();
    const late = send(on, body, { name: 'late.csv' });
    await jobNamed(on, 'late.csv');
    expect((await remove(on, gone)).status).toBe(204);
    expect((await blobNames()).length).toBeGreaterThan(names.length);
    await eventually(async () => expect((await blobNames()).sort()).toEqual([...names].sort()));
    // Counted when the whole round has ended.
    await eventually(async () => {
      const metrics = await (await fetch(`${on.url}/metrics`)).text();
      const removed = Number(/sluice_blobs_removed_total (\d+)/.exec(metrics)?.[1]);
      expect(removed).toBeGreaterThanOrEqual(2);
    });
    expect(await resultText(on, kept.id)).toBe(input('kept'));
    finish();
    const answer = await late;
    expect(answer.status).toBe(201);
    if ('job' in answer) expect((await ended(on, answer.job.id)).status).toBe('completed');
  });

  it('keeps finished jobs by number and by age', async () => {
    let on = await start({ ...QUICK, SLUICE_KEEP: '2' });
    for (const name of ['one', 'two', 'three']) {
      await run(on, input(name), { name: `${name}.csv` });
    }
    const list = async () => {
      const { jobs } = await getJson<{ jobs: Job[] }>(on, '/api/jobs');
      return jobs.map(({ name }) => name);
    };
    await eventually(async () => expect(await list()).toEqual(['three.csv', 'two.csv']));
    await on.stop();
    on = await start({ ...QUICK, SLUICE_RETENTION: '1s' });
    await eventually(async () => expect(await list()).toEqual([]));
    await eventually(async () => expect(await blobNames()).toEqual([]));
  });

  it('keeps the bytes of a chunk that failed at hand, and what a retry needs', async () => {
    let on = await start(QUICK, 0);
    const text = input('quarantined');
    const { id } = await send(on, text, { name: 'quarantined.csv' }).then((answer) => {
      if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
      return answer.job;
    });
    await on.stop();
    const context = (await blobNames()).find((name) => name.startsWith('contexts/')) ?? '';
    const file = path.join(dataDir, 'blobs', context);
    const bytes = await readFile(file);
    await rm(file);
    on = await start(QUICK);
    expect(await ended(on, id)).toMatchObject({ status: 'completed_with_failures' });
    const page = await getJson<ChunkPage>(on, `/api/jobs/${id}/chunks`);
    expect(page.chunks[0]).toMatchObject({ status: 'failed', error: { code: 'blob-missing' } });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const answer = await fetch(`${on.url}/api/jobs/${id}/chunks/0/bytes`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toContain('chunk-0');
    const raw = Buffer.from(await answer.arrayBuffer());
    expect(raw.toString()).toBe(text.slice(text.indexOf('\n') + 1));
    const { chunks } = await getJson<Manifest>(on, `/api/jobs/${id}/manifest`);
    expect(createHash('sha256').update(raw).digest('hex')).toBe(chunks[0]?.chunkKey);
    expect((await fetch(`${on.url}/api/jobs/${id}/chunks/9/bytes`)).status).toBe(404);
    expect((await fetch(`${on.url}/api/jobs/${id}/chunks/x/bytes`)).status).toBe(400);
    await writeFile(file, bytes);
    expect((await fetch(`${on.url}/api/jobs/${id}/retry`, { method: 'POST' })).status).toBe(200);
    expect(await ended(on, id)).toMatchObject({ status: 'completed' });
    expect(await resultText(on, id)).toBe(text);
  });
});
