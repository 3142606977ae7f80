import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { describeWith } from '../support/needs.ts';
import { runPlan } from '../support/run-plan.ts';

type Types = Readonly<Record<string, ColumnType>>;

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  datetime: 'TIMESTAMP',
};

const parsed = new Map<string, string[][]>();

function recordsOf(file: string): string[][] {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const records: string[][] = parse(readFileSync(file), { relax_quotes: true });
  parsed.set(file, records);
  return records;
}

/** DuckDB gives the numbers of the records that pass; the records themselves are csv-parse's. */
async function expected(file: string, types: Types, condition: string): Promise<string[][]> {
  const records = recordsOf(file);
  const columns = (records[0] ?? []).map(
    (name) => `'${name.replaceAll("'", "''")}': '${DUCKDB_TYPES[types[name] ?? 'string']}'`,
  );
  const options = `columns={${columns.join(', ')}}, auto_detect=false, header=true, delim=',', quote='"', escape='"'`;
  const numbers = await queryDuckDB(
    `SELECT n FROM (SELECT row_number() OVER () AS n, * FROM read_csv('${file}', ${options})) WHERE ${condition}`,
  );
  return [records[0] ?? [], ...numbers.map(([n]) => records[Number(n)] ?? [])];
}

async function compare(file: string, types: Types, condition: string): Promise<void> {
  const wanted = await expected(file, types, condition);
  const plan = JSON.stringify({ steps: [{ filter: condition }] });
  const input = readFileSync(file);
  const whole = runPlan(plan, input, { types });
  expect(parse(whole.output, { relax_quotes: true })).toEqual(wanted);
  for (const chunkRecords of [Infinity, 1000, 37]) {
    const { output, results, rejects } = runPlan(plan, input, { types, chunkRecords });
    expect(rejects).toEqual([]);
    expect(output.equals(whole.output)).toBe(true);
    const passed = results.reduce((sum, result) => sum + result.statistics.recordsOut, 0);
    expect(passed).toBe(wanted.length - 1);
  }
}

describeWith(corpusNeed, 'filter on real files agrees with DuckDB', () => {
  const navaids: Types = {
    id: 'integer',
    frequency_khz: 'integer',
    latitude_deg: 'number',
    elevation_ft: 'integer',
    dme_frequency_khz: 'integer',
    magnetic_variation_deg: 'number',
  };
  const titanic: Types = { Age: 'number', Fare: 'number', Pclass: 'integer', Survived: 'boolean' };
  const weather: Types = { date: 'date', precipitation: 'number', temp_max: 'number' };
  it.each<[string, Types, string]>([
    ['ourairports-navaids.csv', navaids, "iso_country = 'DE'"],
    ['ourairports-navaids.csv', navaids, "iso_country IN ('DE', 'FR') AND elevation_ft > 1000"],
    ['ourairports-navaids.csv', navaids, "NOT (type = 'NDB' OR usageType IN ('BOTH', 'HI'))"],
    ['ourairports-navaids.csv', navaids, 'elevation_ft NOT IN (0, 10, 20, NULL)'],
    ['ourairports-navaids.csv', navaids, 'elevation_ft IS NULL AND latitude_deg < -10.5'],
    ['ourairports-navaids.csv', navaids, 'dme_frequency_khz > frequency_khz'],
    ['ourairports-navaids.csv', navaids, 'dme_frequency_khz <= frequency_khz OR elevation_ft = 70'],
    ['ourairports-navaids.csv', navaids, 'magnetic_variation_deg BETWEEN -5 AND elevation_ft'],
    ['ourairports-navaids.csv', navaids, "name LIKE '%ville%' AND ident NOT LIKE '_A%'"],
    ['ourairports-navaids.csv', navaids, "name ILIKE 'saint%'"],
    ['ourairports-navaids.csv', navaids, '(elevation_ft > 100) IS NULL'],
    ['ourairports-navaids.csv', navaids, 'name < ident'],
    ['ourairports-navaids.csv', navaids, "name > 'W' AND ISO_COUNTRY <> 'US'"],
    ['titanic.csv', titanic, 'Age > 30.5 AND NOT Survived'],
    ['titanic.csv', titanic, "Survived AND Cabin IS NOT NULL AND Embarked = 'C'"],
    ['titanic.csv', titanic, 'Age = Pclass OR Fare > 200.0'],
    ['titanic.csv', titanic, `"Name" LIKE '%"%' OR Name = 'Heikkinen, Miss. Laina'`],
    ['titanic.csv', titanic, "Fare = '7.925' OR Age IN (22, 38.0, 1e0)"],
    ['titanic.csv', titanic, 'Survived = false AND Survived <= true AND Age IS NULL'],
    ['seattle-weather.csv', weather, "date >= '2014-06-01' AND date < DATE '2014-07-01'"],
    [
      'seattle-weather.csv',
      weather,
      "date > TIMESTAMP '2015-12-24 12:00:00' AND weather <> 'rain'",
    ],
  ])('%s where %s %s', async (file, types, condition) => {
    await compare(path.join(corpusFolder, 'realdata', file), types, condition);
  });
});

describe('filter on edge values agrees with DuckDB', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-filter-'));
  const file = path.join(folder, 'edge.csv');
  const integers = ['0', '-1', '9007199254740992', '9007199254740993', '9223372036854775807'];
  const more = ['-9223372036854775808', '', ' 7 ', '"8"', '007', '9007199254740991'];
  const times = ['2020-01-01', '2020-01-01 00:00:00.000001', '', '9999-12-31 23:59:59.999999'];
  const lines = ['i,j,x,t,s'];
  for (const [a, i] of [...integers, ...more].entries()) {
    for (const [b, j] of [...integers, ...more].entries()) {
      const x = ['0.1', '1e3', '', '-0.0', '9007199254740993', '1.5e-300'][(a + b) % 6] ?? '';
      const s = ['"a ""q"" b"', 'Ä', '""', 'z,', '\u{1F600}', ''][(a * b) % 6] ?? '';
      lines.push(
        `${i},${j},${x},${times[(a + 2 * b) % 4] ?? ''},${s.includes(',') ? `"${s}"` : s}`,
      );
    }
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const types: Types = { i: 'integer', j: 'integer', x: 'number', t: 'datetime' };
  it.each([
    'i = j',
    'i <> j',
    'i < j',
    'i >= j AND NOT i = j',
    'i = 9007199254740993',
    'i > 9007199254740992',
    'i > 9007199254740992.5',
    'i < 9007199254740992.5',
    'i = 9223372036854775807 OR i = -9223372036854775808',
    'i > 9223372036854775806',
    'i < 9223372036854775808',
    'i = 9007199254740993e0',
    'i = x',
    'i = 7 OR j = 8',
    'x = 0.1 OR x = 0',
    'x < 2e-300 AND x > 0',
    'x <> 1000',
    "t = TIMESTAMP '2020-01-01 00:00:00.000001'",
    "t > '2020-01-01'",
    "t = DATE '2020-01-01'",
    "t BETWEEN '2020-01-01' AND '9999-12-31 23:59:59.999998'",
    "t < '9999-12-31 23:59:59.999999'",
    `s = 'a "q" b'`,
    "s > 'Z'",
    "s LIKE '_'",
    "s LIKE '%\"%' OR s LIKE 'z_'",
    "s ILIKE 'ä'",
    "s IN ('Ä', 'z,', NULL)",
    "s NOT IN ('Ä', 'z,')",
    's IS NULL OR i IS NULL',
    'i = NULL OR j = 0',
    'NULL',
    'TRUE AND (FALSE OR i = 0)',
  ])('%s', async (condition) => {
    await compare(file, types, condition);
  });
});

describe('filter', () => {
  it('rejects a value that does not cast, at its place, whatever the order of conditions', () => {
    const input = 'id,n\n1,5\n2,x\n3,"a\nb"\n4,7\n';
    for (const filter of ['n > 5 AND id > 3', 'id > 3 AND n > 5']) {
      const plan = JSON.stringify({ steps: [{ filter }] });
      const types: Types = { id: 'integer', n: 'integer' };
      const { output, rejects, results } = runPlan(plan, input, { types });
      expect(output.toString()).toBe('id,n\n4,7\n');
      expect(rejects).toMatchObject([
        {
          record: 1,
          line: 1,
          byteOffset: 4,
          column: 2,
          columnName: 'n',
          code: 'type-error',
          raw: '2,x',
        },
        { record: 2, line: 2, byteOffset: 8, column: 2, columnName: 'n', raw: '3,"a\nb"' },
      ]);
      expect(results[0]?.statistics).toMatchObject({
        recordsIn: 4,
        recordsOut: 1,
        rejected: 2,
        filtered: 1,
      });
    }
  });

  it('makes a value that does not cast NULL under on_error null, in the output too', () => {
    const plan = JSON.stringify({
      read: { on_error: 'null' },
      steps: [{ filter: 'n IS NULL OR n > 5' }],
    });
    const { output } = runPlan(plan, 'id,n\n1,5\n2,x\n3,6\n', { types: { n: 'integer' } });
    expect(output.toString()).toBe('id,n\n2,\n3,6\n');
  });

  it('fails with the place under on_error fail', () => {
    const plan = JSON.stringify({ read: { on_error: 'fail' }, steps: [{ filter: 'n > 5' }] });
    const run = (): unknown => runPlan(plan, 'id,n\n1,5\n2,x\n', { types: { n: 'integer' } });
    expect(run).toThrow(expect.objectContaining({ code: 'input-malformed' }));
    expect(run).toThrow(/"x" in column "n" is not an integer/);
  });

  it('casts a text column to the type of a number it is compared with', () => {
    const plan = JSON.stringify({ steps: [{ filter: 's >= 10' }] });
    const { output, rejects } = runPlan(plan, 's\n9\n10\n1e2\nabc\n');
    expect(output.toString()).toBe('s\n10\n1e2\n');
    expect(rejects).toMatchObject([{ record: 3, code: 'type-error' }]);
  });

  it('holds columns to the types that the plan states', () => {
    const plan = 'schema: { fields: [{ name: d, type: date }] }\nsteps: [{ select: [id] }]';
    const { output, rejects } = runPlan(plan, 'id,d\n1,2020-02-29\n2,2021-02-29\n3,\n');
    expect(output.toString()).toBe('id\n1\n3\n');
    expect(rejects).toMatchObject([{ record: 1, columnName: 'd', code: 'type-error' }]);
  });
});
