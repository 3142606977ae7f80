import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMaster, type RunningMaster } from '../../master/main.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { Job, JobPage } from '../../pipeline/protocol/index.ts';
import { eventually, getJson } from '../support/jobs.ts';
import {
  checksumHeader,
  createUpload,
  metadataHeader,
  offsetOf,
  openPart,
  PART,
  patchUpload,
  TUS,
  tusCall,
} from '../support/tus.ts';

/** https://tus.io/protocols/resumable-upload: the core, and each extension that OPTIONS names. */

let dataDir = '';
let master: RunningMaster;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-tus-'));
  master = await startMaster({ port: 0, workers: 0, dataDir, logLevel: 'silent' });
});
afterAll(async () => {
  await master.close();
  await rm(dataDir, { recursive: true, force: true });
});

const CSV = `a,b\n${'1,2\n'.repeat(1000)}`;
const idOf = (upload: string): string => upload.slice(upload.lastIndexOf('/') + 1);
const jobOf = (upload: string): Promise<Job> => getJson(master, `/api/jobs/${idOf(upload)}`);
const spoolOf = (upload: string): string => path.join(dataDir, 'uploads', idOf(upload));

describe('the version', () => {
  it('and what is supported is told by OPTIONS, to anybody', async () => {
    const { status, headers } = await tusCall(master, 'OPTIONS', '/api/uploads', {});
    expect(status).toBe(204);
    expect(headers.get('tus-version')).toBe('1.0.0');
    expect(headers.get('tus-resumable')).toBe('1.0.0');
    expect(headers.get('tus-max-size')).toBe(String(LIMITS.uploadBytesMax));
    expect(headers.get('tus-checksum-algorithm')).toBe('sha1,sha256,sha512,md5');
    expect(headers.get('tus-extension')).toBe(
      'creation,creation-with-upload,creation-defer-length,termination,expiration,checksum',
    );
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([{}, { 'tus-resumable': '0.2.2' }])('%j is refused before all else', async (version) => {
    const upload = await createUpload(master, CSV.length);
    for (const [method, target] of [
      ['POST', '/api/uploads'],
      ['HEAD', upload],
      ['PATCH', upload],
      ['DELETE', upload],
    ] as const) {
      const headers = { 'upload-length': '10', 'upload-offset': '0', ...version };
      const answer = await tusCall(master, method, target, headers);
      expect([method, answer.status]).toEqual([method, 412]);
      expect(answer.headers.get('tus-version')).toBe('1.0.0');
    }
    expect(await offsetOf(master, upload)).toBe(0);
    expect(await jobOf(upload)).toMatchObject({ status: 'receiving' });
  });
});

describe('creation', () => {
  it('answers with the address, and HEAD tells what was said', async () => {
    const metadata = metadataHeader({ filename: 'größe.csv', filetype: 'text/csv' });
    const created = await tusCall(master, 'POST', '/api/uploads', {
      ...TUS,
      'upload-length': '1234',
      'upload-metadata': metadata,
    });
    expect(created.status).toBe(201);
    expect(created.headers.get('tus-resumable')).toBe('1.0.0');
    expect(Date.parse(created.headers.get('upload-expires') ?? '')).toBeGreaterThan(Date.now());
    const upload = created.headers.get('location') ?? '';
    expect(upload).toMatch(/^\/api\/uploads\/[0-9a-f-]{36}$/);
    const { status, headers } = await tusCall(master, 'HEAD', upload);
    expect(status).toBe(200);
    expect(headers.get('upload-offset')).toBe('0');
    expect(headers.get('upload-length')).toBe('1234');
    expect(headers.get('upload-defer-length')).toBeNull();
    expect(headers.get('upload-metadata')).toBe(metadata);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('tus-resumable')).toBe('1.0.0');
    expect(await jobOf(upload)).toMatchObject({
      ...{ name: 'größe.csv', status: 'receiving', bytesReceived: 0, bytesTotal: 1234 },
    });
  });

  it.each([
    [{}, 400],
    [{ 'upload-length': '-1' }, 400],
    [{ 'upload-length': '1.5' }, 400],
    [{ 'upload-length': '5', 'upload-defer-length': '1' }, 400],
    [{ 'upload-defer-length': '2' }, 400],
    [{ 'upload-length': '5', 'upload-metadata': 'name not-base64' }, 400],
    [{ 'upload-length': '5', 'upload-metadata': '__proto__ eA==' }, 400],
    [{ 'upload-length': '5', 'upload-concat': 'partial' }, 400],
    [{ 'upload-length': String(LIMITS.uploadBytesMax + 1) }, 413],
    [{ 'upload-length': '0' }, 400],
    [{ 'upload-length': '5', 'idempotency-key': 'two words' }, 400],
    [{ 'upload-length': '5', 'upload-metadata': metadataHeader({ jobId: 'nobody' }) }, 404],
  ])('with %j is refused with %i, and leaves nothing', async (headers, status) => {
    const before = await getJson<JobPage>(master, '/api/jobs');
    const answer = await tusCall(master, 'POST', '/api/uploads', { ...TUS, ...headers });
    expect(answer.status).toBe(status);
    expect(answer.problem?.detail).not.toBe('');
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(await getJson<JobPage>(master, '/api/jobs')).toEqual(before);
  });

  it('of an empty file says that it is empty', async () => {
    const headers = { ...TUS, 'upload-length': '0' };
    const { problem } = await tusCall(master, 'POST', '/api/uploads', headers);
    expect(problem).toMatchObject({ code: 'empty-input', detail: 'the input has no bytes' });
  });

  it('with a plan that is wrong is refused, with the place', async () => {
    const plan = 'steps:\n  - filter: "a >"\n';
    const metadata = metadataHeader({ filename: 'x.csv', plan });
    const headers = { ...TUS, 'upload-length': '9', 'upload-metadata': metadata };
    const { status, problem } = await tusCall(master, 'POST', '/api/uploads', headers);
    expect(status).toBe(422);
    expect(JSON.stringify(problem?.details)).toContain('/steps/0/filter');
  });

  it('takes a name, never a path', async () => {
    const upload = await createUpload(master, 5, { filename: '../../etc/passwd\u202e.csv' });
    expect((await jobOf(upload)).name).toBe('passwd.csv');
  });

  it('with the first part answers with the offset', async () => {
    const headers = { ...PART, 'upload-length': String(CSV.length) };
    const created = await tusCall(master, 'POST', '/api/uploads', headers, CSV.slice(0, 50));
    expect(created.status).toBe(201);
    expect(created.headers.get('upload-offset')).toBe('50');
    const upload = created.headers.get('location') ?? '';
    expect(await offsetOf(master, upload)).toBe(50);
    expect((await patchUpload(master, upload, 50, CSV.slice(50))).status).toBe(204);
    expect(await jobOf(upload)).toMatchObject({ status: 'processing', bytesReceived: CSV.length });
  });

  it('repeated under one Idempotency-Key is one upload, and goes on where it was', async () => {
    const key = { 'idempotency-key': 'once-only' };
    const upload = await createUpload(master, CSV.length, undefined, key);
    expect(await createUpload(master, CSV.length, undefined, key)).toBe(upload);
    await patchUpload(master, upload, 0, CSV.slice(0, 70));
    const again = await tusCall(
      ...([master, 'POST', '/api/uploads'] as const),
      { ...PART, 'upload-length': String(CSV.length), ...key, 'upload-metadata': NAMED },
      CSV.slice(0, 100),
    );
    expect(again.status).toBe(201);
    expect(again.headers.get('location')).toBe(upload);
    expect(again.headers.get('upload-offset')).toBe('70');
    const other = createUpload(master, CSV.length, { filename: 'other.csv' }, key);
    await expect(other).rejects.toThrow('input-changed');
  });

  it('for a job that was made by a JSON call feeds that job', async () => {
    const made = await fetch(`${master.url}/api/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'json-1' },
      body: JSON.stringify({
        name: 'made.csv',
        plan: { steps: [{ trim: '*' }] },
        size: CSV.length,
      }),
    });
    const text = await made.text();
    if (made.status !== 201) throw new Error(text);
    const job = JSON.parse(text) as Job;
    const upload = `/api/uploads/${job.id}`;
    expect(made.headers.get('location')).toBe(`/api/jobs/${job.id}`);
    expect(made.headers.get('link')).toBe(`<${upload}>; rel="upload"`);
    expect(job).toMatchObject({ name: 'made.csv', status: 'receiving', bytesTotal: CSV.length });
    expect(await createUpload(master, CSV.length, { jobId: job.id })).toBe(upload);
    await expect(createUpload(master, 7, { jobId: job.id })).rejects.toThrow('conflict');
    expect((await patchUpload(master, upload, 0, CSV)).status).toBe(204);
    expect(await jobOf(upload)).toMatchObject({ status: 'processing', plan: job.plan });
  });
});

const NAMED = metadataHeader({ filename: 'people.csv' });

describe('a part', () => {
  it('is appended, and answered with the new offset', async () => {
    const upload = await createUpload(master, CSV.length);
    const first = await patchUpload(master, upload, 0, CSV.slice(0, 999));
    expect(first.status).toBe(204);
    expect(first.headers.get('upload-offset')).toBe('999');
    expect(first.headers.get('tus-resumable')).toBe('1.0.0');
    expect(Date.parse(first.headers.get('upload-expires') ?? '')).toBeGreaterThan(Date.now());
    expect(await jobOf(upload)).toMatchObject({ status: 'receiving' });
    const last = await patchUpload(master, upload, 999, CSV.slice(999));
    expect(last.headers.get('upload-offset')).toBe(String(CSV.length));
    expect(last.headers.get('upload-expires')).toBeNull();
    expect(await jobOf(upload)).toMatchObject({ status: 'processing', bytesReceived: CSV.length });
    await eventually(() => expect(existsSync(spoolOf(upload))).toBe(false));
    // A client that missed the last answer asks, and learns that it is done.
    expect(await offsetOf(master, upload)).toBe(CSV.length);
    expect((await patchUpload(master, upload, CSV.length, '')).status).toBe(410);
  });

  it('at another offset is a conflict that changes nothing', async () => {
    const upload = await createUpload(master, CSV.length);
    await patchUpload(master, upload, 0, CSV.slice(0, 10));
    for (const offset of [0, 9, 11, CSV.length]) {
      const answer = await patchUpload(master, upload, offset, 'x,y\n');
      expect(answer.status).toBe(409);
      expect(await offsetOf(master, upload)).toBe(10);
    }
  });

  it.each([
    ['another type', { 'content-type': 'text/csv' }, 415],
    ['no offset', { 'upload-offset': '' }, 400],
    ['a wrong offset', { 'upload-offset': '-1' }, 400],
    ['a second length', { 'upload-length': '77' }, 400],
  ])('with %s is refused', async (_what, headers, status) => {
    const upload = await createUpload(master, CSV.length);
    const answer = await patchUpload(master, upload, 0, 'a,b\n', headers);
    expect(answer.status).toBe(status);
    expect(await offsetOf(master, upload)).toBe(0);
  });

  it('beyond the length is refused, and nothing of it counts', async () => {
    const upload = await createUpload(master, 8);
    expect((await patchUpload(master, upload, 0, 'a,b\n1,2\nmore')).status).toBe(413);
    expect(await offsetOf(master, upload)).toBe(0);
  });

  it('of an unknown upload is not found, whatever its name', async () => {
    for (const id of ['nobody', '..%2f..%2fjobs.sqlite', '%00', '01900000-0000-7000-8000-0']) {
      const target = `/api/uploads/${id}`;
      expect((await patchUpload(master, target, 0, 'x')).status).toBe(404);
      expect((await tusCall(master, 'HEAD', target)).status).toBe(404);
      expect((await tusCall(master, 'DELETE', target)).status).toBe(404);
    }
  });

  it('may be sent as a POST that names its method', async () => {
    const upload = await createUpload(master, CSV.length);
    const override = { 'x-http-method-override': 'PATCH', 'upload-offset': '0' };
    const answer = await tusCall(master, 'POST', upload, { ...PART, ...override }, CSV);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('upload-offset')).toBe(String(CSV.length));
    expect((await tusCall(master, 'POST', upload, PART, 'x')).status).toBe(405);
  });

  it('whose bytes cannot be read fails the job, and is answered with the reason', async () => {
    const upload = await createUpload(master, 10_000, { filename: 'x.csv.gz' });
    const gzip = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(9_996, 7)]);
    const { status, problem } = await patchUpload(master, upload, 0, gzip);
    expect(status).toBe(422);
    expect(problem).toMatchObject({ code: 'input-compression' });
    expect(await jobOf(upload)).toMatchObject({
      status: 'failed',
      error: { code: 'input-compression' },
    });
    const over = await patchUpload(master, upload, 10_000, 'x');
    expect(over.status).toBe(410);
    expect(over.problem?.detail).toContain('its job is failed');
  });
});

describe('a deferred length', () => {
  it('is told as such, and may come with any part', async () => {
    const headers = { ...TUS, 'upload-defer-length': '1' };
    const created = await tusCall(master, 'POST', '/api/uploads', headers);
    const upload = created.headers.get('location') ?? '';
    const head = await tusCall(master, 'HEAD', upload);
    expect(head.headers.get('upload-defer-length')).toBe('1');
    expect(head.headers.get('upload-length')).toBeNull();
    await patchUpload(master, upload, 0, CSV);
    expect(await jobOf(upload)).toMatchObject({ status: 'receiving', bytesTotal: null });
    const short = await patchUpload(master, upload, CSV.length, '', { 'upload-length': '10' });
    expect(short.status).toBe(400);
    const length = { 'upload-length': String(CSV.length) };
    expect((await patchUpload(master, upload, CSV.length, '', length)).status).toBe(204);
    expect(await jobOf(upload)).toMatchObject({ status: 'processing', bytesTotal: CSV.length });
  });
});

describe('a checksum', () => {
  it.each(['sha1', 'sha256', 'sha512', 'md5'])('by %s that fits is accepted', async (algorithm) => {
    const upload = await createUpload(master, CSV.length);
    const half = CSV.slice(0, 2000);
    const first = await patchUpload(master, upload, 0, half, checksumHeader(algorithm, half));
    expect(first.status).toBe(204);
    expect(await offsetOf(master, upload)).toBe(2000);
    const rest = CSV.slice(2000);
    await patchUpload(master, upload, 2000, rest, checksumHeader(algorithm, rest));
    expect(await jobOf(upload)).toMatchObject({ status: 'processing', bytesReceived: CSV.length });
  });

  it('that does not fit drops the part', async () => {
    const upload = await createUpload(master, CSV.length);
    const wrong = checksumHeader('sha1', 'something else');
    for (const half of [CSV.slice(0, 2000), CSV.slice(0, 999)]) {
      const answer = await patchUpload(master, upload, 0, half, wrong);
      expect(answer.status).toBe(460);
      expect(answer.problem?.code).toBe('checksum-mismatch');
      expect(await offsetOf(master, upload)).toBe(0);
    }
    await patchUpload(master, upload, 0, CSV, checksumHeader('sha1', CSV));
    const job = await jobOf(upload);
    expect(job).toMatchObject({ status: 'processing', bytesReceived: CSV.length });
    expect(job.chunks.queued).toBe(1);
  });

  it('of a part that was cut off drops what came', async () => {
    const upload = await createUpload(master, CSV.length);
    const part = openPart(master, upload, 0, CSV.length, checksumHeader('sha1', CSV));
    await part.send(Buffer.from(CSV.slice(0, 1500)));
    await eventually(() => expect(spooledBytes(upload)).toBe(1500));
    part.request.destroy();
    await part.answer;
    expect(await offsetOf(master, upload)).toBe(0);
  });

  it.each(['sha1', 'crc99 AAAA', 'sha1 AAAA', '__proto__ AAAA', 'sha1 !!!! x'])(
    'given as %s is refused',
    async (header) => {
      const upload = await createUpload(master, CSV.length);
      const answer = await patchUpload(master, upload, 0, CSV, { 'upload-checksum': header });
      expect(answer.status).toBe(400);
      expect(await offsetOf(master, upload)).toBe(0);
    },
  );
});

describe('termination', () => {
  it('cancels the job, deletes what was kept, and is final', async () => {
    const upload = await createUpload(master, CSV.length);
    await patchUpload(master, upload, 0, CSV.slice(0, 100));
    expect(existsSync(spoolOf(upload))).toBe(true);
    const answer = await tusCall(master, 'DELETE', upload);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('tus-resumable')).toBe('1.0.0');
    expect(await jobOf(upload)).toMatchObject({ status: 'cancelled' });
    expect(existsSync(spoolOf(upload))).toBe(false);
    expect((await tusCall(master, 'HEAD', upload)).status).toBe(410);
    expect((await patchUpload(master, upload, 100, 'x')).status).toBe(410);
    expect((await tusCall(master, 'DELETE', upload)).status).toBe(410);
  });

  it('of a complete upload is a matter of its job', async () => {
    const upload = await createUpload(master, CSV.length);
    await patchUpload(master, upload, 0, CSV);
    const { status, problem } = await tusCall(master, 'DELETE', upload);
    expect(status).toBe(409);
    expect(problem?.detail).toContain('/api/jobs');
    expect(await jobOf(upload)).toMatchObject({ status: 'processing' });
  });

  it('comes with the job being cancelled, also in the middle of a part', async () => {
    const upload = await createUpload(master, CSV.length);
    const part = openPart(master, upload, 0, CSV.length);
    await part.send(Buffer.from(CSV.slice(0, 1500)));
    await eventually(() => expect(spooledBytes(upload)).toBe(1500));
    await fetch(`${master.url}/api/jobs/${idOf(upload)}/cancel`, { method: 'POST' });
    expect(await part.answer).toMatchObject({ statusCode: 410 });
    await eventually(() => expect(existsSync(spoolOf(upload))).toBe(false));
    expect((await tusCall(master, 'HEAD', upload)).status).toBe(410);
  });
});

/** Bytes in the upload's spool, synced or not. */
function spooledBytes(upload: string): number {
  const files = existsSync(spoolOf(upload)) ? readdirSync(spoolOf(upload)) : [];
  return files.reduce((sum, name) => sum + sizeOf(path.join(spoolOf(upload), name)), 0);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
