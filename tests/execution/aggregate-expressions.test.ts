import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { finalOutput } from '../support/aggregate-output.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { describeWith } from '../support/needs.ts';
import { readCsvOf, type Types } from '../support/expression-oracle.ts';
import { runPlan } from '../support/run-plan.ts';

interface Query {
  readonly by: readonly (string | Readonly<Record<string, string>>)[];
  readonly measures: Readonly<Record<string, string>>;
}

/** Groups of both, in the order of their keys; numbers as numbers, to 14 digits. */
async function compare(file: string, types: Types, { by, measures }: Query): Promise<void> {
  const input = readFileSync(file);
  const [header = []] = parse(input, { to: 1, relax_quotes: true });
  const keys = by.map((key) => (typeof key === 'string' ? `"${key}"` : Object.values(key)[0]));
  const columns = [...keys, ...Object.values(measures)].map(
    (text, i) => `${text} AS c${String(i)}`,
  );
  const from = readCsvOf(file, header, types);
  const order = keys.map((_, i) => `c${String(i)} NULLS LAST`).join(', ');
  const grouping = keys.length === 0 ? '' : `GROUP BY ALL ORDER BY ${order}`;
  const wanted = await queryDuckDB(`SELECT ${columns.join(', ')} FROM ${from} ${grouping}`);
  const plan = JSON.stringify({ steps: [{ aggregate: { by, measures } }] });
  const outputs = [Infinity, 200, 31].map((chunkRecords) =>
    finalOutput(runPlan(plan, input, { types, chunkRecords })),
  );
  for (const output of outputs) expect(output.equals(outputs[0]!)).toBe(true);
  const groups: string[][] = parse(outputs[0]!, { from: 2 });
  const shown = (value: string | null): string =>
    value === null || value === ''
      ? ''
      : /^-?\d+\.\d+(e.*)?$/.test(value)
        ? Number(value).toPrecision(13)
        : value;
  expect(groups.map((group) => group.map(shown))).toEqual(wanted.map((row) => row.map(shown)));
}

describe('aggregates over expressions agree with DuckDB', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-aggregates-'));
  const file = path.join(folder, 'sales.csv');
  const lines = ['id,country,amount,tax,day,paid'];
  for (let i = 0; i < 1000; i++) {
    const country = ['DE', 'fr', 'FR', '', 'de', 'it'][i % 6] ?? '';
    const amount = i % 11 === 0 ? '' : ((i * 7919) % 10007) / 100;
    const day =
      i % 13 === 0 ? '' : `202${String(i % 4)}-0${String(1 + (i % 9))}-1${String(i % 10)}`;
    lines.push(
      `${String(i)},${country},${String(amount)},${String(i % 5)},${day},${['true', 'false', ''][i % 3] ?? ''}`,
    );
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const types: Types = {
    id: 'integer',
    amount: 'number',
    tax: 'integer',
    day: 'date',
    paid: 'boolean',
  };

  it.each<[Query]>([
    [
      {
        by: [],
        measures: {
          a: 'sum(amount * 2)',
          b: 'avg(id + tax)',
          c: 'min(upper(country))',
          d: 'count(nullif(tax, 0))',
        },
      },
    ],
    [
      {
        by: ['country'],
        measures: { a: 'sum(id // 3)', b: 'max(day + 1)', c: 'min(-id)', d: 'count(*)' },
      },
    ],
    [
      {
        by: [{ k: 'upper(country)' }],
        measures: { a: 'sum(amount)', b: 'count(paid)', c: 'max(length(country))' },
      },
    ],
    [
      {
        by: [{ y: 'year(day)' }, { p: 'paid IS TRUE' }],
        measures: { n: 'count(*)', s: 'sum(tax)' },
      },
    ],
    [
      {
        by: [{ m: "date_trunc('month', day)" }],
        measures: { n: 'count(*)', a: 'avg(amount + 0e0)' },
      },
    ],
    [
      {
        by: [{ d: 'day' }],
        measures: { n: 'count(*) FILTER (WHERE paid)', a: 'sum(id) FILTER (WHERE tax > 2)' },
      },
    ],
    [
      {
        by: ['tax'],
        measures: {
          a: 'min(day) FILTER (WHERE amount > 50e0)',
          b: 'avg(id) FILTER (WHERE NOT paid)',
        },
      },
    ],
    [
      {
        by: ['country'],
        measures: { a: 'bool_and(paid)', b: 'bool_or(amount > 99.5e0)', c: 'bool_and(id >= 0)' },
      },
    ],
    [
      {
        by: ['country'],
        measures: {
          a: 'stddev_samp(amount)',
          b: 'stddev_pop(id)',
          c: 'var_samp(tax)',
          d: 'var_pop(amount)',
        },
      },
    ],
    [{ by: ['id'], measures: { a: 'stddev(amount)', b: 'var_pop(amount)', c: 'variance(tax)' } }],
    [{ by: [], measures: { a: 'stddev_pop(amount * 1e6)', b: 'var_samp(id * 1000000007)' } }],
    [
      {
        by: ['country'],
        measures: {
          a: 'count(DISTINCT tax)',
          b: 'count(DISTINCT amount) FILTER (WHERE paid)',
          c: 'sum(DISTINCT tax)',
          d: 'avg(DISTINCT id % 7)',
          e: 'count(DISTINCT country)',
          f: 'sum(DISTINCT amount)',
          g: 'count(DISTINCT day)',
        },
      },
    ],
    [
      {
        by: ['tax'],
        measures: {
          a: 'median(amount)',
          b: 'median(id)',
          c: 'quantile_cont(amount, 0.9)',
          d: 'quantile_cont(id, 0.25) FILTER (WHERE paid)',
          e: 'quantile_disc(amount, 0.1)',
          f: 'quantile_disc(country, 0.5)',
          g: 'quantile_cont(id * 9007199254740993 // 7, 0.33)',
          h: 'median(DISTINCT id % 11)',
          i: 'quantile_disc(id, 1)',
        },
      },
    ],
    [
      {
        by: ['country'],
        measures: {
          a: 'first(paid)',
          b: 'last(amount)',
          c: 'any_value(amount)',
          d: 'first(id) FILTER (WHERE tax = 3)',
          e: 'first(id ORDER BY amount DESC, id)',
          f: 'last(id ORDER BY day NULLS FIRST, id)',
          g: 'first(day) FILTER (WHERE NOT paid)',
          h: 'last(country)',
        },
      },
    ],
    [
      {
        by: ['tax', 'paid'],
        measures: {
          a: "string_agg(country, '|')",
          b: "string_agg(country, '-' ORDER BY amount DESC, id)",
          c: "string_agg(id, ',') FILTER (WHERE id < 100)",
          d: "string_agg(DISTINCT country, ', ' ORDER BY country)",
          e: "string_agg(upper(country), '' ORDER BY country DESC NULLS FIRST, id DESC)",
          f: "string_agg(DISTINCT country, '/' ORDER BY country DESC)",
        },
      },
    ],
    [
      {
        by: ['tax'],
        measures: {
          a: 'mode(country)',
          b: 'mode(id % 13)',
          c: 'mode(amount)',
          d: 'mode(paid) FILTER (WHERE id > 10)',
          e: 'mode(day)',
        },
      },
    ],
    [{ by: [], measures: { a: 'median(day)', b: 'quantile_cont(day, 0.3)', c: 'mode(day)' } }],
    [
      {
        by: [{ half: 'amount > 50e0' }, 'paid'],
        measures: { a: 'max(id * 9007199254740)', b: "min(country || '!')" },
      },
    ],
  ])('%j', async (query) => {
    await compare(file, types, query);
  });
});

describeWith(corpusNeed, 'aggregates of real files agree with DuckDB', () => {
  it.each<[string, Types, Query]>([
    [
      'titanic.csv',
      { Age: 'number', Fare: 'number', Pclass: 'integer', Survived: 'integer' },
      {
        by: ['Gender', { decade: 'CAST(floor(Age / 10) AS integer) * 10' }],
        measures: {
          n: 'count(*)',
          alive: 'sum(Survived)',
          fare: 'avg(Fare)',
          s: 'stddev_samp(Fare)',
        },
      },
    ],
    [
      'seattle-weather.csv',
      { date: 'date', precipitation: 'number', temp_max: 'number', temp_min: 'number' },
      {
        by: [{ year: 'year(date)' }, { month: 'month(date)' }],
        measures: {
          rain: "count(*) FILTER (WHERE weather = 'rain')",
          span: 'max(temp_max - temp_min)',
          p: 'sum(precipitation)',
        },
      },
    ],
    [
      'ourairports-navaids.csv',
      { elevation_ft: 'integer', frequency_khz: 'integer' },
      {
        by: [{ kind: "CASE WHEN type LIKE '%DME' THEN 'dme' ELSE lower(type) END" }],
        measures: {
          n: 'count(elevation_ft)',
          m: 'avg(elevation_ft * 0.3048e0)',
          names: 'max(substr(name, 1, 3))',
        },
      },
    ],
  ])('%s', async (name, types, query) => {
    await compare(path.join(corpusFolder, 'realdata', name), types, query);
  });
});
