import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { DuckDBTable } from '../support/duckdb-table.ts';
import { runSql } from '../support/sql-oracle.ts';

/** Records by `;`, cells by `,`; else 'fails', or 'rejects' (every record) and 'refuses' (the
 *  statement). */
type Answer = string;

/** A row of a table of differences in the docs, a statement that shows it, and both answers. DuckDB's
 *  is null where it promises none. */
interface Difference {
  readonly row: string;
  readonly sql: string;
  readonly input?: string;
  readonly types?: Readonly<Record<string, ColumnType>>;
  readonly duckdb: Answer | null;
  readonly sluice: Answer;
}

const integers = { n: 'integer' } as const;
const DIFFERENCES: readonly Difference[] = [
  {
    ...{
      row: 'an expression that fails for a record',
      sql: 'SELECT CAST(s AS integer) FROM input',
    },
    ...{ input: 's\n1\nx\n', duckdb: 'fails', sluice: '1' },
  },
  { row: 'DECIMAL', sql: 'SELECT 1.10 * 1', duckdb: '1.10', sluice: '1.1' },
  {
    row: 'decimal arithmetic of more than 38 digits',
    sql: "SELECT CAST('99999999999999999999' AS DECIMAL(38, 0)) * CAST('99999999999999999999' AS DECIMAL(38, 0)) + n FROM input",
    ...{ duckdb: 'fails', sluice: 'rejects' },
  },
  {
    row: 'integers',
    sql: 'SELECT CAST(n + 2147483647 AS INT) FROM input',
    duckdb: 'fails',
    sluice: '2147483648',
  },
  { row: '`//` of numbers', sql: 'SELECT 7.5e0 // 2', duckdb: '3.75', sluice: 'refuses' },
  {
    ...{ row: '`round` of an integer near 2^63', sql: 'SELECT round(n, -1) FROM input' },
    ...{ input: 'n\n9223372036854775807\n9223372036854775801\n', types: integers },
    ...{ duckdb: null, sluice: '9223372036854775800' },
  },
  {
    ...{
      row: 'a text column compared with a number or time',
      sql: 'SELECT s FROM input WHERE s > 9',
    },
    ...{ input: 's\n10\n8\n', duckdb: null, sluice: '10' },
  },
  {
    ...{ row: 'a text column summed or averaged', sql: 'SELECT sum(s) FROM input' },
    ...{ input: 's\n10\n8\n', types: {}, duckdb: 'fails', sluice: '18.0' },
  },
  {
    row: 'a text cast to a time, with an offset',
    sql: "SELECT CAST('2024-01-05 10:00:00+02' AS TIMESTAMP)",
    ...{ duckdb: '2024-01-05 10:00:00', sluice: '2024-01-05 08:00:00' },
  },
  {
    row: 'a text cast to a number: `nan`, `inf`, `1e400`, `0x1F`, `1_000`',
    sql: `SELECT ${[
      ...["'nan' AS DOUBLE", "'inf' AS DOUBLE", "'1e400' AS DOUBLE", "'0x1F' AS BIGINT"],
      "'1_000' AS BIGINT",
    ]
      .map((one) => `TRY_CAST(${one})`)
      .join(', ')}`,
    ...{ duckdb: 'nan,inf,inf,31,1000', sluice: ',,,,' },
  },
  {
    row: 'a text cast to a time: `epoch`, `infinity`, `24:00:00`, `2024 01 05`, `24-01-05`, text behind a date',
    sql: `SELECT ${[
      ...["'epoch'", "'infinity'", "'2024-01-05 24:00:00'", "'2024 01 05'", "'24-01-05'"],
      "'2024-01-05 and more'",
    ]
      .map((one, i) => `TRY_CAST(${one} AS ${i < 5 ? 'TIMESTAMP' : 'DATE'}) IS NULL`)
      .join(', ')}`,
    ...{
      duckdb: 'false,false,false,false,false,false',
      sluice: 'true,true,true,true,true,true',
    },
  },
  {
    row: 'blanks behind a text cast to TIMESTAMP',
    sql: "SELECT TRY_CAST('2024-01-05 10:11:12 ' AS TIMESTAMP), TRY_CAST('2024-01-05 10:11 ' AS TIMESTAMP)",
    ...{ duckdb: '2024-01-05 10:11:12,', sluice: '2024-01-05 10:11:12,2024-01-05 10:11:00' },
  },
  {
    row: '`substr` from before the first character, and from beyond 2^32',
    sql: "SELECT substr('abc', n - 6, 3), substr('é', n - 6, 3) FROM input",
    ...{ duckdb: 'abc,', sluice: 'a,' },
  },
  {
    row: 'an error in what the result does not need',
    sql: 'SELECT n IN (n + 0, CAST(s AS BIGINT)) FROM input',
    ...{ input: 'n,s\n1,x\n', duckdb: 'fails', sluice: 'true' },
  },
  {
    row: 'integer literals beyond 64 bits, number literals beyond a double',
    sql: 'SELECT 9223372036854775808, 1e400',
    ...{ duckdb: '9223372036854775808,inf', sluice: 'refuses' },
  },
  {
    row: 'dates',
    sql: 'SELECT make_date(n + 9999, 1, 1) FROM input',
    duckdb: '10000-01-01',
    sluice: 'rejects',
  },
  {
    row: 'the sign of NaN',
    sql: 'SELECT power(-1e0, 0.5e0), -power(-1e0, 0.5e0)',
    duckdb: null,
    sluice: 'nan,nan',
  },
  {
    row: '`epoch` and time zone parts of a date',
    ...{
      sql: "SELECT date_part('epoch', DATE '1970-01-02')",
      duckdb: '86400.0',
      sluice: 'refuses',
    },
  },
  {
    row: '`now()`, `current_date`, `random()`, `uuid()`',
    sql: 'SELECT current_date > n FROM input',
    ...{ duckdb: null, sluice: 'refuses' },
  },
  {
    row: '`AT TIME ZONE`, TIMESTAMPTZ',
    sql: "SELECT n AT TIME ZONE 'Europe/Berlin' FROM input",
    ...{ duckdb: null, sluice: 'refuses' },
  },
  {
    row: '`split_part` by an empty text',
    sql: "SELECT split_part('abc', '', 1)",
    duckdb: 'a',
    sluice: 'abc',
  },
  {
    row: 'approx_count_distinct, approx_quantile',
    ...{ sql: 'SELECT approx_quantile(n, 0.5) FROM input', duckdb: null, sluice: '1' },
  },
  {
    ...{ row: 'string_agg(DISTINCT x) without an order', input: 's\nb\na\nb\n' },
    ...{ sql: "SELECT string_agg(DISTINCT s, '-') FROM input", duckdb: null, sluice: 'a-b' },
  },
  {
    row: '`nan` and infinity in an aggregate',
    sql: 'SELECT count(x / y) FROM input',
    ...{ input: 'x,y\n0,0\n1,0\n3,2\n', types: { x: 'number', y: 'number' } },
    ...{ duckdb: '3', sluice: '1' },
  },
  {
    ...{ row: 'sums of integers', sql: 'SELECT sum(n) FROM input', types: integers },
    ...{ input: 'n\n9223372036854775807\n9223372036854775807\n' },
    ...{ duckdb: '18446744073709551614', sluice: '18446744073709551614' },
  },
  {
    ...{ row: 'a cell that no step names', sql: 'SELECT n FROM input', input: 'n\n07\n' },
    ...{ types: integers, duckdb: '7', sluice: '07' },
  },
  {
    ...{ row: 'first, last, mode in parallel', input: 's\nb\na\nc\na\nb\n' },
    ...{ sql: 'SELECT first(s), last(s), mode(s) FROM input', duckdb: null, sluice: 'b,b,b' },
  },
  {
    ...{ row: 'sums and means', sql: 'SELECT sum(x) FROM input', types: { x: 'number' } },
    ...{ input: 'x\n1e16\n1\n-1e16\n', duckdb: null, sluice: '1.0' },
  },
  {
    ...{ row: 'order of groups without ORDER BY', sql: 'SELECT s FROM input GROUP BY s' },
    ...{ input: 's\nb\nc\na\n', duckdb: null, sluice: 'a;b;c' },
  },
  {
    row: 'order of records without ORDER BY, and among equals',
    ...{
      sql: 'SELECT s FROM input ORDER BY length(s)',
      input: 's\nb\nc\na\n',
      duckdb: null,
      sluice: 'b;c;a',
    },
  },
  {
    row: '`ORDER BY` of what `SELECT DISTINCT` leaves out',
    ...{
      sql: 'SELECT DISTINCT n FROM input ORDER BY n2',
      input: 'n,n2\n1,2\n',
      duckdb: null,
      sluice: 'refuses',
    },
  },
  {
    row: '`LIMIT` by an expression or a text',
    sql: 'SELECT n FROM input LIMIT 1 + 1',
    duckdb: '1',
    sluice: 'refuses',
  },
];

/** Differences of names and types, which are held below. */
const OF_COLUMNS = [
  'name of a column without an alias',
  'columns of one name',
  'type of a NULL that nothing else decides',
  'alias of the same name as a column, in ORDER BY',
];

let duckdb: DuckDBTable;
beforeAll(async () => {
  duckdb = await DuckDBTable.open();
});
afterAll(() => {
  duckdb.close();
});

function sluice({
  sql,
  input = 'n\n1\n',
  types = { n: 'integer' },
}: Pick<Difference, 'sql' | 'input' | 'types'>): Answer {
  const statement = sql.includes('FROM') ? sql : `${sql} FROM input`;
  try {
    const { records } = runSql(statement, input, { types });
    return records.length === 0 ? 'rejects' : shown(records);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: /plan-(invalid|unsupported)/ });
    return 'refuses';
  }
}

function shown(records: readonly (readonly (string | null)[])[]): string {
  return records.map((record) => record.join(',')).join(';');
}

describe('what differs from DuckDB', () => {
  it.each(DIFFERENCES)('$row', async (difference) => {
    expect(sluice(difference)).toBe(difference.sluice);
    if (difference.duckdb === null) return;
    await duckdb.load(difference.input ?? 'n\n1\n', difference.types ?? { n: 'integer' });
    const answer = await duckdb.query(difference.sql).then(shown, () => 'fails');
    expect(answer).toBe(difference.duckdb);
  });

  it('is so of names and types of columns too', () => {
    const { columns } = runSql(
      'SELECT count(*), 1 AS a, 2 AS a, NULL AS b FROM input',
      'n\n1\n',
      {},
    );
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ...[
        ['count(*)', 'integer'],
        ['a', 'integer'],
        ['a_1', 'integer'],
        ['b', 'string'],
      ],
    ]);
    const sql = 'SELECT -n AS n FROM input GROUP BY -n ORDER BY n + 0';
    expect(runSql(sql, 'n\n1\n2\n', { types: integers }).records).toEqual([['-2'], ['-1']]);
  });

  it('is what the tables in the docs say', () => {
    const rows = ['plan', 'sql'].flatMap((page) => {
      const [, section = ''] = readFileSync(`docs/${page}.md`, 'utf8').split(
        '## Where Sluice differs from DuckDB',
      );
      return [...section.matchAll(/^\| (\S.*?) *\| .* \| .* \|$/gm)].map(([, row = '']) => row);
    });
    const known = [...DIFFERENCES.map(({ row }) => row), ...OF_COLUMNS];
    expect(rows.filter((row) => !row.startsWith('-')).sort()).toEqual(known.sort());
  });
});
