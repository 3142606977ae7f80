import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { S3BlobStore } from '../../pipeline/storage/s3-blob-store.ts';
import { s3Location } from '../../pipeline/storage/s3-location.ts';
import { type S3TestServer, startS3 } from '../support/s3-server.ts';
import { blobStoreContract } from './contract.ts';

let server: S3TestServer;
let folders = 0;
beforeAll(async () => {
  server = await startS3();
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

function open(bucket = server.bucket): S3BlobStore {
  return new S3BlobStore(s3Location(`s3://${bucket}/folder-${++folders}`, server.env));
}

describe('S3BlobStore', () => blobStoreContract(async () => open()));

describe('S3BlobStore on a server that fails', () => {
  it.each([
    ['answers 503', ['unavailable', 'unavailable'] as const],
    ['cuts connections', ['no-answer', 'no-answer'] as const],
  ])('tries again when it %s', async (_, faults) => {
    const store = open();
    server.faults.push(...faults);
    expect(await store.put('results/abc', [Buffer.from('x')])).toEqual({ created: true });
    server.faults.push(...faults);
    expect(Buffer.from(await store.get('results/abc')).toString()).toBe('x');
    server.faults.push(...faults);
    expect(await store.has('results/abc')).toBe(true);
    server.faults.push(...faults);
    expect(await store.renew('results/abc')).toBe(true);
    expect(server.faults).toEqual([]);
  });

  it('reads an answer again that was cut', async () => {
    const store = open();
    const bytes = randomBytes(3_000_000);
    await store.put('results/abc', [bytes]);
    server.faults.push('cut-body', 'cut-body');
    expect(bytes.equals(await store.get('results/abc'))).toBe(true);
    server.faults.push('cut-body');
    expect(
      bytes.subarray(9, 2_000_000).equals(await store.getRange('results/abc', 9, 2_000_000)),
    ).toBe(true);
    server.faults.push('cut-body');
    const pieces: Buffer[] = [];
    for await (const piece of store.stream('results/abc', 0, bytes.length)) {
      pieces.push(piece as Buffer);
    }
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(server.faults).toEqual([]);
  });

  it('gives up in the end, and says who did not answer', { timeout: 60_000 }, async () => {
    const store = open();
    server.faults.push(...Array.from({ length: 6 }, () => 'unavailable' as const));
    await expect(store.has('results/abc')).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining(server.endpoint) as string,
    });
    server.faults.length = 0;
  });

  it('says which bucket there is not', async () => {
    const names = open('no-such-bucket').list('chunks/')[Symbol.asyncIterator]();
    await expect(names.next()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringMatching(/no-such-bucket.*NoSuchBucket/) as string,
    });
  });
});

describe('the location of a store', () => {
  it('is read from its URL and the environment', () => {
    expect(s3Location('s3://data', {})).toEqual({
      ...{ bucket: 'data', prefix: '', endpoint: null, region: 'us-east-1', pathStyle: false },
    });
    const env = { SLUICE_S3_ENDPOINT: 'http://minio:9000', SLUICE_S3_REGION: 'eu-1' };
    expect(s3Location('s3://data/some/where/', env)).toEqual({
      ...{ bucket: 'data', prefix: 'some/where/', endpoint: 'http://minio:9000' },
      ...{ region: 'eu-1', pathStyle: true },
    });
    expect(s3Location('s3://data', { ...env, SLUICE_S3_PATH_STYLE: '0' }).pathStyle).toBe(false);
  });

  it.each(['data', 's3://', 's3://A', 's3://data/../x', 'http://data', 's3://da ta'])(
    'is refused when it is %s',
    (url) => {
      expect(() => s3Location(url, {})).toThrow(/--store takes s3:/);
    },
  );
});
