import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { runPlan } from '../support/run-plan.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'sluice-write-'));
afterAll(() => rmSync(dir, { recursive: true }));

const INPUT = 'id,name,amount\n1,"Ada ""L""",1.50\n2,,\n3,NA,x;y\n4,"","it\'s"\n';
const types = { id: 'integer', amount: 'string' } as const;

function written(write: object, steps: readonly object[] = []): string {
  return runPlan(JSON.stringify({ write, steps }), INPUT, { types }).output.toString();
}

describe('write', () => {
  it.each([
    [{}, INPUT],
    [
      { quoting: 'all' },
      '"id","name","amount"\n"1","Ada ""L""","1.50"\n"2",,\n"3","NA","x;y"\n"4",,"it\'s"\n',
    ],
    [
      { quoting: 'nonnumeric', newline: 'crlf' },
      '"id","name","amount"\r\n1,"Ada ""L""","1.50"\r\n2,,\r\n3,"NA","x;y"\r\n4,,"it\'s"\r\n',
    ],
    [{ nullstr: 'NA' }, 'id,name,amount\n1,"Ada ""L""",1.50\n2,NA,NA\n3,"NA",x;y\n4,NA,it\'s\n'],
    [
      { quote: "'", delim: ';', header: false, bom: true },
      "\ufeff1;Ada \"L\";1.50\n2;;\n3;NA;'x;y'\n4;'';'it''s'\n",
    ],
    [{ newline: 'crlf' }, INPUT.replaceAll('\n', '\r\n')],
  ])('%j', (write, output) => {
    expect(written(write)).toBe(output);
  });

  it('tells an empty text that was computed from NULL', () => {
    const steps = [{ derive: { name: "nullif(name, 'NA')", amount: "''" } }, { drop: ['id'] }];
    expect(written({ nullstr: '' }, steps)).toBe('name,amount\n"Ada ""L""",""\n,""\n,""\n,""\n');
  });

  it.each([
    [{ quote: '' }, '/write/quote'],
    [{ quote: 'ab' }, '/write/quote'],
    [{ quote: ',' }, '/write/delim'],
    [{ delim: '\n' }, '/write/delim'],
    [{ nullstr: 'a,b' }, '/write/nullstr'],
    [{ newline: 'lfcr' }, '/write/newline'],
  ])('refuses %j', (write, place) => {
    expect(() => parsePlan(JSON.stringify({ write }))).toThrow(
      expect.objectContaining({
        code: 'plan-invalid',
        details: { issues: [expect.objectContaining({ path: place })] },
      }),
    );
  });

  it('writes what DuckDB reads back as the same values, whatever the options', async () => {
    const cell = fc.constantFrom(
      '',
      'NA',
      'a',
      '"',
      "'",
      'a,b',
      'x;y',
      '1\n2',
      '1\r\n2',
      ' b ',
      '\\',
    );
    const record = fc.tuple(cell, cell, cell);
    const options = fc.record({
      delim: fc.constantFrom(',', ';', '\t', '|'),
      quote: fc.constantFrom('"', "'"),
      quoting: fc.constantFrom('minimal', 'all', 'nonnumeric'),
      newline: fc.constantFrom('lf', 'crlf'),
      nullstr: fc.constantFrom('', 'NA', 'NULL'),
      header: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 6 }),
        options,
        async (rows, write) => {
          const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
          const lines = rows.map((row) =>
            row.map((text) => (text === '' ? '' : quoted(text))).join(','),
          );
          const { output } = runPlan(JSON.stringify({ write }), `k,l,m\n${lines.join('\n')}\n`);
          const file = path.join(dir, 'out.csv');
          writeFileSync(file, output);
          const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
          const found = await queryDuckDB(`SELECT * FROM read_csv('${file}', auto_detect = false,
          columns = {'k': 'VARCHAR', 'l': 'VARCHAR', 'm': 'VARCHAR'}, delim = ${text(write.delim)},
          quote = ${text(write.quote)}, escape = ${text(write.quote)}, header = ${String(write.header)},
          nullstr = ${text(write.nullstr)}, allow_quoted_nulls = false,
          new_line = '${write.newline === 'lf' ? '\\n' : '\\r\\n'}')`);
          expect(found).toEqual(
            rows.map((row) => row.map((value) => (value === '' ? null : value))),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
