import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { parseBoolean } from '../../pipeline/values/boolean.ts';
import {
  formatDate,
  formatDecimal,
  formatDouble,
  formatTimestamp,
} from '../../pipeline/values/format.ts';
import { parseDouble, parseInteger } from '../../pipeline/values/number.ts';
import { parseDate, parseTimestamp } from '../../pipeline/values/timestamp.ts';

const NUMBERS = [
  ...['1', '+1', '-1', ' 1 ', '01', '1.', '.5', '1.0', '1e3', '1E+3', '1e', '.', '-', '+', ''],
  ...['1.5e1', '9223372036854775807', '9223372036854775808', '\t1\t', '1 2', '--1', '1e308'],
  ...['0.1', '1e15', '1e16', '123456789012345678', '1e-4', '1e-5', '5e-324', '2.5e-10', '-0.0'],
];
const BOOLEANS = ['true', 'TRUE', 't', 'f', 'F', 'yes', 'No', 'y', 'n', '1', '0', 'on', '', 'tru'];
const TIMES = [
  ...['2020-01-01', '2020-1-1', '2020/01/01', '2020-02-30', '2020-02-29', '1900-02-29'],
  ...['2020-01-01 10:00', '2020-01-01T10:00:00', '2020-01-01 10:00:00.123456789', '0001-01-01'],
  ...['2020-01-01 23:59:60', '2020-01-01 1:2:3', '9999-12-31 23:59:59.999999', '1969-12-31 23:00'],
  ...['10:00', '2020-13-01', '2020-00-10', '2020-01/01', '1600-02-29 00:00:00.5', 'x'],
];
/** DuckDB's TIMESTAMP drops the zone; its TIMESTAMPTZ, like ours, is the instant. */
const ZONED_TIMES = [
  ...['2020-01-01T10:00:00Z', '2020-01-01 10:00:00+02', '2020-01-01 10:00:00-02:30'],
  ...['2020-01-01 00:00:00+0230', '2020-01-01 10:00:00.5Z', '2020-01-01 10:00:00 UTC'],
];

type Cast = (bytes: Uint8Array, start: number, end: number) => unknown;

function cast(texts: readonly string[], parse: Cast, format: (value: never) => string) {
  return texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    const value = parse(bytes, 0, bytes.length);
    return value === null || Number.isNaN(value) ? null : format(value as never);
  });
}

async function castByDuckDB(texts: readonly string[], type: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const list = texts.map((text) => `'${text}'`).join(', ');
  const reader = await connection.runAndReadAll(
    `SELECT CAST(TRY_CAST(t AS ${type}) AS VARCHAR) FROM (SELECT UNNEST([${list}]) AS t)`,
  );
  connection.closeSync();
  return reader.getRows().map((row) => row[0]);
}

describe('casts agree with DuckDB', () => {
  test('to DOUBLE, spelling included', async () => {
    expect(cast(NUMBERS, parseDouble, formatDouble)).toEqual(await castByDuckDB(NUMBERS, 'DOUBLE'));
  });

  test('to BIGINT, where no digit would be lost', async () => {
    const whole = NUMBERS.filter((text) => Number.isInteger(Number(text)) || Number.isNaN(+text));
    expect(cast(whole, parseInteger, String)).toEqual(await castByDuckDB(whole, 'BIGINT'));
  });

  test('to BOOLEAN', async () => {
    expect(cast(BOOLEANS, parseBoolean, String)).toEqual(await castByDuckDB(BOOLEANS, 'BOOLEAN'));
  });

  test('to DATE and TIMESTAMP', async () => {
    // DuckDB drops whatever follows the date; here it must be a time of day.
    const dates = TIMES.filter((text) => !text.endsWith(':60'));
    expect(cast(dates, parseDate, formatDate)).toEqual(await castByDuckDB(dates, 'DATE'));
    expect(cast(TIMES, parseTimestamp, formatTimestamp)).toEqual(
      await castByDuckDB(TIMES, 'TIMESTAMP'),
    );
  });

  test('to instants, where there is a zone', async () => {
    const ours = cast(ZONED_TIMES, parseTimestamp, formatTimestamp).map((text) => `${text}+00`);
    expect(ours).toEqual(await castByDuckDB(ZONED_TIMES, 'TIMESTAMPTZ'));
  });
});

test('exact decimals are written without exponent or needless zeros', () => {
  expect([
    formatDecimal(-5n, 2),
    formatDecimal(1200n, 0),
    formatDecimal(1200n, 2),
    formatDecimal(0n, 3),
    formatDecimal(123456789012345678901n, 20),
  ]).toEqual(['-0.05', '1200', '12', '0', '1.23456789012345678901']);
});
