import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalFile } from '../../master/service.ts';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import { chunkKey, InputHasher } from '../../pipeline/keys/index.ts';
import { CHUNK_LIMITS, LIMITS } from '../../pipeline/limits.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { Job } from '../../pipeline/protocol/index.ts';
import { ingestMaster } from '../support/ingest-master.ts';
import type { IngestMaster } from '../support/ingest-master.ts';

let master: IngestMaster;
let folder: string;
beforeAll(async () => {
  master = await ingestMaster();
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-ingest-files-'));
});
afterAll(async () => {
  await master.close();
  await rm(folder, { recursive: true });
});

const HEADER = 'id,name,note\n';
const record = (i: number): string =>
  `${i},name ${(i * 2_654_435_761) % 1_000_003},${i % 9 === 0 ? '"two\nlines, ""quoted"""' : 'ü'}\n`;
const text = Buffer.from(HEADER + Array.from({ length: 400_000 }, (_, i) => record(i)).join(''));

function receive(body: Readable | LocalFile, signal = new AbortController().signal): Promise<Job> {
  const about = { name: 'x.csv', plan: '', formatHint: null, idempotencyKey: null };
  return master.service.receive({ ...about, bytesTotal: null }, body, signal);
}

/** The body in parts of changing length, each in a buffer that is overwritten afterwards. */
function inParts(bytes: Uint8Array, longest = 100_000): Readable {
  const parts = function* (): Generator<Buffer> {
    for (let at = 0, n = 1; at < bytes.length; at += n, n = 1 + ((n * 31) % longest)) {
      yield Buffer.from(bytes.subarray(at, at + n));
    }
  };
  return Readable.from(parts(), { objectMode: false });
}

/** What one scalar pass over the text cuts. */
function expected(): { chunks: unknown[]; inputHash: string } {
  const chunker = new Chunker(RFC_4180, CHUNK_LIMITS, { startOffset: HEADER.length, startLine: 1 });
  const data = text.subarray(HEADER.length);
  const hasher = new InputHasher(['id', 'name', 'note']);
  const chunks = [...chunker.push(data), ...chunker.finish()].map((cut, index) => {
    const key = chunkKey(cut.bytes);
    hasher.add(key);
    return { index, key, byteOffset: cut.byteOffset, bytes: cut.fullBytes, line: cut.line };
  });
  return { chunks, inputHash: hasher.digest() };
}

function stored(job: Job): { chunks: unknown[]; inputHash: string | null } {
  const chunks = master.chunks(job.id).map(({ index, chunkKey: key, byteOffset, bytes, line }) => ({
    ...{ index, key, byteOffset, bytes, line },
  }));
  return { chunks, inputHash: job.inputHash };
}

describe('an input', () => {
  const wanted = expected();

  it('is cut as one scalar pass over it does, whatever parts it comes in', async () => {
    expect(wanted.chunks.length).toBeGreaterThan(1);
    for (const longest of [7_000, 100_000, 3_000_000]) {
      const job = await receive(inParts(text, longest));
      expect(stored(job)).toEqual(wanted);
      expect(job).toMatchObject({ status: 'processing', bytesReceived: text.length });
    }
    for (const { chunkKey: key } of master.chunks((await receive(inParts(text))).id)) {
      expect(chunkKey(await master.blobs.get(`chunks/${key}`))).toBe(key);
    }
    expect(master.temporaries()).toEqual([]);
  });

  it('is the same with a byte-order mark, compressed, in UTF-16, and as a local file', async () => {
    const marked = Buffer.concat([Buffer.from('\ufeff'), text]);
    const utf16 = Buffer.from(`\ufeff${text.toString()}`, 'utf16le');
    for (const bytes of [marked, gzipSync(text), utf16]) {
      expect(stored(await receive(inParts(bytes)))).toEqual(wanted);
      const file = path.join(folder, 'input.csv');
      await writeFile(file, bytes);
      const job = await receive({ path: file });
      expect(stored(job)).toEqual(wanted);
      expect(job.bytesReceived).toBe(bytes.length);
    }
  });

  it('may come together with others, more than there are threads', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 7 }, () => receive(inParts(text, 400_000))),
    );
    for (const job of jobs) expect(stored(job)).toEqual(wanted);
  });
});

describe('an input that fails', () => {
  it('by its own bytes is answered while it is still coming', async () => {
    let given = 0;
    const endless = function* (): Generator<Buffer> {
      for (;;) {
        given += 65_536;
        yield Buffer.from(`a,b\n${'1,2\n'.repeat(16_383)}`);
      }
    };
    const plan = 'steps:\n  - select: [missing]\n';
    const request = { name: 'x', plan, bytesTotal: null, formatHint: null, idempotencyKey: null };
    const body = Readable.from(endless(), { objectMode: false });
    const received = master.service.receive(request, body, new AbortController().signal);
    await expect(received).rejects.toMatchObject({ code: 'plan-invalid' });
    expect(body.destroyed).toBe(true);
    expect(given).toBeLessThan(3 * LIMITS.uploadBytesInFlightMax);
  });

  it('by having no bytes says so', async () => {
    await expect(receive(Readable.from([]))).rejects.toMatchObject({ code: 'empty-input' });
  });

  it('in its stream fails with the error of the stream, and leaves nothing half-written', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < 6_000_000; at += 500_000) yield text.subarray(at, at + 500_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new RangeError('the source broke');
    };
    const received = receive(Readable.from(broken(), { objectMode: false }));
    await expect(received).rejects.toMatchObject({ message: 'the source broke' });
    expect(master.temporaries()).toEqual([]);
  });

  it('when the client goes away says how far it came', async () => {
    const client = new AbortController();
    const body = new Readable({ read: () => undefined });
    body.push(text.subarray(0, 3_000_000));
    const received = receive(body, client.signal);
    setTimeout(() => client.abort(), 150);
    await expect(received).rejects.toMatchObject({
      ...{ code: 'input-truncated', details: { bytesReceived: 3_000_000, bytesTotal: null } },
    });
    expect(master.temporaries()).toEqual([]);
    const { jobs } = master.service.listJobs({ status: null, q: null, cursor: null, limit: 1 });
    expect(jobs[0]).toMatchObject({ status: 'failed', error: { code: 'input-truncated' } });
    await expect(master.service.retry(jobs[0]!.id)).rejects.toThrow('Upload the file again');
  });

  it('because a local file cannot be read fails, and the next one is read', async () => {
    await expect(receive({ path: folder })).rejects.toThrow(/EISDIR/);
    await expect(receive(inParts(text))).resolves.toMatchObject({ status: 'processing' });
  });
});

it('jobs are listed page by page, and a cursor that is of no page is refused', async () => {
  await receive(inParts(text));
  await receive(inParts(text));
  const page = (cursor: string | null) =>
    master.service.listJobs({ status: null, q: null, cursor, limit: 1 });
  const first = page(null);
  const second = page(first.nextCursor);
  expect([first.jobs.length, second.jobs.length]).toEqual([1, 1]);
  expect(second.jobs[0]?.id).not.toBe(first.jobs[0]?.id);
  expect(() => page('2')).toThrow('cursor is the nextCursor of the page before');
});

it('a thread that ends takes its inputs with it, and is replaced', async () => {
  const own = await ingestMaster();
  const about = { name: 'x', plan: '', formatHint: null, idempotencyKey: null, bytesTotal: null };
  const { signal } = new AbortController();
  const waiting = new Readable({ read: () => undefined });
  waiting.push(text.subarray(0, 2_000_000));
  const received = own.service.receive(about, waiting, signal);
  setTimeout(() => void own.threads.close(), 100);
  await expect(received).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringMatching(/^The thread that reads the input has ended: exit code \d$/),
  });
  const { jobs } = own.service.listJobs({ status: null, q: null, cursor: null, limit: 1 });
  expect(jobs[0]).toMatchObject({ status: 'failed', error: { code: 'internal' } });
  await expect(own.service.receive(about, inParts(text), signal)).resolves.toMatchObject({
    status: 'processing',
  });
  await own.close();
});
