import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RecordPage } from '../../pipeline/protocol/index.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { generateFile } from '../support/generate.ts';
import { expectAccount, getJson, resultText, run } from '../support/jobs.ts';
import { sluice } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

let folder = '';
let server: TestServer;
const inFolder = (name: string): string => path.join(folder, name);

const TYPES = {
  ...{ id: 'BIGINT', text: 'VARCHAR', n: 'DOUBLE', ok: 'BOOLEAN', day: 'DATE', at: 'TIMESTAMP' },
};
const INPUT = `id,text,n,ok,day,at
9007199254740993,"a ""q"" ü 🙂",1.5,true,2024-02-29,2024-02-29 12:30:00.000001
-1,,-1e300,false,0001-01-01,9999-12-31 23:59:59.999999
,x,,,,
7,"line
two",0.1,true,1969-12-31,1969-12-31 23:59:59
x,not an integer,1,true,2024-01-01,2024-01-01 00:00:00
`;
const FIELDS = Object.entries({
  ...{ id: 'integer', text: 'string', n: 'number', ok: 'boolean', day: 'date', at: 'datetime' },
}).map(([name, type]) => ({ name, type }));
const PLAN = JSON.stringify({
  schema: { fields: FIELDS },
  steps: [{ derive: { e: "CASE WHEN text IS NULL THEN '' ELSE NULL END", twice: 'id * 1' } }],
  write: { format: 'parquet' },
});

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-parquet-'));
  server = await startServer({ workers: 2 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function downloaded(id: string): Promise<string> {
  const answer = await fetch(`${server.url}/api/jobs/${id}/result`);
  expect(answer.headers.get('content-type')).toBe('application/vnd.apache.parquet');
  expect(answer.headers.get('content-disposition')).toContain('.result.parquet');
  const file = inFolder(`${id}.parquet`);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  return file;
}

it('has the types and the values, as DuckDB reads them', async () => {
  const job = await run(server, INPUT, { name: 'types.csv', plan: PLAN });
  expect(job).toMatchObject({ status: 'completed', resultGrows: false, rejected: 1 });
  await expectAccount(server, job);
  const file = await downloaded(job.id);
  const described = await queryDuckDB(
    `SELECT column_name, column_type FROM (DESCRIBE FROM '${file}')`,
  );
  expect(described).toEqual(Object.entries({ ...TYPES, e: 'VARCHAR', twice: 'BIGINT' }));
  await writeFile(inFolder('good.csv'), INPUT.replace(/\nx,[^\n]*\n$/, '\n'));
  const columns = Object.entries(TYPES).map(([name, type]) => `'${name}': '${type}'`);
  const wanted = await queryDuckDB(`SELECT *, CASE WHEN text IS NULL THEN '' END, id
    FROM read_csv('${inFolder('good.csv')}', header = true, columns = {${columns.join(', ')}})`);
  expect(await queryDuckDB(`FROM '${file}'`)).toEqual(wanted);
  const page = await getJson<RecordPage>(server, `/api/jobs/${job.id}/records`);
  expect(page.records.map(([id]) => id)).toEqual(['9007199254740993', '-1', null, '7']);
});

it('of many chunks has row groups in file order, and can be had as text too', async () => {
  const file = inFolder('people.csv');
  await generateFile(file, { bytes: 12_000_000, seed: 6, malformedEvery: 0 });
  const plan = 'write: { format: parquet }';
  const job = await run(server, await readFile(file), { name: 'people.csv', plan });
  expect(job.chunks.done).toBeGreaterThan(1);
  const parquet = await downloaded(job.id);
  const [[groups] = []] = await queryDuckDB(
    `SELECT count(DISTINCT row_group_id) FROM parquet_metadata('${parquet}')`,
  );
  expect(Number(groups)).toBeGreaterThanOrEqual(job.chunks.done);
  const columns =
    "'id': 'VARCHAR', 'name': 'VARCHAR', 'country': 'VARCHAR', 'amount': 'DOUBLE', 'born': 'DATE', 'note': 'VARCHAR'";
  const csv = `read_csv('${file}', header = true, columns = {${columns}}, quote = '"', escape = '"', parallel = false)`;
  const found = await queryDuckDB(`SELECT id, name, country, amount, born, note FROM '${parquet}'`);
  const wanted = await queryDuckDB(`SELECT * FROM ${csv}`);
  expect(found.length).toBe(wanted.length);
  expect(
    found.findIndex((record, i) => !isDeepStrictEqual(record.slice(1), wanted[i]?.slice(1))),
  ).toBe(-1);
  const ndjson = await fetch(`${server.url}/api/jobs/${job.id}/result?format=ndjson`);
  const lines = (await ndjson.text()).trimEnd().split('\n');
  expect(lines).toHaveLength(wanted.length);
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ country: wanted.at(-1)?.[2] });
});

it('of an aggregate has the groups, and a page of them', async () => {
  const plan = `steps: [{ aggregate: { by: [k], measures: { n: "count(*)", s: "sum(v)" } } }]
write: { format: parquet }`;
  const job = await run(server, 'k,v\na,1\nb,2\na,3\n,4\n', { name: 'groups.csv', plan });
  expect(job).toMatchObject({ status: 'completed', resultRecords: 3 });
  const file = await downloaded(job.id);
  expect(await queryDuckDB(`SELECT k, n, s FROM '${file}' ORDER BY k`)).toEqual([
    ['a', '2', '4'],
    ['b', '1', '2'],
    [null, '1', '4'],
  ]);
  const page = await getJson<RecordPage>(server, `/api/jobs/${job.id}/records?limit=2`);
  expect(page).toMatchObject({ available: 3, complete: true });
  expect(page.records).toHaveLength(2);
});

it('of no records has the columns', async () => {
  const job = await run(server, 'a,b\n1,x\n', {
    ...{ name: 'none.csv', plan: 'steps: [{ filter: "a > 1" }]\nwrite: { format: parquet }' },
  });
  const file = await downloaded(job.id);
  const described = await queryDuckDB(`SELECT column_name FROM (DESCRIBE FROM '${file}')`);
  expect(described).toEqual([['a'], ['b']]);
  expect(await queryDuckDB(`SELECT count(*) FROM '${file}'`)).toEqual([['0']]);
});

it('a result is converted to other text formats, and to no others', async () => {
  const job = await run(server, 'a,b\n1,"x, y"\n2,\n', { name: 'text.csv' });
  const as = async (format: string) => {
    const answer = await fetch(`${server.url}/api/jobs/${job.id}/result?format=${format}`);
    return [answer.status, await answer.text()] as const;
  };
  expect(await as('csv')).toEqual([200, await resultText(server, job.id)]);
  expect(await as('ndjson')).toEqual([200, '{"a":1,"b":"x, y"}\n{"a":2,"b":null}\n']);
  expect(await as('json')).toEqual([200, '[\n{"a":1,"b":"x, y"},\n{"a":2,"b":null}\n]\n']);
  const [status, problem] = await as('parquet');
  expect(status).toBe(400);
  expect(problem).toContain('write.format');
  const json = await run(server, 'a\n1\n2\n', { name: 'j.csv', plan: 'write: { format: json }' });
  const csv = await fetch(`${server.url}/api/jobs/${json.id}/result?format=csv`);
  expect(await csv.text()).toBe('a\n1\n2\n');
});

it('the command line takes the format from the name of the output', async () => {
  await writeFile(inFolder('in.csv'), 'a,b\n1,x\n2,\n');
  const out = (name: string): string => inFolder(name);
  for (const name of ['o.parquet', 'o.ndjson', 'o.json', 'o.tsv']) {
    const { code, stderr } = await sluice(['run', inFolder('in.csv'), '-o', out(name), '-q']);
    expect([code, stderr]).toEqual([0, '']);
  }
  expect(await queryDuckDB(`FROM '${out('o.parquet')}'`)).toEqual([
    ['1', 'x'],
    ['2', null],
  ]);
  expect(await readFile(out('o.ndjson'), 'utf8')).toBe('{"a":1,"b":"x"}\n{"a":2,"b":null}\n');
  expect(JSON.parse(await readFile(out('o.json'), 'utf8'))).toHaveLength(2);
  expect(await readFile(out('o.tsv'), 'utf8')).toBe('a\tb\n1\tx\n2\t\n');
});
