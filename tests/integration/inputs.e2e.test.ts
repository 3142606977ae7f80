import { brotliCompressSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, RecordPage, RejectPage } from '../../pipeline/protocol/index.ts';
import { RECORDS } from '../dialect/zstd-samples.ts';
import { ended, expectAccount, getJson, resultText, run, send } from '../support/jobs.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ workers: 1 });
});
afterAll(() => server.stop());

/** Uploads, expects every record to come through, and gives the records of the result. */
async function recordsOf(
  body: string | Uint8Array,
  options: Parameters<typeof send>[2],
): Promise<string[][]> {
  const job = await run(server, body, options);
  expect(job).toMatchObject({ status: 'completed', error: null, rejected: 0 });
  await expectAccount(server, job);
  return parse(await resultText(server, job.id), { relax_column_count: false });
}

const TABLE = [
  ['id', 'name', 'note'],
  ['007', 'Zoë, "Q"', 'two\nlines'],
  ['12345678901234567890', '李雷', '😀'],
  ['1.10', 'O’Neil', ''],
];
const asText = (delimiter: string): string =>
  TABLE.map((cells) =>
    cells.map((cell) => (/[",\t\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)),
  )
    .map((cells) => `${cells.join(delimiter)}\n`)
    .join('');

describe('one table in many clothes', () => {
  it.each([
    ['gzip', 'table.csv.gz', gzipSync(asText(','))],
    [
      'UTF-16 LE with a byte order mark',
      'table.csv',
      Buffer.from(`\ufeff${asText(',')}`, 'utf16le'),
    ],
    ['UTF-8 with a byte order mark', 'table.csv', Buffer.from(`\ufeff${asText(',')}`)],
    ['TSV', 'table.tsv', Buffer.from(asText('\t'))],
    [
      'CRLF',
      'table.csv',
      Buffer.from(asText(',').replaceAll('\n', '\r\n').replace('two\r\n', 'two\n')),
    ],
  ])('%s gives the same records', async (_, name, body) => {
    expect(await recordsOf(body, { name })).toEqual(TABLE);
  });

  it('brotli gives the same records where Content-Encoding says it', async () => {
    const answer = await fetch(`${server.url}/api/jobs/table.csv`, {
      method: 'PUT',
      headers: { 'content-encoding': 'br' },
      body: brotliCompressSync(asText(',')),
    });
    const job = await ended(server, ((await answer.json()) as Job).id);
    expect(job).toMatchObject({ status: 'completed', input: { compression: 'brotli' } });
    expect(parse(await resultText(server, job.id))).toEqual(TABLE);
  });

  it('zstd gives the records that were compressed', async () => {
    const [, ...records] = await recordsOf(RECORDS.packed, { name: 'records.csv.zst' });
    expect(records).toEqual(parse(RECORDS.text));
  });
});

describe('what was assumed', () => {
  it('is said on the job: an encoding that is not UTF-8', async () => {
    const body = Buffer.from('name,city\nJos\xe9,M\xfcnchen\nAnn,K\xf6ln\n', 'latin1');
    const job = await run(server, body, { name: 'legacy.csv' });
    expect(job.input?.encoding).toBe('windows-1252');
    expect(job.warnings.join(' ')).toMatch(/windows-1252/);
    expect(await resultText(server, job.id)).toBe('name,city\nJosé,München\nAnn,Köln\n');
    const plain = await run(server, asText(','), { name: 'plain.csv' });
    expect(plain.warnings).toEqual([]);
  });
});

describe('JSON', () => {
  const DIGITS = ['12345678901234567890', '0.1000', '1e400', '-0', '9007199254740993'];
  const objects = DIGITS.map((n, i) => `{"id":${i},"n":${n},"deep":{"a":[1,2.50,null]}}`);
  const wanted = [
    ['id', 'n', 'deep'],
    ...DIGITS.map((n, i) => [String(i), n, '{"a":[1,2.50,null]}']),
  ];

  it('lines become records, digit for digit', async () => {
    const body = `${objects.join('\n')}\n`;
    const options = { name: 'x.ndjson', contentType: 'application/x-ndjson' };
    expect(await recordsOf(body, options)).toEqual(wanted);
  });

  it('an array of objects becomes records, digit for digit', async () => {
    const body = `[\n${objects.join(',\n')}\n]\n`;
    const options = { name: 'x.json', contentType: 'application/json' };
    expect(await recordsOf(body, options)).toEqual(wanted);
  });

  it('an array that ends too early fails, and says so', async () => {
    const options = { name: 'cut.json', contentType: 'application/json' };
    const answer = await send(server, `[${objects.join(',')}`, options);
    expect(answer).toMatchObject({ problem: { status: 422 } });
  });
});

describe('hardly any records', () => {
  it.each([
    ['header only', 'a,b,c\n'],
    ['header only, without a line end', 'a,b,c'],
  ])('%s: no record, three columns', async (_, body) => {
    const job = await run(server, body, { name: 'header.csv' });
    expect(job).toMatchObject({ status: 'completed', recordsIn: 0, resultRecords: 0 });
    expect(job.outputColumns?.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    await expectAccount(server, job);
    expect(await resultText(server, job.id)).toBe('a,b,c\n');
    const page = await getJson<RecordPage>(server, `/api/jobs/${job.id}/records`);
    expect(page).toMatchObject({ records: [], available: 0, complete: true });
  });

  it('no byte: refused, with the reason', async () => {
    const answer = await send(server, '', { name: 'nothing.csv' });
    expect(answer).toMatchObject({ status: 400, problem: { code: 'empty-input' } });
  });

  it.each(['\n', '\n\r\n\n', '\r\r'])(
    'blank lines only (%j): no column, no record',
    async (body) => {
      const job = await run(server, body, { name: 'blank.csv' });
      expect(job).toMatchObject({ status: 'completed', recordsIn: 0, outputColumns: [] });
      await expectAccount(server, job);
      expect(await resultText(server, job.id)).toBe('');
    },
  );
});

describe('hardly any bounds', () => {
  it('2,000 columns come through as they were', async () => {
    const header = Array.from({ length: 2000 }, (_, i) => `c${i}`);
    const records = Array.from({ length: 300 }, (_, r) =>
      Array.from({ length: 2000 }, (_, c) => (c % 97 === 0 ? `r${r}, "c${c}"` : String(r * c))),
    );
    const line = (cells: string[]) =>
      `${cells.map((c) => (c.includes(',') ? `"${c.replaceAll('"', '""')}"` : c)).join(',')}\n`;
    const body = [header, ...records].map(line).join('');
    const job = await run(server, body, { name: 'wide.csv' });
    expect(job).toMatchObject({ status: 'completed', recordsIn: 300, recordsOut: 300 });
    expect(await resultText(server, job.id)).toBe(body);
  });

  it('a record of 20 MiB is a reject with its place; all others stand', async () => {
    const lines = (from: number) =>
      Array.from({ length: 50_000 }, (_, i) => `${from + i},"text ""${i}"""\n`).join('');
    const [before, after] = [lines(0), lines(50_001)];
    const huge = `50000,"${'x'.repeat(20 * 1024 * 1024)}"\n`;
    const body = `id,text\n${before}${huge}${after}`;
    const job = await run(server, body, { name: 'huge.csv' });
    expect(job).toMatchObject({ status: 'completed', recordsIn: 100_001, rejected: 1 });
    await expectAccount(server, job);
    expect(await resultText(server, job.id)).toBe(`id,text\n${before}${after}`);
    const { rejects } = await getJson<RejectPage>(server, `/api/jobs/${job.id}/rejects`);
    expect(rejects).toMatchObject([
      { code: 'record-too-large', record: 50_001, line: 50_002, byteOffset: 8 + before.length },
    ]);
    expect(huge.startsWith(rejects[0]?.raw ?? '?')).toBe(true);
  });
});
