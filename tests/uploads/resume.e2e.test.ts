import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ChunkPage, Job } from '../../pipeline/protocol/index.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import { download, ended, eventually, expectAccount, getJson } from '../support/jobs.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { sha256OfRun } from '../support/sluice.ts';
import {
  createUpload,
  offsetOf,
  openPart,
  patchUpload,
  TUS,
  tusCall,
  type OpenPart,
} from '../support/tus.ts';

/** Clients that are cut off, and masters that are killed, in the middle of resumable uploads. */

const KINDS = ['plain', 'gzip', 'utf-16'] as const;
type Kind = (typeof KINDS)[number];

let folder = '';
let generated: GeneratedFile;
let wanted = '';
let server: TestServer;
const inputs = new Map<Kind, Buffer>();
const dataDir = (): string => path.join(folder, 'data');
const start = (env: Record<string, string> = {}): Promise<TestServer> =>
  startServer({ workers: 1, dataDir: dataDir(), env });
const bytesOf = (kind: Kind): Buffer => inputs.get(kind) ?? Buffer.alloc(0);
const idOf = (upload: string): string => upload.slice(upload.lastIndexOf('/') + 1);
const jobOf = (upload: string): Promise<Job> => getJson(server, `/api/jobs/${idOf(upload)}`);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-resume-'));
  const file = path.join(folder, 'people.csv');
  generated = await generateFile(file, { bytes: 40_000_000, seed: 21, malformedEvery: 1500 });
  wanted = await sha256OfRun(file);
  const text = readFileSync(file);
  inputs.set('plain', text);
  inputs.set('gzip', gzipSync(text, { level: 1 }));
  inputs.set('utf-16', Buffer.from(`\ufeff${text.toString()}`, 'utf16le'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  server = await start();
});
afterEach(async () => {
  await server.stop();
  await rm(dataDir(), { recursive: true, force: true });
});

/** Sends `[from, to)` in one part that stays open. */
async function sendPart(
  upload: string,
  bytes: Buffer,
  from: number,
  to: number,
): Promise<OpenPart> {
  const part = openPart(server, upload, from, bytes.length - from);
  for (let at = from; at < to; at += 1 << 18)
    await part.send(bytes.subarray(at, Math.min(to, at + (1 << 18))));
  return part;
}

async function chunksDone(upload: string, atLeast: number): Promise<Job> {
  return await eventually(async () => {
    const job = await jobOf(upload);
    expect(job.chunks.done).toBeGreaterThanOrEqual(atLeast);
    expect(job.chunks.queued + job.chunks.running).toBe(0);
    return job;
  });
}

async function chunksOf(upload: string): Promise<ChunkPage['chunks']> {
  const page = await getJson<ChunkPage>(server, `/api/jobs/${idOf(upload)}/chunks?limit=1000`);
  return page.chunks;
}

/** Inode and time of each file of a room: what was not made again keeps both. */
function filesOf(room: 'chunks' | 'results'): Map<string, string> {
  const dir = path.join(dataDir(), 'blobs', room);
  return new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [file, `${statSync(file).ino} ${statSync(file).mtimeMs}`]),
  );
}

async function expectWhole(upload: string): Promise<Job> {
  const job = await ended(server, idOf(upload));
  expect(job).toMatchObject({ status: 'completed', error: null, recordsIn: generated.records });
  await expectAccount(server, job);
  expect((await download(server, job.id)).sha256).toBe(wanted);
  await eventually(() => expect(existsSync(path.join(dataDir(), 'uploads', job.id))).toBe(false));
  return job;
}

it.each(KINDS)(
  'a %s upload goes on after its master was killed, and what was done is not done again',
  async (kind) => {
    const bytes = bytesOf(kind);
    const upload = await createUpload(server, bytes.length);
    const acknowledged = Math.floor(bytes.length * 0.3);
    expect((await patchUpload(server, upload, 0, bytes.subarray(0, acknowledged))).status).toBe(
      204,
    );
    const sent = Math.floor(bytes.length * 0.6);
    const part = await sendPart(upload, bytes, acknowledged, sent);
    await chunksDone(upload, 2);
    const chunks = await chunksOf(upload);
    const files = [...filesOf('chunks'), ...filesOf('results')];
    await server.kill();
    expect(await part.answer).toBeInstanceOf(Error);

    server = await start();
    const waiting = await jobOf(upload);
    expect(waiting).toMatchObject({ status: 'receiving', error: null });
    const offset = await offsetOf(server, upload);
    expect(waiting.bytesReceived).toBe(offset);
    expect(offset).toBeGreaterThanOrEqual(acknowledged);
    expect(offset).toBeLessThanOrEqual(sent);
    const rest = await patchUpload(server, upload, offset, bytes.subarray(offset));
    expect(rest.status).toBe(204);
    const job = await expectWhole(upload);
    expect(job.bytesReceived).toBe(bytes.length);
    expect((await chunksOf(upload)).slice(0, chunks.length)).toEqual(chunks);
    expect(job.chunks.done + job.chunks.reused).toBe((await chunksOf(upload)).length);
    const after = new Map([...filesOf('chunks'), ...filesOf('results')]);
    for (const [file, identity] of files) expect(after.get(file)).toBe(identity);
  },
);

it.each(KINDS)('a %s upload goes on after its client was cut off, twice', async (kind) => {
  const bytes = bytesOf(kind);
  const upload = await createUpload(server, bytes.length);
  let offset = 0;
  for (const share of [0.4, 0.7]) {
    const sent = Math.floor(bytes.length * share);
    const part = await sendPart(upload, bytes, offset, sent);
    part.request.destroy();
    offset = await offsetOf(server, upload);
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThanOrEqual(sent);
  }
  expect((await patchUpload(server, upload, offset, bytes.subarray(offset))).status).toBe(204);
  await expectWhole(upload);
});

it('an upload whose bytes have all come is completed after a restart, without its client', async () => {
  const bytes = bytesOf('gzip');
  const headers = { ...TUS, 'upload-defer-length': '1' };
  const created = await tusCall(server, 'POST', '/api/uploads', headers);
  const upload = created.headers.get('location') ?? '';
  await patchUpload(server, upload, 0, bytes);
  expect(await jobOf(upload)).toMatchObject({ status: 'receiving', bytesReceived: bytes.length });
  expect(await createUpload(server, bytes.length, { jobId: idOf(upload) })).toBe(upload);
  await server.kill();
  server = await start();
  expect(await offsetOf(server, upload)).toBe(bytes.length);
  await expectWhole(upload);
});

it('small parts make an upload too, with the master stopped and started in between', async () => {
  const bytes = bytesOf('plain').subarray(0, 3_000_000);
  const end = bytes.lastIndexOf('\n') + 1;
  const upload = await createUpload(server, end);
  for (let at = 0; at < end; at += 100_000) {
    const part = bytes.subarray(at, Math.min(end, at + 100_000));
    expect((await patchUpload(server, upload, at, part)).status).toBe(204);
    if (at !== 1_000_000 && at !== 2_000_000) continue;
    await server.stop();
    server = await start();
    expect(await offsetOf(server, upload)).toBe(at + 100_000);
  }
  expect(await ended(server, idOf(upload))).toMatchObject({ status: 'completed' });
});

it('an upload whose client never comes back expires, says so, and leaves nothing', async () => {
  await server.stop();
  server = await start({ SLUICE_UPLOAD_EXPIRY: '2s' });
  const upload = await createUpload(server, 5_000_000);
  await patchUpload(server, upload, 0, bytesOf('plain').subarray(0, 1_000_000));
  const job = await ended(server, idOf(upload));
  expect(job).toMatchObject({ status: 'failed', error: { code: 'upload-expired' } });
  expect(job.error?.message).toContain('1000000 of 5000000 bytes');
  expect((await tusCall(server, 'HEAD', upload)).status).toBe(410);
  const late = await patchUpload(server, upload, 1_000_000, 'x');
  expect(late).toMatchObject({ status: 410, problem: { code: 'upload-expired' } });
  await eventually(() => expect(readdirSync(path.join(dataDir(), 'uploads'))).toEqual([]));
});

it('of two parts at once the newer one wins, and what came of the other counts', async () => {
  const bytes = bytesOf('plain');
  const upload = await createUpload(server, bytes.length);
  const stale = await sendPart(upload, bytes, 0, 2_000_000);
  const conflict = await patchUpload(server, upload, 0, bytes);
  expect(conflict.status).toBe(409);
  const displaced = await stale.answer;
  expect(displaced).toMatchObject({ statusCode: 423 });
  const offset = await offsetOf(server, upload);
  expect(offset).toBeGreaterThan(0);
  expect((await patchUpload(server, upload, offset, bytes.subarray(offset))).status).toBe(204);
  await expectWhole(upload);
});
