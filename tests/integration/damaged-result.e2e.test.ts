import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Problem } from '../../pipeline/protocol/index.ts';
import { RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import { ended, getJson, run } from '../support/jobs.ts';
import { startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

/** Some 40 MB, so that there are several chunks. */
function records(count = 1_200_000): Buffer {
  const lines = ['id,name,amount'];
  for (let id = 0; id < count; id++) lines.push(`${id},name ${id % 977},${(id * 7919) % 10007}`);
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** Flips a bit in the middle of a stored result's output. */
async function damage(server: TestServer, taskKey: string): Promise<void> {
  const room = path.join(server.dataDir, 'blobs', 'results');
  await flipBit(path.join(room, taskKey.slice(0, 2), taskKey.slice(2)), RESULT_HEAD_BYTES + 12_345);
}

async function flipBit(file: string, at: number): Promise<void> {
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  await handle.write(Buffer.of(byte[0]! ^ 1), 0, 1, at);
  await handle.close();
}

/** All bytes that come, and whether the answer came to its end. */
async function readAll(answer: Response): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of answer.body ?? []) pieces.push(piece as Uint8Array);
    return { bytes: Buffer.concat(pieces), isWhole: true };
  } catch {
    return { bytes: Buffer.concat(pieces), isWhole: false };
  }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a result that is damaged on the disk after its job was done', () => {
  let server: TestServer;
  let job: Job;
  let whole: Buffer;
  let taskKeys: string[];

  beforeAll(async () => {
    server = await startServer({ workers: 1 });
    job = await run(server, records(), { name: 'damaged.csv' });
    whole = (await readAll(await resultOf())).bytes;
    const { chunks } = await getJson<{ chunks: { taskKey: string }[] }>(
      server,
      `/api/jobs/${job.id}/chunks`,
    );
    taskKeys = chunks.map(({ taskKey }) => taskKey);
  });

  afterAll(async () => {
    await server.stop();
  });

  const resultOf = (headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/jobs/${job.id}/result`, { headers });

  it('ends the download before the first damaged byte, and not as if it were complete', async () => {
    expect(job.status).toBe('completed');
    expect(taskKeys.length).toBeGreaterThan(3);
    await damage(server, taskKeys[2]!);
    const { bytes, isWhole } = await readAll(await resultOf());
    expect(isWhole).toBe(false);
    expect(bytes.length).toBeLessThan(whole.length);
    expect(bytes.equals(whole.subarray(0, bytes.length))).toBe(true);
  });

  it('says on the job what is wrong, and what to do', async () => {
    const now = await getJson<Job>(server, `/api/jobs/${job.id}`);
    expect(now.status).toBe('completed_with_failures');
    expect(now.error).toMatchObject({ code: 'blob-corrupt', details: { chunk: 2 } });
    expect(now.error?.message).toMatch(/bytes \d+ to \d+ of the result, those of chunk 2.*Retry/);
  });

  it('refuses the next download in words, and whatever else needs these bytes', async () => {
    const answer = await resultOf();
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    const problem = (await answer.json()) as Problem;
    expect(problem).toMatchObject({ code: 'blob-corrupt' });
    const { start } = problem.details as { start: number };
    const range = { range: `bytes=${start + 100}-${start + 200}` };
    expect((await resultOf(range)).status).toBe(503);
    const before = await getJson<{ chunks: { records: number }[] }>(
      server,
      `/api/jobs/${job.id}/chunks?limit=2`,
    );
    const offset = before.chunks.reduce((sum, { records }) => sum + records, 0) + 10;
    const page = await fetch(`${server.url}/api/jobs/${job.id}/records?offset=${offset}&limit=10`);
    expect(page.status).toBe(503);
  });

  it('still gives the bytes that are whole, by range', async () => {
    const part = await resultOf({ range: 'bytes=0-99999' });
    expect(part.status).toBe(206);
    const { bytes, isWhole } = await readAll(part);
    expect(isWhole).toBe(true);
    expect(bytes.equals(whole.subarray(0, 100_000))).toBe(true);
  });

  it('is repaired by a retry, which makes that chunk again and no other', async () => {
    await damage(server, taskKeys[0]!);
    const answer = await fetch(`${server.url}/api/jobs/${job.id}/retry`, { method: 'POST' });
    expect(answer.status).toBe(200);
    const repaired = await ended(server, job.id);
    expect(repaired).toMatchObject({ status: 'completed', error: null, recordsIn: job.recordsIn });
    const { bytes, isWhole } = await readAll(await resultOf());
    expect(isWhole).toBe(true);
    expect(sha256(bytes)).toBe(sha256(whole));
    const tasksDone = await fetch(`${server.url}/metrics`).then((metrics) => metrics.text());
    expect(tasksDone).toContain(`sluice_chunks_done_total ${taskKeys.length + 2}`);
  });

  it('is found and repaired as well where the result is one object', async () => {
    const plan = 'steps: [{ derive: { h: sha256(id::string) } }]\nwrite: { format: parquet }';
    const whole = await run(server, records(120_000), { name: 'whole.csv', plan });
    const url = `${server.url}/api/jobs/${whole.id}`;
    const before = (await readAll(await fetch(`${url}/result`))).bytes;
    const room = path.join(server.dataDir, 'blobs', 'outputs', whole.id.slice(0, 2));
    const at = before.length - 1_000;
    await flipBit(path.join(room, whole.id.slice(2), 'result'), at);
    const { bytes, isWhole } = await readAll(await fetch(`${url}/result`));
    expect(isWhole).toBe(false);
    expect(bytes.equals(before.subarray(0, bytes.length))).toBe(true);
    const range = { range: `bytes=${at + 100}-${at + 200}` };
    const refused = await fetch(`${url}/result`, { headers: range });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'blob-corrupt' });
    expect((await fetch(`${url}/retry`, { method: 'POST' })).status).toBe(200);
    expect(await ended(server, whole.id)).toMatchObject({ status: 'completed', error: null });
    const repaired = await readAll(await fetch(`${url}/result`));
    expect(repaired.isWhole).toBe(true);
    expect(sha256(repaired.bytes)).toBe(sha256(before));
  });
});
