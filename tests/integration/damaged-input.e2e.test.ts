import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChunkPage, Job } from '../../pipeline/protocol/index.ts';
import { ended, getJson, run } from '../support/jobs.ts';
import { startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const RECORDS = 700_000;
const amountOf = (id: number) => (id * 7919) % 10007;

/** Some 20 MB, so that there are several chunks. */
function records(): Buffer {
  const lines = ['id,name,amount'];
  for (let id = 0; id < RECORDS; id++) lines.push(`${id},name ${id % 977},${amountOf(id)}`);
  return Buffer.from(`${lines.join('\n')}\n`);
}

const FIRST = 'steps: [{ filter: amount > 100 }]';
const SECOND = 'steps: [{ filter: amount > 200 }]';

describe('an input that is damaged on the disk', () => {
  const input = records();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ workers: 1 });
  });
  afterAll(async () => {
    await server.stop();
  });

  async function resultOf(jobId: string): Promise<string> {
    const answer = await fetch(`${server.url}/api/jobs/${jobId}/result`);
    expect(answer.status).toBe(200);
    return createHash('sha256')
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest('hex');
  }

  const chunksOf = async (jobId: string) =>
    (await getJson<ChunkPage>(server, `/api/jobs/${jobId}/chunks`)).chunks;

  async function flipBit(chunkKey: string): Promise<void> {
    const room = path.join(server.dataDir, 'blobs', 'chunks');
    const file = path.join(room, chunkKey.slice(0, 2), chunkKey.slice(2));
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, 12_345);
    await handle.write(Buffer.of(byte[0]! ^ 1), 0, 1, 12_345);
    await handle.close();
  }

  it('is named by the job that needs it, and repaired by the same file and a retry', async () => {
    // Its chunks are stored: the next upload takes the damaged one for what it was.
    const { id } = await run(server, input, { name: 'earlier.csv', plan: FIRST });
    const { chunkKey } = (await chunksOf(id))[1]!;
    await flipBit(chunkKey);

    const job = await run(server, input, { name: 'damaged.csv', plan: SECOND });
    expect(job.status).toBe('completed_with_failures');
    const details = { chunk: 1, chunkKey, failedChunks: 1 };
    expect(job.error).toMatchObject({ code: 'input-damaged', details });
    expect(job.error?.message).toMatch(/Chunk 1 .*bytes \d+ to \d+.*Upload the same file.*retry/);
    const failed = (await chunksOf(job.id)).filter(({ status }) => status === 'failed');
    expect(failed).toMatchObject([{ index: 1, error: { code: 'input-damaged' } }]);

    const again = await run(server, input, { name: 'again.csv', plan: SECOND });
    expect(again).toMatchObject({ status: 'completed', chunks: { done: 1 } });
    const answer = await fetch(`${server.url}/api/jobs/${job.id}/retry`, { method: 'POST' });
    expect(answer.status).toBe(200);
    const repaired: Job = await ended(server, job.id);
    expect(repaired).toMatchObject({ status: 'completed', error: null });
    const wanted = Array.from({ length: RECORDS }, (_, n) => amountOf(n)).filter((n) => n > 200);
    expect(repaired).toMatchObject({ recordsIn: RECORDS, recordsOut: wanted.length });
    expect(await resultOf(job.id)).toBe(await resultOf(again.id));
  });
});
