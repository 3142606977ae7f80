import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AggregateAccumulator } from '../../pipeline/aggregation/aggregate-accumulator.ts';
import { AggregateMerger } from '../../pipeline/aggregation/merge-aggregates.ts';
import { shapeOf, type AggregateSpec } from '../../pipeline/aggregation/shape.ts';
import type { Batch } from '../../pipeline/execution/batch.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { fieldText } from '../../pipeline/parsing/field.ts';
import { ProfileAccumulator } from '../../pipeline/profile/profile-accumulator.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { encodePartial, PartialMerger } from '../../pipeline/result/partial.ts';
import { batchOf, csvOf } from '../support/batch-of.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { describeWith } from '../support/needs.ts';

const REALDATA = path.join(corpusFolder, 'realdata');
const FILES = [
  { file: 'iris.csv', by: ['species'] },
  { file: 'penguins.csv', by: ['species', 'sex'] },
  { file: 'stocks.csv', by: ['symbol'] },
  { file: 'titanic.csv', by: ['Pclass'] },
  { file: 'seattle-weather.csv', by: ['weather'] },
  { file: 'ourairports-regions.csv', by: ['iso_country'] },
  { file: 'ourairports-runways.csv', by: ['surface', 'lighted'] },
  { file: 'zipcodes.csv', by: [] },
];
const SQL_TYPES = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  datetime: 'TIMESTAMP',
} as const;

const options = (columns: readonly Column[]) => ({
  columns,
  dialect: RFC_4180,
  nullstr: [''],
  tellsEmpty: false,
  onError: 'reject' as const,
});

/** Every measure that the type of each of the first columns allows. */
function everyMeasure(columns: readonly Column[], upTo = 12): AggregateSpec['measures'] {
  const measures: { function: 'count' | 'sum' | 'min' | 'max' | 'avg'; column: number | null }[] = [
    { function: 'count', column: null },
  ];
  columns.slice(0, upTo).forEach(({ type }, column) => {
    measures.push({ function: 'count', column }, { function: 'min', column });
    measures.push({ function: 'max', column });
    if (type !== 'integer' && type !== 'number') return;
    measures.push({ function: 'sum', column }, { function: 'avg', column });
  });
  return measures;
}

/** The same as SQL on a table of texts; sums of numbers as exact decimals, rounded at the end. */
function sqlOf(columns: readonly Column[], spec: AggregateSpec, source: string): string {
  const value = (column: number) => {
    const { name, type } = columns[column]!;
    return `CAST("${name}" AS ${SQL_TYPES[type]})`;
  };
  const decimal = (column: number) => {
    const scale = columns[column]!.type === 'number' ? 18 : 0;
    return `CAST("${columns[column]!.name}" AS DECIMAL(38, ${scale}))`;
  };
  const measures = spec.measures.map((measure) => {
    const { function: name, column } = measure;
    if (column === null) return 'count(*)';
    if (name === 'avg') return `CAST(sum(${decimal(column)}) AS DOUBLE) / count(${value(column)})`;
    if (name === 'sum' && columns[column]!.type === 'number') {
      return `CAST(sum(${decimal(column)}) AS DOUBLE)`;
    }
    return `${name}(${value(column)})`;
  });
  const keys = spec.by.map(value);
  const order = keys.length === 0 ? '' : `ORDER BY ${keys.map((k) => `${k} NULLS LAST`).join()}`;
  const group = keys.length === 0 ? '' : `GROUP BY ${keys.join()}`;
  return `SELECT ${[...keys, ...measures].join()} FROM ${source} ${group} ${order}`;
}

function aggregateInPieces(batch: Batch, columns: readonly Column[], spec: AggregateSpec) {
  const merger = new AggregateMerger(shapeOf(spec, columns));
  const pieces = 3;
  for (let piece = 0; piece < pieces; piece++) {
    const accumulator = new AggregateAccumulator(spec, options(columns));
    const selection = batch.selection.filter((record) => record % pieces === piece);
    const part = { ...batch, selection, selectedCount: selection.length };
    accumulator.add(part, (fault) => expect.fail(fault.message));
    merger.add(accumulator.toPartial());
  }
  const output = batchOf(merger.toCsvChunk());
  return Array.from({ length: output.index.recordCount }, (_, record) =>
    Array.from({ length: spec.by.length + spec.measures.length }, (_, field) => {
      const i = output.index.recordFields[record]! + field;
      const start = output.index.fieldStarts[i]!;
      const end = output.index.fieldEnds[i]!;
      return start === end ? null : fieldText(output.bytes, start, end, RFC_4180);
    }),
  );
}

/** Texts agree, or are doubles at most one unit in the last place apart. */
function expectRecords(
  ours: readonly (readonly (string | null)[])[],
  theirs: readonly (readonly (string | null)[])[],
): void {
  expect(ours.length).toBe(theirs.length);
  ours.forEach((record, i) => {
    record.forEach((text, field) => {
      const other = theirs[i]![field]!;
      if (text === other) return;
      const a = Number(text);
      const b = Number(other);
      const close = text !== null && other !== null && /[.e]/.test(text) && isWithinOneUlp(a, b);
      if (!close) expect(record).toEqual(theirs[i]);
    });
  });
}

function isWithinOneUlp(a: number, b: number): boolean {
  const bits = (value: number) => new BigInt64Array(Float64Array.of(value).buffer)[0]!;
  const difference = bits(a) - bits(b);
  return difference >= -1n && difference <= 1n;
}

describeWith(corpusNeed, 'real files', () => {
  test.each(FILES)('$file by $by agrees with DuckDB', async ({ file, by }) => {
    const bytes = readFileSync(path.join(REALDATA, file));
    const whole = batchOf(bytes);
    const names = Array.from({ length: whole.index.recordFields[1]! }, (_, field) => {
      const { fieldStarts, fieldEnds } = whole.index;
      return fieldText(bytes, fieldStarts[field]!, fieldEnds[field]!, RFC_4180);
    });
    const selection = whole.selection.slice(1);
    const batch = { ...whole, selection, selectedCount: selection.length };
    const untyped = names.map((name): Column => ({ name, type: 'string' }));
    const profile = new ProfileAccumulator(options(untyped));
    profile.add(batch);
    const merger = new PartialMerger();
    merger.add(encodePartial({ profile: profile.toPartial() }));
    const columns = merger.profile()!.map((column): Column => {
      return { name: column.name, type: column.inferredType };
    });
    const spec = { by: by.map((name) => names.indexOf(name)), measures: everyMeasure(columns) };
    const source = `read_csv('${path.join(REALDATA, file)}', all_varchar = true, header = true)`;
    const theirs = await queryDuckDB(sqlOf(columns, spec, source));
    expectRecords(aggregateInPieces(batch, columns, spec), theirs);
    expect(theirs.length).toBeGreaterThan(0);
  });
});

describe('random records', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-aggregate-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('every measure by keys of every type, NULL among them, agrees with DuckDB', async () => {
    const columns: Column[] = [
      { name: 'text', type: 'string' },
      { name: 'whole', type: 'integer' },
      { name: 'decimal', type: 'number' },
      { name: 'flag', type: 'boolean' },
      { name: 'day', type: 'date' },
      { name: 'moment', type: 'datetime' },
    ];
    const choices: (string | null)[][] = [
      ['a', 'B', 'ä', '日本', 'a,b', 'say "x"', 'two\nlines', ' a', '10', '9', null],
      ['1', '01', '+1', '-7', '9223372036854775807', '-9223372036854775808', '1e2', null],
      ['0.1', '0.10', '.1', '-2.5', '5.', '1e3', '123456789.123456', '99999999.99', null],
      ['true', 'TRUE', 'f', 'no', '1', null],
      ['2024-02-29', '1999-12-31', '2024-2-29', null],
      ['2024-02-29 10:00:00', '2024-02-29T10:00', '1960-01-01 00:00:00.25', null],
    ];
    let state = 7;
    const pick = <T>(list: readonly T[]): T => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return list[(state >>> 16) % list.length]!;
    };
    const records = Array.from({ length: 3000 }, () => choices.map(pick));
    const file = path.join(folder, 'random.csv');
    writeFileSync(file, csvOf([columns.map(({ name }) => name), ...records]));
    const source = `read_csv('${file}', all_varchar = true, header = true, quote = '"')`;
    for (const by of [[], [0], [1], [2], [3], [4], [5], [0, 1], [3, 2, 4]]) {
      const spec = { by, measures: everyMeasure(columns) };
      const theirs = await queryDuckDB(sqlOf(columns, spec, source));
      expectRecords(aggregateInPieces(batchOf(csvOf(records)), columns, spec), theirs);
    }
  });
});
