import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan } from '../support/run-plan.ts';
import { total } from '../support/run-waves.ts';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';

/** Records a chunk of the input, and a part of the lookup where it is not held whole. */
const WHOLE = [Infinity, null] as const;
const CUTS = [[1, null] as const, [1, Infinity] as const, [3, 2] as const];
type Cut = (typeof CUTS)[number] | typeof WHOLE;
/** Also so that keys are gathered, in several levels, before they are matched. */
const TINY = {
  ...{ ...EXCHANGE_LIMITS, fanInMax: 6, gatheredFanInMax: 2 },
  ...{ blockBytes: 1, partitionBytes: 1, partitionBytesMax: 1, taskBytesMax: 1e6 },
};

const dir = mkdtempSync(path.join(tmpdir(), 'sluice-join-'));
afterAll(() => rmSync(dir, { recursive: true }));

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  ...{ string: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE', boolean: 'BOOLEAN' },
  ...{ date: 'DATE', datetime: 'TIMESTAMP' },
};

/** Spellings of few values, so that keys meet; of types that are compared with each other. */
const SPELLINGS: Readonly<
  Record<string, Readonly<Partial<Record<ColumnType, readonly string[]>>>>
> = {
  numbers: {
    integer: ['1', '01', '2', '9007199254740993', '9007199254740992', '-7'],
    number: ['1', '1.0', '1e0', '2.5', '9007199254740992', '-0.0', '0', '-7'],
    string: ['1', '01', '2', '-7', '9007199254740993'],
  },
  truths: { boolean: ['true', 'false', 'T', 'f'], integer: ['0', '1', '2'] },
  words: { boolean: ['true', 'false'], string: ['true', 'f', 'FALSE'] },
  times: {
    date: ['2020-01-01', '1999-12-31'],
    datetime: ['2020-01-01 00:00:00', '2020-01-01 12:30:00', '1999-12-31T00:00:00'],
    string: ['2020-01-01', '1999-12-31'],
  },
  texts: { string: ['a', 'A', '"a"', '"a, b"', '"say ""a"""', ' a', 'ä', '""'] },
};

interface Side {
  readonly types: Readonly<Record<string, ColumnType>>;
  readonly text: string;
}

/** A table of a row number, a key or two, and a cell beside them. */
function sideOf(rows: string, types: readonly ColumnType[], domain: string): fc.Arbitrary<Side> {
  const names = types.map((_, i) => `k${i}`);
  const record = fc.tuple(
    ...types.map((type) =>
      fc.constantFrom('', ...(SPELLINGS[domain]![type] ?? SPELLINGS.texts!.string)!),
    ),
    fc.constantFrom('x', '', '"y ""z"""', '"1\n2"'),
  );
  return fc.array(record, { maxLength: 24 }).map((records) => ({
    types: Object.fromEntries([[rows, 'integer'], ...names.map((name, i) => [name, types[i]])]),
    text: [
      [rows, ...names, 'cell'].join(','),
      ...records.map((cells, i) => [String(i), ...cells].join(',')),
    ].join('\n'),
  }));
}

function tableOf(side: Side, file: string): string {
  const target = path.join(dir, file);
  writeFileSync(target, `${side.text}\n`);
  const header = side.text.split('\n', 1)[0]!.split(',');
  const columns = header.map(
    (name) => `'${name}': '${DUCKDB_TYPES[side.types[name] ?? 'string']}'`,
  );
  return `read_csv('${target}', header = true, columns = {${columns.join(', ')}}, delim = ',',
    quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = true, auto_detect = false)`;
}

const pairs = Object.entries(SPELLINGS).flatMap(([domain, byType]) => {
  const types = Object.keys(byType) as ColumnType[];
  return types.flatMap((left) => types.map((right) => [domain, left, right] as const));
});

describe('join', () => {
  it.each(pairs)('of %s meets %s and %s as DuckDB does', async (domain, left, right) => {
    const how = fc.constantFrom('inner', 'left', 'semi', 'anti');
    const input = sideOf('i', [left, 'string'], domain);
    const lookup = sideOf('l', [right, 'string'], domain);
    const keyCount = fc.constantFrom(1, 2);
    const cut = fc.constantFrom(...CUTS);
    await fc.assert(
      fc.asyncProperty(input, lookup, how, keyCount, cut, async (a, b, kind, keys, into) => {
        await compare(a, b, kind, keys, [WHOLE, into]);
      }),
      { numRuns: 5 },
    );
  });
});

async function compare(
  input: Side,
  lookup: Side,
  how: string,
  keyCount: number,
  cuts: readonly Cut[],
): Promise<void> {
  const keys = ['k0', 'k1'].slice(0, keyCount);
  const isWide = how === 'inner' || how === 'left';
  const plan = {
    steps: [
      {
        join: {
          ...{ with: 'other.csv', on: Object.fromEntries(keys.map((key) => [key, key])), how },
          ...(isWide ? { select: ['l', 'k0', 'cell'] } : {}),
        },
      },
      { select: ['i', 'cell', ...(isWide ? ['l', 'k0_1', 'cell_1'] : [])] },
    ],
    write: { format: 'ndjson' },
  };
  const on = keys.map((key) => `a.${key} = b.${key}`).join(' AND ');
  const added = isWide ? ', b.l, b.k0 AS k0_1, b.cell AS cell_1' : '';
  const expected = await queryDuckDB(
    `SELECT a.i, a.cell${added} FROM ${tableOf(input, 'a.csv')} a ${how} JOIN
     ${tableOf(lookup, 'b.csv')} b ON ${on} ORDER BY a.i${isWide ? ', b.l NULLS FIRST' : ''}`,
  );
  for (const [chunkRecords, partRecords] of cuts) {
    const { output, waves, rejects } = runPlan(JSON.stringify(plan), input.text, {
      ...{ types: input.types, chunkRecords },
      ...(partRecords === null ? { kernel: builtKernel() } : { partRecords, limits: TINY }),
      lookups: [{ name: 'other.csv', text: lookup.text, types: lookup.types }],
    });
    expect(rejects).toEqual([]);
    const lines = output
      .toString()
      .split('\n')
      .filter((line) => line !== '');
    const rows = lines.map((line) =>
      Object.values(JSON.parse(line) as Record<string, string | number | null>),
    );
    const key = isWide ? 3 : -1;
    const found = rows.map((row) => row.map((v) => (v === null ? null : String(v))));
    expect(withoutSpelling(found, key)).toEqual(withoutSpelling(expected, key));
    expect(total(waves.at(-1)!, 'outputRecords')).toBe(expected.length);
    expect(waves.length).toBe(partRecords === null ? 1 : 4);
  }
}

/** The key of the lookup keeps its spelling in Sluice; DuckDB has its value. Both say if it is NULL. */
function withoutSpelling(rows: (string | null)[][], column: number): (string | boolean | null)[][] {
  return rows.map((row) => row.map((value, i) => (i === column ? value === null : value)));
}
