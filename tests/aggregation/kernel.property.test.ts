import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAggregate } from '../../pipeline/aggregation/aggregate.ts';
import { AggregateKernel } from '../../pipeline/aggregation/aggregate-kernel.ts';
import type { AggregateSpec } from '../../pipeline/aggregation/shape.ts';
import type { Batch, Fault } from '../../pipeline/execution/batch.ts';
import { RFC_4180, type Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { StructuralTokenizer } from '../../pipeline/parsing/structural/structural-tokenizer.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { batchOf } from '../support/batch-of.ts';
import { builtKernel } from '../support/kernel.ts';
import { cells, COLUMNS, tables } from '../support/typed-cells.ts';
import { runs } from '../support/runs.ts';

const module = builtKernel();
const RECORDS_MAX = 700;

const measure = fc.oneof(
  fc.constant({ function: 'count', column: null } as const),
  fc.record({
    function: fc.constantFrom('count', 'sum', 'avg', 'min', 'max'),
    column: fc.constantFrom(1, 2, 3, 3, 3),
  }),
  fc.record({ function: fc.constantFrom('count', 'min', 'max'), column: fc.constantFrom(4, 5) }),
  fc.constant({ function: 'count', column: 0 } as const),
);
const specs: fc.Arbitrary<AggregateSpec> = fc.record({
  by: fc.oneof(
    ...[fc.constantFrom([0], [1], [2], [3], [4], [5], [6], []), fc.constant([0])],
    fc.uniqueArray(fc.nat({ max: 6 }), { minLength: 2, maxLength: 4 }),
  ),
  // Bounds of texts are not the kernel's.
  measures: fc
    .array(measure, { minLength: 1, maxLength: 5 })
    .map((list) =>
      list.filter((one) => one.column !== 1 || !['min', 'max'].includes(one.function)),
    ),
});

interface Options {
  readonly withKernel: boolean;
  readonly regionBytes?: number;
  readonly nullstr?: readonly string[];
  readonly onError?: 'reject' | 'null';
  readonly dialect?: Dialect;
  readonly columns?: readonly Column[];
  readonly hashMask?: number;
  readonly groupCountMax?: number;
}

interface Outcome {
  readonly partial: Uint8Array;
  readonly faults: readonly Fault[];
  readonly taken: number;
}

/** Records with all columns; of every seven one, or the other six. */
function selectWhole(
  batch: Omit<Batch, 'selection' | 'selectedCount'>,
  isSeventh: boolean,
  columnCount: number,
): Batch {
  const { recordCount, recordFields, recordFlags } = batch.index;
  const selection = Uint32Array.from({ length: recordCount }, (_, at) => at).filter(
    (at) =>
      recordFields[at + 1]! - recordFields[at]! === columnCount &&
      (recordFlags[at]! & 2) === 0 &&
      (batch.index.recordStarts[at]! % 7 === 0) === isSeventh,
  );
  return { ...batch, selection, selectedCount: selection.length };
}

function run(text: string, spec: AggregateSpec, options: Options): Outcome {
  const { dialect = RFC_4180, nullstr = [''], regionBytes = 131_072, columns = COLUMNS } = options;
  const { onError = 'reject', withKernel, ...kernelOptions } = options;
  const tokenizer = new StructuralTokenizer(
    ...([dialect, { skipBlankLines: 'always' }, module, RECORDS_MAX, regionBytes] as const),
  );
  const { kernel } = tokenizer;
  const own = withKernel
    ? AggregateKernel.create({ ...kernelOptions, kernel, dialect, nullstr })
    : null;
  const aggregate = createAggregate(
    spec,
    { columns, dialect, nullstr, tellsEmpty: false, onError },
    own,
  );
  const faults: Fault[] = [];
  let taken = 0;
  const add = (batch: Batch) => {
    taken += aggregate.add(batch, (fault) => faults.push(fault));
  };
  const bytes = new TextEncoder().encode(text);
  const addAll = (part: Uint8Array) => {
    const index = createRecordIndex();
    tokenizer.load(part);
    for (let at = 0; at < part.length;) {
      at = tokenizer.tokenize(part, at, index);
      add(selectWhole({ bytes: part, dialect, index }, false, columns.length));
    }
  };
  addAll(bytes);
  // The others by the reference, in memory of their own; then some once more by the kernel.
  add(selectWhole(batchOf(bytes, dialect), true, columns.length));
  addAll(bytes.subarray(0, bytes.lastIndexOf(10, 2000) + 1));
  return { partial: aggregate.toPartial(), faults, taken };
}

function expectSame(text: string, spec: AggregateSpec, options: Omit<Options, 'withKernel'>): void {
  const byKernel = run(text, spec, { ...options, withKernel: true });
  const reference = run(text, spec, { ...options, withKernel: false });
  expect(Buffer.compare(byKernel.partial, reference.partial)).toBe(0);
  expect(byKernel.taken).toBe(reference.taken);
  expect(byKernel.faults).toEqual(reference.faults);
}

const NULLSTRS = [[''], ['', 'NA'], ['NA'], ['0', 'x'.repeat(16)], []];

describe('the aggregate kernel', () => {
  test('gives partials and faults of the reference, whichever records it takes', () => {
    fc.assert(
      fc.property(
        ...[tables, specs, fc.constantFrom(64, 1000, 131_072), fc.constantFrom(...NULLSTRS)],
        ...[fc.constantFrom('reject', 'null'), fc.constantFrom(0xffffffff, 0xf, 0)],
        (text, spec, regionBytes, nullstr, onError, hashMask) => {
          expectSame(text, spec, { regionBytes, nullstr, onError, hashMask });
        },
      ),
      { numRuns: runs(160) },
    );
  });

  test('reads a dialect without quotes as the reference does', () => {
    const dialect: Dialect = { ...RFC_4180, delimiter: ';', quote: '', escape: '' };
    fc.assert(
      fc.property(fc.array(cells), specs, (records, spec) => {
        const clean = records.map((record) => record.map((v) => v.replaceAll(/[;\r\n]/g, '')));
        expectSame(clean.map((record) => `${record.join(';')}\n`).join(''), spec, { dialect });
      }),
      { numRuns: runs(80) },
    );
  });
});

describe('tables of the aggregate kernel', () => {
  const columns: Column[] = [
    { name: 'key', type: 'string' },
    { name: 'value', type: 'number' },
  ];
  const spec: AggregateSpec = {
    by: [0],
    measures: [
      { function: 'count', column: null },
      { function: 'sum', column: 1 },
      { function: 'max', column: 1 },
    ],
  };
  /** Keys in an order of their own; some come again. */
  const table = (count: number, keyOf: (number: number) => string) =>
    Array.from({ length: count }, (_, i) => {
      const number = (i * 7919) % Math.ceil(count * 0.8);
      return `${keyOf(number)},${number / 100}\n`;
    }).join('');

  test.each([
    ['short', (number: number) => `k${number}`],
    ['quoted', (number: number) => `"driver ${number}"`],
    ['long', (number: number) => `https://example.org/records/by-number/${number}`],
    ['long at the front', (number: number) => `${number}-${'y'.repeat(number % 90)}`],
  ])('grow many times over, with %s keys', (_, keyOf) => {
    expectSame(table(20_000, keyOf), spec, { columns });
  });

  test('are written when they are full, and groups meet again in the partial', () => {
    for (const groupCountMax of [256, 300, 5000]) {
      const text = table(12_000, (number) => `k${number}`);
      expectSame(text, spec, { columns, groupCountMax });
    }
  });

  test('sum exactly beyond 64 bits, at any scale', () => {
    const big = ['999999999999999999', '-99999999999999.9999', '0.1', '-999999999999999999'];
    for (const cut of [1, 2, 3, 4]) {
      const text = big
        .slice(0, cut)
        .map((value) => `a,${value}\n`.repeat(301))
        .join('')
        .repeat(20);
      expectSame(text, spec, { columns });
      expectSame(text, { by: [0], measures: spec.measures.slice(0, 2) }, { columns });
    }
  });
});
