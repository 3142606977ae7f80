import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { Upload, type UploadOptions } from 'tus-js-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startMaster, type RunningMaster } from '../../master/main.ts';
import type { Job } from '../../pipeline/protocol/index.ts';
import { getJson } from '../support/jobs.ts';

let dataDir = '';
let master: RunningMaster;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'sluice-tus-js-'));
  master = await startMaster({ port: 0, workers: 0, dataDir, logLevel: 'silent' });
});
afterAll(async () => {
  await master.close();
  await rm(dataDir, { recursive: true, force: true });
});

const CSV = Buffer.from(`a,b\n${'1,2\n'.repeat(200_000)}`);

/** Uploads as the client's documentation says; gives the job that the upload feeds. */
async function upload(file: Buffer | Readable, options: UploadOptions): Promise<Job> {
  const url = await new Promise<string>((resolve, reject) => {
    const one = new Upload(file, {
      endpoint: `${master.url}/api/uploads`,
      metadata: { filename: 'people.csv', filetype: 'text/csv' },
      onError: reject,
      onSuccess: () => resolve(one.url ?? ''),
      ...options,
    });
    one.start();
  });
  return await getJson<Job>(master, `/api/jobs/${url.slice(url.lastIndexOf('/') + 1)}`);
}

it.each([
  ['in one request', {}],
  ['in parts', { chunkSize: 100_000 }],
  ['with data in the creation', { chunkSize: 100_000, uploadDataDuringCreation: true }],
  ['by POST alone', { overridePatchMethod: true }],
])('tus-js-client uploads %s', async (_how, options) => {
  const job = await upload(CSV, options);
  expect(job).toMatchObject({ name: 'people.csv', status: 'processing' });
  expect(job).toMatchObject({ bytesReceived: CSV.length, bytesTotal: CSV.length });
});

it('tus-js-client uploads a stream of unknown length', async () => {
  const parts = Array.from({ length: 9 }, (_, i) => CSV.subarray(i * 90_000, (i + 1) * 90_000));
  const body = Readable.from(parts, { objectMode: false });
  const job = await upload(body, { chunkSize: 100_000, uploadLengthDeferred: true });
  expect(job).toMatchObject({ status: 'processing', bytesReceived: 800_004, bytesTotal: 800_004 });
});

it('tus-js-client is told what is wrong, and does not try again', async () => {
  const metadata = { filename: 'x.csv', plan: 'steps: 7' };
  await expect(upload(CSV, { metadata })).rejects.toThrow(/response code: 422.*plan-invalid/s);
});
