import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClientToServer, RecordPage, ServerToClient } from '../../pipeline/protocol/index.ts';
import type { Profile, Snapshot, WatchAnswer } from '../../pipeline/protocol/index.ts';
import { generateFile } from '../support/generate.ts';
import { ended, eventually, getJson, jobNamed, paced, run, send } from '../support/jobs.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let file = '';
let server: TestServer;
let socket: Socket<ServerToClient, ClientToServer>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-live-'));
  file = path.join(folder, 'people.csv');
  await generateFile(file, { bytes: 40_000_000, seed: 6, malformedEvery: 100 });
  server = await startServer({ workers: 2 });
  socket = io(`${server.url}/jobs`, { transports: ['websocket'] });
});
afterAll(async () => {
  socket.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const watch = (jobId: string): Promise<WatchAnswer> =>
  new Promise((resolve) => socket.emit('watch', { jobId }, resolve));

it('who watches a job sees it begin, grow and end', async () => {
  const snapshots: Snapshot[] = [];
  const progress: Snapshot[] = [];
  const done: Snapshot[] = [];
  const pages: RecordPage[] = [];
  const profiles: Profile[] = [];
  socket.on('snapshot', (event) => void snapshots.push(event));
  socket.on('progress', (event) => void progress.push(event));
  socket.on('done', (event) => void done.push(event));
  socket.on('records', ({ page }) => void pages.push(page));
  socket.on('profile', ({ profile }) => void profiles.push(profile));

  const begun = {
    at: 0.2,
    pass: async () => {
      const { id } = await jobNamed(server, 'people.csv');
      expect(await watch(id)).toEqual({ ok: true });
      await eventually(() => expect(snapshots).toHaveLength(1));
      expect(snapshots[0]?.job.status).toBe('receiving');
    },
  };
  // The rest is sent only when the first records and a step of progress were seen.
  const seen = {
    at: 0.7,
    pass: () =>
      eventually(() => {
        expect(progress.some(({ job }) => job.chunks.done > 0)).toBe(true);
        expect(pages.some(({ records }) => records.length > 0)).toBe(true);
        expect(done).toEqual([]);
      }),
  };
  const answer = await send(server, paced(file, [begun, seen]), { name: 'people.csv' });
  if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
  const job = await ended(server, answer.job.id);
  await eventually(() => expect(done).toHaveLength(1));

  const events = [...snapshots, ...progress, ...done];
  expect(events.every(({ jobId }) => jobId === job.id)).toBe(true);
  const inOrder = (of: readonly number[]) =>
    of.every((value, i) => i === 0 || value > (of[i - 1] ?? 0));
  expect(inOrder([...snapshots, ...progress].map(({ sequence }) => sequence))).toBe(true);
  const received = progress.map(({ job: { bytesReceived } }) => bytesReceived);
  expect(received).toEqual([...received].sort((a, b) => a - b));
  expect(done[0]?.job).toEqual(await getJson<object>(server, `/api/jobs/${job.id}`));
  expect(done[0]?.chunkMap).toBe('d'.repeat(job.chunks.done));
  await eventually(() => expect(profiles.at(-1)).toMatchObject({ complete: true }));
  expect(profiles.at(-1)).toEqual(await getJson<object>(server, `/api/jobs/${job.id}/profile`));
  expect(pages[0]?.columns.map(({ name }) => name)).toEqual(
    job.outputColumns?.map(({ name }) => name),
  );
});

it('a job that has ended is shown at once; one that is not there is refused', async () => {
  const job = await run(server, 'a,b\n1,2\n', { name: 'small.csv' });
  const shown = new Promise<Snapshot>((resolve) => {
    socket.on('snapshot', (event) => event.jobId === job.id && resolve(event));
  });
  expect(await watch(job.id)).toEqual({ ok: true });
  expect((await shown).job).toEqual(job);
  expect(await watch('no-such-job')).toMatchObject({ ok: false, code: 'not-found' });
});
