import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3BlobStore } from '../../pipeline/storage/s3-blob-store.ts';
import { s3Location } from '../../pipeline/storage/s3-location.ts';
import { expectAccount, resultText, run } from '../support/jobs.ts';
import { type S3TestServer, startS3 } from '../support/s3-server.ts';
import { startServer } from '../support/server.ts';
import { sluice } from '../support/sluice.ts';

function records(): string {
  const lines = ['id,name,amount'];
  for (let id = 0; id < 400_000; id++) lines.push(`${id},name ${id % 977},${(id * 7919) % 10007}`);
  return `${lines.join('\n')}\n`;
}

describe('chunks and results in an S3 store', () => {
  let s3: S3TestServer;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(async () => {
    await s3.close();
  });

  it('gives the same result, on a server that fails now and then, and keeps nothing here', async () => {
    const store = `s3://${s3.bucket}/jobs`;
    const server = await startServer({ workers: 2, env: { ...s3.env, SLUICE_STORE: store } });
    try {
      const text = records();
      s3.faults.push('unavailable', 'no-answer', 'cut-body', 'no-answer', 'unavailable');
      const job = await run(server, text, { name: 's3.csv' });
      expect(job.status).toBe('completed');
      await expectAccount(server, job);
      s3.faults.push('cut-body', 'unavailable');
      expect(await resultText(server, job.id)).toBe(text);
      const again = await run(server, text, { name: 'again.csv' });
      expect(again.chunks.reused).toBe(job.chunks.done);
      expect(await readdir(server.dataDir)).not.toContain('blobs');
      const rooms = new Set<string>();
      Object.assign(process.env, s3.env);
      const blobs = new S3BlobStore(s3Location(store, s3.env));
      for await (const name of blobs.list('')) rooms.add(path.dirname(name).split('/')[0] ?? '');
      expect([...rooms].sort()).toEqual(['chunks', 'contexts', 'outputs', 'results']);
      const gone = await fetch(`${server.url}/api/jobs/${job.id}`, { method: 'DELETE' });
      expect(gone.status).toBe(204);
      expect(await resultText(server, again.id)).toBe(text);
    } finally {
      await server.stop();
    }
  });

  it('says at the start that the bucket is not there, or that the name is none', async () => {
    Object.assign(process.env, s3.env);
    const missing = await sluice(['serve', '--port', '0', '--store', 's3://not-there']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/s3:\/\/not-there.*NoSuchBucket/);
    const wrong = await sluice(['serve', '--port', '0', '--store', 'not-there']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--store takes s3://bucket');
  });
});
