import { describe, expect, test } from 'vitest';
import { AggregateAccumulator } from '../../pipeline/aggregation/aggregate-accumulator.ts';
import { AggregateKernel } from '../../pipeline/aggregation/aggregate-kernel.ts';
import { mergeSorted } from '../../pipeline/aggregation/merge-sorted.ts';
import { shapeOf, type AggregateSpec } from '../../pipeline/aggregation/shape.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { StructuralTokenizer } from '../../pipeline/parsing/structural/structural-tokenizer.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { batchOf } from '../support/batch-of.ts';
import { builtKernel } from '../support/kernel.ts';

const module = builtKernel();
const COLUMNS: Column[] = [
  { name: 'key', type: 'string' },
  { name: 'whole', type: 'integer' },
  { name: 'amount', type: 'number' },
];
const SPEC: AggregateSpec = {
  by: [0],
  measures: [
    { function: 'sum', column: 1 },
    { function: 'max', column: 2 },
  ],
};

function tokenizerOf() {
  return new StructuralTokenizer(RFC_4180, { skipBlankLines: 'always' }, module, 4096);
}

/** Positions of the records that the kernel leaves to the reference. */
function leftOf(csv: string, spec: AggregateSpec = SPEC): number[] {
  const tokenizer = tokenizerOf();
  const { kernel } = tokenizer;
  const own = AggregateKernel.create({ kernel, dialect: RFC_4180, nullstr: [''] })!;
  expect(own.begin(spec, shapeOf(spec, COLUMNS))).toBe(true);
  const bytes = new TextEncoder().encode(csv);
  tokenizer.load(bytes);
  const index = createRecordIndex();
  tokenizer.tokenize(bytes, 0, index);
  const selectedCount = index.recordCount;
  const selection = Uint32Array.from({ length: selectedCount }, (_, record) => record);
  const batch = { bytes, dialect: RFC_4180, index, selection, selectedCount };
  expect(own.holds(batch)).toBe(true);
  const left = new Uint32Array(selectedCount);
  return [...left.subarray(0, own.add(batch, left))];
}

describe('the aggregate kernel', () => {
  test('takes plain records, quoted or not, with NULL and negative values', () => {
    const csv = 'US,1,1.5\n"US",-2,\n,,7\n"a, ""b""",999999999999999999,-0.25\n'.repeat(900);
    expect(leftOf(csv)).toEqual([]);
  });

  test('leaves records with odd spellings, long keys and faults', () => {
    const csv = [
      ...['k,1,1', 'k,+1,1', 'k,1.0,1', 'k,x,1', 'k,1,1e5', 'k,1,9007199254740993'],
      `"${'k""'.repeat(342)}",1,1`,
      ...[`${'k'.repeat(1025)},1,1`, `${'k'.repeat(900)},1,1`, 'k,1,2'],
    ].map((record) => `${record}\n`);
    expect(leftOf(csv.join(''))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('leaves a value that fits no scale together with what its group has', () => {
    const csv = 'a,1,900000000.1\na,1,0.12345678901\nb,1,0.12345678901\na,1,3\n';
    expect(leftOf(csv)).toEqual([1]);
  });

  test('does not take bounds of texts, dialects with another escape, or long NULL texts', () => {
    const { kernel } = tokenizerOf();
    const own = AggregateKernel.create({ kernel, dialect: RFC_4180, nullstr: [''] })!;
    const bounds: AggregateSpec = { by: [], measures: [{ function: 'min', column: 0 }] };
    expect(own.begin(bounds, shapeOf(bounds, COLUMNS))).toBe(false);
    const dialect = { ...RFC_4180, escape: '\\' };
    expect(AggregateKernel.create({ kernel, dialect, nullstr: [''] })).toBeNull();
    const nullstr = ['a text of 17 byte'];
    expect(AggregateKernel.create({ kernel, dialect: RFC_4180, nullstr })).toBeNull();
  });
});

describe('two partials in order', () => {
  const partialOf = (csv: string) => {
    const options = { columns: COLUMNS, dialect: RFC_4180, nullstr: [''], tellsEmpty: false };
    const accumulator = new AggregateAccumulator(SPEC, { ...options, onError: 'fail' });
    accumulator.add(batchOf(csv), (fault) => {
      throw new Error(fault.message);
    });
    return accumulator.toPartial();
  };

  test('become the partial of all records', () => {
    const [left, right] = ['a,1,1\nc,2,2\n', 'b,4,4\nc,8,1\nd,,\n'];
    const merged = mergeSorted(partialOf(left), partialOf(right), {
      groupCountMax: 4,
      keyBytesMax: 8,
    });
    expect(Buffer.compare(merged, partialOf(left + right))).toBe(0);
  });

  test('are refused beyond the limits', () => {
    const merge = (groupCountMax: number, keyBytesMax: number) => () =>
      mergeSorted(partialOf('a,1,1\nb,1,1\n'), partialOf('b,1,1\nc,1,1\n'), {
        groupCountMax,
        keyBytesMax,
      });
    const refused = expect.objectContaining({ code: 'group-limit' });
    expect(merge(3, 6)).not.toThrow();
    expect(merge(2, 6)).toThrow(refused);
    expect(merge(3, 5)).toThrow(refused);
  });
});
