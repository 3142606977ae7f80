import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Job, RejectPage } from '../../pipeline/protocol/index.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { ended, eventually, expectAccount, getJson, resultText } from '../support/jobs.ts';
import { run, send } from '../support/jobs.ts';
import { describeWith } from '../support/needs.ts';
import { startServer, type TestServer } from '../support/server.ts';

interface HostileFile {
  readonly file: string;
  readonly what: string;
  readonly format: string;
  readonly expect?: { readonly rows?: readonly string[][]; readonly row_count?: number };
}

const folder = path.join(corpusFolder, 'security');
const read = (name: string): Buffer => readFileSync(path.join(folder, 'files', name));
const fromJson = <T>(name: string, otherwise: T): T =>
  corpusNeed.met ? (JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T) : otherwise;

let server: TestServer;
beforeAll(async () => {
  if (corpusNeed.met) server = await startServer({ workers: 1 });
});
afterAll(async () => {
  await server?.stop();
});

/** By the ending, as a browser would. */
const options = (name: string, plan?: string) => {
  const json = name.endsWith('.json') ? 'application/json' : 'text/csv';
  const contentType = name.endsWith('.ndjson') ? 'application/x-ndjson' : json;
  return { name, contentType, ...(plan === undefined ? {} : { plan }) };
};

const HEADER = 'version: 1\nread: { header: true }\n';
/** What has no header by its looks, or says nothing of its encoding, is told. */
const PLANS: Readonly<Record<string, string>> = {
  'utf16le-nobom.csv': 'version: 1\nread: { header: true, encoding: utf-16le }\n',
  'windows-1252.csv': 'version: 1\nread: { header: true, encoding: windows-1252 }\n',
  'latin1.csv': 'version: 1\nread: { header: true, encoding: latin-1 }\n',
};

describeWith(corpusNeed, 'hostile files whose records are known', () => {
  const files = fromJson<HostileFile[]>('manifest.json', []).filter(
    ({ expect: wanted, file }) => (wanted?.rows?.length ?? 0) > 0 && !file.includes('ragged'),
  );

  it.each(files.map((one) => [path.basename(one.file), one.what, one.expect?.rows ?? []] as const))(
    '%s: %s',
    async (file, _what, rows) => {
      const [header = [], ...records] = rows;
      const job = await run(server, read(file), { name: file, plan: PLANS[file] ?? HEADER });
      expect(job).toMatchObject({ status: 'completed', error: null, rejected: 0 });
      expect(job.recordsIn).toBe(records.length);
      await expectAccount(server, job);
      const got: string[][] = parse(await resultText(server, job.id));
      expect(got.slice(1)).toEqual(records);
      expect(got[0]).toHaveLength(header.length);
      // Names that come twice get a number; all others stay as they are.
      expect(new Set(got[0]).size).toBe(header.length);
      for (const [index, name] of header.entries()) {
        if (name !== '' && header.indexOf(name) === index) expect(got[0]?.[index]).toBe(name);
      }
    },
  );
});

describeWith(corpusNeed, 'hostile files that are refused, in words', () => {
  it.each([
    ['empty.csv', 400, 'empty-input'],
    ['truncated.csv.gz', 422, 'input-compression'],
    ['zip-file.csv', 422, 'input-compression'],
    ['xlsx-magic.csv', 415, 'input-format'],
    ['png.csv', 415, 'input-format'],
    ['json-truncated.json', 422, 'input-malformed'],
  ])('%s', async (file, status, code) => {
    const answer = await send(server, read(file), options(file));
    expect(answer).toMatchObject({ status, problem: { code } });
    expect('problem' in answer && answer.problem.detail.length).toBeGreaterThan(20);
  });

  it('UTF-16 that does not say so', async () => {
    const answer = await send(server, read('utf16le-nobom.csv'), { name: 'x.csv', plan: HEADER });
    const outcome =
      'problem' in answer
        ? answer.problem.code
        : (await ended(server, answer.job.id)).input?.encoding;
    expect(outcome).toMatch(/^(input-encoding|input-format|utf-16le)$/);
  });
});

describeWith(corpusNeed, 'files with broken records', () => {
  const outcome = async (file: string, plan = HEADER) => {
    const job = await run(server, read(file), options(file, plan));
    await expectAccount(server, job);
    const { rejects } = await getJson<RejectPage>(server, `/api/jobs/${job.id}/rejects`);
    const records: string[][] = parse(await resultText(server, job.id), { from_line: 2 });
    return { job, rejects, records };
  };

  it('short and long records are rejects with their lines; the others stand', async () => {
    const { rejects, records } = await outcome('ragged.csv');
    expect(records).toEqual([['1', '2', '3']]);
    expect(rejects.map(({ line, code }) => `${line} ${code}`)).toEqual([
      ...['2 missing-cell', '3 missing-cell', '5 extra-cell', '6 extra-cell'],
    ]);
    expect(rejects.map(({ raw }) => raw)).toEqual(['1', '1,2', '1,2,3,4', ',,,,,']);
  });

  it('a quote that is never closed is a reject that names its line', async () => {
    const plan = `version: 1\nread: { header: true, quote: '"' }\n`;
    const { rejects, records, job } = await outcome('unterminated-quote.csv', plan);
    expect(job).toMatchObject({ status: 'completed', recordsIn: 1, rejected: 1 });
    expect(records).toEqual([]);
    expect(rejects).toMatchObject([{ record: 1, line: 2, raw: '1,"open\n2,3\n4,5\n' }]);
  });

  it('a quote that is never closed is text where quotes were found to be none', async () => {
    const { job } = await outcome('unterminated-quote.csv');
    expect(job.input?.quote).toBe('');
    expect(await resultText(server, job.id)).toBe('a,b\n1,"""open"\n2,3\n4,5\n');
  });

  it('quotes in the wrong place do not move other records', async () => {
    const { records, rejects } = await outcome('stray-quote.csv');
    expect(records).toContainEqual(['3', 'z']);
    expect(records.length + rejects.length).toBe(3);
  });

  it('a broken line of NDJSON is a reject that names its line', async () => {
    const { rejects, records } = await outcome('ndjson-bad-line.ndjson', '');
    expect(records).toEqual([['1'], ['3']]);
    expect(rejects).toMatchObject([{ record: 2, line: 2, raw: '{"a":' }]);
  });

  it('blank lines and CRLF in NDJSON are no records', async () => {
    const { records } = await outcome('ndjson-blank-and-crlf.ndjson', '');
    expect(records).toEqual([['1'], ['2'], ['3']]);
  });
});

describeWith(corpusNeed, 'JSON with traps', () => {
  it('numbers keep their digits', async () => {
    const job = await run(server, read('big-ints.ndjson'), options('big.ndjson'));
    expect(await resultText(server, job.id)).toBe('id,v,w,x\n9007199254740993,1.0,1e400,-0\n');
  });

  it('a byte order mark is not data', async () => {
    const job = await run(server, read('json-bom.json'), options('bom.json'));
    expect(await resultText(server, job.id)).toBe('a\n1\n');
  });

  it.each(['json-dup-keys.json', 'json-object-top.json'])(
    '%s ends in a known way',
    async (file) => {
      const answer = await send(server, read(file), options(file));
      if ('problem' in answer) expect(answer.problem.status).toBeLessThan(500);
      else expect((await ended(server, answer.job.id)).status).toMatch(/^(completed|failed)$/);
    },
  );

  it.each(['csv', 'ndjson', 'json'])('members named __proto__ are data (%s)', async (format) => {
    const plan = `version: 1\nread: { header: true }\nwrite: { format: ${format} }\n`;
    const csv = await run(server, read('proto-columns.csv'), { name: 'p.csv', plan });
    const text = await resultText(server, csv.id);
    expect(text).toContain('__proto__');
    if (format !== 'csv') {
      const [record] = [JSON.parse(text) as object].flat();
      expect(Object.hasOwn(record ?? {}, '__proto__')).toBe(true);
      expect(Object.keys(record ?? {})).toHaveLength(8);
    }
    const write = `version: 1\nwrite: { format: ${format} }\n`;
    const job = await run(server, read('proto.json'), options('p.json', write));
    expect(job).toMatchObject({ status: 'completed', recordsIn: 2 });
    expect(await resultText(server, job.id)).toContain('polluted');
    // The server still builds plain objects of its own.
    expect(await getJson<Job>(server, `/api/jobs/${job.id}`)).not.toHaveProperty('polluted');
  });
});

describeWith(corpusNeed, 'names of uploads', () => {
  const { names } = fromJson<{ names: string[] }>('upload_names.json', { names: [] });

  it('are shown, and are no paths', async () => {
    const before = filesOutsideBlobs();
    for (const name of names) {
      const job = await run(server, 'a,b\n1,2\n', { name });
      expect(job.name).not.toMatch(/[/\\\p{Cc}]/u);
      expect(job.name.length).toBeGreaterThan(0);
      const answer = await fetch(`${server.url}/api/jobs/${job.id}/result`);
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[^"\\]*"/);
      expect(answer.headers.get('content-type')).not.toContain('html');
      expect(await answer.text()).toBe('a,b\n1,2\n');
    }
    await eventually(() => expect(filesOutsideBlobs()).toEqual(before));
  });

  /** What is in the data folder beside the blobs, whose names are hashes. */
  function filesOutsideBlobs(): string[] {
    if (!existsSync(server.dataDir)) return [];
    return readdirSync(server.dataDir)
      .filter((name) => !/-(wal|shm)$/.test(name))
      .sort();
  }
});
