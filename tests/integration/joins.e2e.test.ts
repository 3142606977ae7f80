import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Problem, StoredLookup } from '../../pipeline/protocol/index.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { generateFile } from '../support/generate.ts';
import { ended, expectAccount, getJson, resultText, send } from '../support/jobs.ts';
import { sluice } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

const COUNTRIES = 'code,name,rank\nDE,Germany,1\nFR,"République, française",2\nDE,Allemagne,3\n';
const PLAN =
  'steps: [{ join: { with: countries.csv, on: { country: code }, how: left, select: [name] } }]';

let folder = '';
let file = '';
let server: TestServer;
const inFolder = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-joins-'));
  file = inFolder('people.csv');
  await generateFile(file, { bytes: 3_000_000, seed: 4, malformedEvery: 5000 });
  await writeFile(inFolder('countries.csv'), COUNTRIES);
  await writeFile(inFolder('plan.yaml'), PLAN);
  server = await startServer({ workers: 2 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function form(
  parts: readonly (readonly [name: string, value: string | Blob, file?: string])[],
) {
  const body = new FormData();
  for (const [name, value, filename] of parts) {
    if (typeof value === 'string') body.append(name, value);
    else body.append(name, value, filename);
  }
  const answer = await fetch(`${server.url}/api/jobs`, { method: 'POST', body });
  return { status: answer.status, document: (await answer.json()) as Job | Problem };
}

describe('a join', () => {
  it('to a lookup of the form gives what DuckDB gives, and accounts for every record', async () => {
    const wanted = await queryDuckDB(`
      SELECT a.id, a.country, b.name FROM
      read_csv('${file}', all_varchar = true, header = true, ignore_errors = true, quote = '"', escape = '"', delim = ',') a
      LEFT JOIN read_csv('${inFolder('countries.csv')}') b ON a.country = b.code ORDER BY a.id::INT, b.rank`);
    const steps = PLAN.replace('steps: [', '').replace(/\]$/, '');
    const plan = `steps: [${steps}, { select: [id, country, name_1] }]`;
    const { status, document } = await form([
      ['plan', plan],
      ['lookup', new Blob([gzipSync(COUNTRIES)]), 'countries.csv.gz'],
      ['file', new Blob([await readFile(file)]), 'people.csv'],
    ]);
    expect(status, JSON.stringify(document)).toBe(201);
    const job = await ended(server, (document as Job).id);
    expect(job).toMatchObject({ status: 'completed', error: null });
    await expectAccount(server, job);
    const records: string[][] = parse(await resultText(server, job.id), { from_line: 2 });
    expect(job.resultRecords).toBe(records.length);
    expect(job.recordsOut).toBe(new Set(records.map(([id]) => id)).size);
    const found = records.map((record) => record.map((cell) => (cell === '' ? null : cell)));
    const different = found.findIndex((record, i) => !isDeepStrictEqual(record, wanted[i]));
    expect([different, found[different], wanted[different]]).toEqual([-1, undefined, undefined]);
    expect(found).toHaveLength(wanted.length);
    const page = await getJson<{ records: string[][] }>(
      server,
      `/api/jobs/${job.id}/records?offset=${records.length - 2}&limit=5`,
    );
    expect(page.records.map(([id]) => id)).toEqual(records.slice(-2).map(([id]) => id));
  });

  it('to a lookup that was stored before serves raw bodies', async () => {
    const put = await fetch(`${server.url}/api/lookups?name=countries.csv`, {
      ...{ method: 'POST', body: COUNTRIES },
    });
    expect(put.status).toBe(201);
    const { name, key } = (await put.json()) as StoredLookup;
    const query = new URLSearchParams({ plan: PLAN, lookup: `${name}=${key}`, name: 'raw.csv' });
    const answer = await fetch(`${server.url}/api/jobs?${query.toString()}`, {
      ...{ method: 'POST', body: 'country\nFR\nXX\n' },
    });
    const document = (await answer.json()) as Job;
    expect(answer.status, JSON.stringify(document)).toBe(201);
    const job = await ended(server, document.id);
    expect(await resultText(server, job.id)).toBe(
      'country,name\nFR,"République, française"\nXX,\n',
    );
  });

  it('without its lookup is refused before the input is read, with the place', async () => {
    const answer = await send(server, 'country\nDE\n', { name: 'none.csv', plan: PLAN });
    expect(answer).toMatchObject({ status: 422, problem: { code: 'plan-invalid' } });
    expect(JSON.stringify(answer)).toContain('did not come with the input');
  });

  it.each([
    ['code,name\nDE,x\nFR\n', 'No cell for column \\"name\\"', '"line":3'],
    ['', 'it has no bytes', '"lookup":"countries.csv"'],
  ])(
    'to a lookup that cannot be used says what is wrong with it (%#)',
    async (text, ...messages) => {
      const { status, document } = await form([
        ['plan', PLAN],
        ['lookup', new Blob([text]), 'countries.csv'],
        ['file', new Blob(['country\nDE\n']), 'x.csv'],
      ]);
      expect(status).toBeGreaterThanOrEqual(400);
      for (const message of messages) expect(JSON.stringify(document)).toContain(message);
    },
  );

  describe('to a lookup that no worker holds whole', () => {
    // Some 66 MiB, of few records: what is in the wide column is not joined.
    const records = Array.from({ length: 1160 }, (_, i) => `${String(i % 900)},n${String(i)}`);
    const narrow = `code,label\n${records.join('\n')}\n17,last\n`;
    const wide = (last: string): Buffer => {
      const pad = Buffer.from(`,${'x'.repeat(60_000)}\n`);
      const lines = records.flatMap((record) => [Buffer.from(record), pad]);
      return Buffer.concat([Buffer.from('code,label,pad\n'), ...lines, Buffer.from(last)]);
    };
    const input = Array.from({ length: 4000 }, (_, i) => `${String(i)},${String((i * 7) % 1300)}`);
    const csv = `id,code\n${input.join('\n')}\n`;
    const plan =
      'steps: [{ join: { with: wide.csv, on: { code: code }, how: left, select: [label] } }]';

    it('goes through waves, and gives what DuckDB gives', async () => {
      await writeFile(inFolder('narrow.csv'), narrow);
      await writeFile(inFolder('ids.csv'), csv);
      const wanted = await queryDuckDB(`
        SELECT a.id, a.code, b.label FROM read_csv('${inFolder('ids.csv')}') a
        LEFT JOIN (SELECT *, row_number() OVER () AS row FROM read_csv('${inFolder('narrow.csv')}',
          parallel = false)) b USING (code) ORDER BY a.id, b.row`);
      const put = await fetch(`${server.url}/api/lookups?name=wide.csv`, {
        ...{ method: 'POST', body: wide('17,last,\n') },
      });
      const { name, key } = (await put.json()) as StoredLookup;
      const query = new URLSearchParams({ plan, lookup: `${name}=${key}`, name: 'ids.csv' });
      const answer = await fetch(`${server.url}/api/jobs?${query.toString()}`, {
        ...{ method: 'POST', body: csv },
      });
      const document = (await answer.json()) as Job;
      expect(answer.status, JSON.stringify(document)).toBe(201);
      const job = await ended(server, document.id);
      expect(job).toMatchObject({ status: 'completed', error: null });
      expect(job.waves.map(({ kind }) => kind)).toEqual(['read', 'lookup', 'match', 'join']);
      await expectAccount(server, job);
      const joined: string[][] = parse(await resultText(server, job.id), { from_line: 2 });
      const found = joined.map((record) => record.map((cell) => (cell === '' ? null : cell)));
      expect(found).toEqual(wanted);
    });

    it('says where a record of it is wrong', async () => {
      const { status, document } = await form([
        ['plan', plan],
        ['lookup', new Blob([wide('none,last,\n')]), 'wide.csv'],
        ['file', new Blob([csv]), 'ids.csv'],
      ]);
      expect(status, JSON.stringify(document)).toBe(201);
      const job = await ended(server, (document as Job).id);
      expect(job).toMatchObject({ status: 'failed', error: { code: 'input-malformed' } });
      expect(job.error?.message).toContain('The lookup "wide.csv" cannot be used: Line 1162: ');
    });
  });

  it('to another content of the same name is not answered from stored results', async () => {
    const results = [];
    for (const name of ['one', 'two', 'one']) {
      const { document } = await form([
        ['plan', PLAN],
        ['lookup', new Blob([`code,name\nDE,${name}\n`]), 'countries.csv'],
        ['file', new Blob(['country\nDE\n']), 'x.csv'],
      ]);
      const job = await ended(server, (document as Job).id);
      results.push([await resultText(server, job.id), job.chunks.reused]);
    }
    expect(results.map(([text]) => text)).toEqual(
      ['one', 'two', 'one'].map((name) => `country,name\nDE,${name}\n`),
    );
    expect(results.map(([, reused]) => reused)).toEqual([0, 0, 1]);
  });
});

describe('sluice run', () => {
  it('finds the lookup beside the plan, or where --lookup says, here and on a server', async () => {
    await mkdir(inFolder('elsewhere'), { recursive: true });
    await writeFile(inFolder('elsewhere/plan.yaml'), PLAN);
    await writeFile(inFolder('small.csv'), 'country\nDE\n');
    const wanted = 'country,name\nDE,Germany\nDE,Allemagne\n';
    const lookup = ['--lookup', `countries.csv=${inFolder('countries.csv')}`];
    const beside = ['--plan', inFolder('plan.yaml')];
    const given = ['--plan', inFolder('elsewhere/plan.yaml'), ...lookup, '--server', server.url];
    for (const more of [beside, given]) {
      const { stdout } = await sluice(['run', inFolder('small.csv'), '-q', ...more]);
      expect(stdout.toString()).toBe(wanted);
    }
    const missing = ['run', inFolder('small.csv'), '--plan', inFolder('elsewhere/plan.yaml')];
    const result = await sluice(missing);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('--lookup countries.csv=PATH');
  });
});

it('a deleted job takes its lookups along', async () => {
  const folderOf = path.join(server.dataDir, 'blobs', 'lookups');
  const files = async () =>
    (await readdir(folderOf, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  const before = await files();
  const { document } = await form([
    ['plan', PLAN],
    ['lookup', new Blob(['code,name\nDE,of this job alone\n']), 'countries.csv'],
    ['file', new Blob(['country\nDE\n']), 'x.csv'],
  ]);
  const job = await ended(server, (document as Job).id);
  expect(await files()).toHaveLength(before.length + 2);
  await fetch(`${server.url}/api/jobs/${job.id}`, { method: 'DELETE' });
  expect(await files()).toEqual(before);
});
