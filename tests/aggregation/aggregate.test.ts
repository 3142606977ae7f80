import { describe, expect, test } from 'vitest';
import { AggregateAccumulator } from '../../pipeline/aggregation/aggregate-accumulator.ts';
import { GroupTable } from '../../pipeline/aggregation/group-table.ts';
import { AggregateMerger } from '../../pipeline/aggregation/merge-aggregates.ts';
import { shapeOf, type AggregateSpec } from '../../pipeline/aggregation/shape.ts';
import type { Fault } from '../../pipeline/execution/batch.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { batchOf } from '../support/batch-of.ts';

const COLUMNS: Column[] = [
  { name: 'key', type: 'string' },
  { name: 'whole', type: 'integer' },
  { name: 'amount', type: 'number' },
];
const sumAmount = { function: 'sum', column: 2 } as const;
const countAll = { function: 'count', column: null } as const;

interface Run {
  readonly csv: string;
  readonly by?: readonly number[];
  readonly measures: AggregateSpec['measures'];
  readonly onError?: 'reject' | 'null' | 'fail';
  readonly nullstr?: readonly string[];
}

function run({ csv, by = [], measures, onError = 'reject', nullstr = [''] }: Run) {
  const spec = { by, measures };
  const options = { columns: COLUMNS, dialect: RFC_4180, nullstr, tellsEmpty: false, onError };
  const accumulator = new AggregateAccumulator(spec, options);
  const faults: Fault[] = [];
  const taken = accumulator.add(batchOf(csv), (fault) => faults.push(fault));
  const merger = new AggregateMerger(shapeOf(spec, COLUMNS));
  merger.add(accumulator.toPartial());
  return { taken, faults, output: new TextDecoder().decode(merger.toCsvChunk()) };
}

const amounts = (...texts: string[]) => texts.map((text) => `k,1,${text}\n`).join('');

describe('sums', () => {
  test.each([
    [['0.1', '0.2'], '0.3'],
    [['1e308', '1', '-1e308'], '1.0'],
    [['1e16', '1', '-1e16', '0.5'], '1.5'],
    [['9007199254740993', '-9007199254740992'], '1.0'],
    [['1e-300', '1e300', '-1e300'], '1e-300'],
    [['0.1', '0.1', '0.1', '0.1', '0.1', '0.1', '0.1', '0.1', '0.1', '0.1'], '1.0'],
    [['1e308', '1e308'], 'inf'],
    [['4.9e-324', '4.9e-324'], '1e-323'],
    [['-0', '0'], '0.0'],
  ])('of numbers %j are exact and rounded once to %s', (texts, expected) => {
    expect(run({ csv: amounts(...texts), measures: [sumAmount] }).output).toBe(`${expected}\n`);
  });

  test('of integers are exact beyond 64 bits', () => {
    const csv = 'k,9223372036854775807,0\n'.repeat(5);
    const measures = [{ function: 'sum', column: 1 }] as const;
    expect(run({ csv, measures }).output).toBe(`${9223372036854775807n * 5n}\n`);
  });
});

describe('groups', () => {
  test('a quoted key equals the same key unquoted, whatever its length', () => {
    const long = 'x'.repeat(1000);
    const csv = `US,1,1\n"US",1,2\n"say ""a""",1,3\n${long},1,4\n"${long}",1,5\n`;
    expect(run({ csv, by: [0], measures: [sumAmount] }).output).toBe(
      `US,3.0\n"say ""a""",3.0\n${long},9.0\n`,
    );
  });

  test('NULL is a group of its own, last, apart from the empty text', () => {
    const csv = 'NA,1,1\nb,1,2\n"",1,3\nNA,1,4\n';
    expect(run({ csv, by: [0], measures: [sumAmount, countAll], nullstr: ['NA'] }).output).toBe(
      '"",3.0,1\nb,2.0,1\n,5.0,2\n',
    );
  });

  test('number keys meet by value and sort by value', () => {
    const csv = 'k,10,1\nk,9,1\nk,+09,1\nk,-1,1\n';
    expect(run({ csv, by: [1], measures: [countAll] }).output).toBe('-1,1\n9,2\n10,1\n');
  });

  test('without keys there is one record, also of nothing', () => {
    const measures = [countAll, sumAmount, { function: 'min', column: 0 } as const];
    expect(run({ csv: '', measures }).output).toBe('0,,\n');
    expect(run({ csv: '', measures: [sumAmount] }).output).toBe('\n');
    const merger = new AggregateMerger(shapeOf({ by: [], measures }, COLUMNS));
    expect(new TextDecoder().decode(merger.toCsvChunk())).toBe('0,,\n');
    expect(run({ csv: '', by: [0], measures }).output).toBe('');
  });

  test('too many groups are refused by the limit', () => {
    const table = new GroupTable({ groupCountMax: 1000, keyBytesMax: 1e6 });
    const encoder = new TextEncoder();
    const add = (key: number) => table.groupOf(encoder.encode(String(key)), String(key).length);
    for (let key = 0; key < 1000; key++) expect(add(key)).toBe(key);
    expect(add(999)).toBe(999);
    expect(() => add(1000)).toThrow(expect.objectContaining({ code: 'group-limit' }));
  });
});

describe('values that do not cast', () => {
  const csv = 'a,1,1\na,x,2\na,3,y\n';
  const measures = [countAll, sumAmount, { function: 'max', column: 1 } as const];

  test('are faults, and nothing of their record is measured', () => {
    const { faults, taken, output } = run({ csv, by: [0], measures });
    expect(output).toBe('a,1,1.0,1\n');
    expect(taken).toBe(1);
    expect(faults.map(({ record, column, code }) => ({ record, column, code }))).toEqual([
      { record: 1, column: 1, code: 'type-error' },
      { record: 2, column: 2, code: 'type-error' },
    ]);
  });

  test('count as NULL when the plan says so', () => {
    const { faults, output } = run({ csv, by: [0], measures, onError: 'null' });
    expect(output).toBe('a,3,3.0,3\n');
    expect(faults).toEqual([]);
  });
});
