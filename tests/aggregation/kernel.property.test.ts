import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAggregate } from '../../pipeline/aggregation/aggregate.ts';
import { AggregateKernel } from '../../pipeline/aggregation/aggregate-kernel.ts';
import type { AggregateSpec } from '../../pipeline/aggregation/shape.ts';
import type { Batch, Fault } from '../../pipeline/execution/batch.ts';
import { RFC_4180, type Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { StructuralTokenizer } from '../../pipeline/parsing/structural/structural-tokenizer.ts';
import type { Column, ColumnType } from '../../pipeline/protocol/job.ts';
import { batchOf } from '../support/batch-of.ts';
import { builtKernel } from '../support/kernel.ts';

const module = builtKernel();
const RECORDS_MAX = 700;

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const signed = (text: fc.Arbitrary<string>) =>
  fc.tuple(fc.constantFrom('', '', '-'), text).map((parts) => parts.join(''));
const decimals = (wholeMax: number, partMax: number) =>
  signed(fc.tuple(digits(wholeMax), digits(partMax)).map((parts) => parts.join('.')));
const amounts = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 10, max: 99 }))
  .map(([whole, part]) => `${whole}.${part}`);
const oddNumbers = fc.constantFrom(
  ...['0', '-0', '-0.0', '0.0', '-', '1.', '.5', '-.5', '+1', '007', '00', '1e5', '1E-400', ' 5 '],
  ...['1e', '1.5e3', '2e999', '1.2.3', '9223372036854775807', '-9223372036854775808', '1.50'],
  ...['9223372036854775808', '999999999999999999', '0.999999999999999999', '9007199254740993'],
  ...['9007199254740992', '-9007199254740991', '0.000001', '123456789012345.6', '1.0', '7.00'],
  ...['92233720368547.75807', '0.0001', '0.00012', '1234567890123456', '100000000000000000'],
);
const numbers = fc.oneof(
  { weight: 4, arbitrary: amounts },
  fc.integer({ min: -9, max: 99 }).map(String),
  fc.maxSafeInteger().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  signed(digits(20)),
  decimals(4, 2),
  decimals(3, 16),
  decimals(12, 12),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  oddNumbers,
);
const integers = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 20 }).map(String) },
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String),
  signed(digits(20)),
  oddNumbers,
);
const two = fc.integer({ min: 0, max: 61 }).map((value) => String(value).padStart(2, '0'));
const dates = fc
  .tuple(
    fc.constantFrom('0000', '0001', '0400', '1900', '1969', '1970', '2000', '2024', '9999'),
    fc.integer({ min: 0, max: 13 }),
    fc.integer({ min: 0, max: 32 }),
  )
  .map(([year, ...rest]) => [year, ...rest.map((part) => String(part).padStart(2, '0'))].join('-'));
const times = fc.oneof(
  dates,
  fc
    .tuple(
      ...[dates, fc.constantFrom(' ', ' ', 'T', 't'), fc.tuple(two, two, two)],
      fc.oneof(
        fc.constant(''),
        digits(11).map((fraction) => `.${fraction}`),
      ),
      fc.constantFrom('', '', 'Z', '+01', '-05:30', ' UTC'),
    )
    .map(([date, between, clock, part, zone]) => date + between + clock.join(':') + part + zone),
  fc.constantFrom('2024-02-29 10:00', '2024-1-2', '02/29/2024', 'soon'),
);
const texts = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'US', 'a\0', '\0', 'NA', 'true', 'false', 'TRUE', 't', '0'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('é', '漢', '😀', '"', ','), maxLength: 8 }),
  fc
    .tuple(fc.constantFrom(12, 13, 14, 15, 16, 17, 31, 127, 128, 900, 1100), fc.nat({ max: 3 }))
    .map(([length, end]) => 'x'.repeat(length) + String(end)),
);

const COLUMNS: Column[] = (
  ['string', 'string', 'integer', 'number', 'date', 'datetime', 'boolean'] as ColumnType[]
).map((type, i) => ({ name: `c${i}`, type }));
const cells = fc.tuple(
  texts,
  fc.oneof({ weight: 5, arbitrary: numbers }, texts),
  integers,
  numbers,
  times,
  times,
  fc.constantFrom('true', 'false', 'TRUE', 'f', 'no', '1', 'maybe'),
);

/** A value as it stands in a file, quoted or not; sometimes not as RFC 4180 has it. */
function fieldOf(value: string, form: string): string {
  if (form === 'null') return '';
  if (form === 'nullstr') return 'NA';
  if (form === 'odd') return value.replaceAll(/[",\r\n]/g, '').replace(/(.)/u, '$1"');
  const isQuoted = form === 'quoted' || /[",\r\n]/.test(value);
  return isQuoted ? `"${value.replaceAll('"', '""')}"` : value;
}

const FORMS = ['bare', 'bare', 'bare', 'bare', 'bare', 'quoted', 'quoted', 'null', 'nullstr'];
const record = fc
  .tuple(cells, fc.array(fc.constantFrom(...FORMS, 'odd'), { minLength: 7, maxLength: 7 }))
  .map(([values, forms]) => values.map((value, i) => fieldOf(value, forms[i]!)).join(','));
const tables = fc
  .tuple(fc.array(record, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), fc.boolean())
  .map(([records, times, isCrLf]) => {
    const end = isCrLf ? '\r\n' : '\n';
    return records
      .map((text) => text + end)
      .join('')
      .repeat(times);
  });

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
  const aggregate = createAggregate(spec, { columns, dialect, nullstr, onError }, own);
  const faults: Fault[] = [];
  let taken = 0;
  const add = (batch: Batch) => {
    taken += aggregate.add(batch, (fault) => faults.push(fault));
  };
  const bytes = new TextEncoder().encode(text);
  const addAll = (part: Uint8Array) => {
    const index = createRecordIndex();
    const held = tokenizer.load(part);
    for (let at = 0; at < held.length;) {
      at = tokenizer.tokenize(held, at, index);
      add(selectWhole({ bytes: held, lastingBytes: part, dialect, index }, false, columns.length));
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
      { numRuns: 250 },
    );
  });

  test('reads a dialect without quotes as the reference does', () => {
    const dialect: Dialect = { ...RFC_4180, delimiter: ';', quote: '', escape: '' };
    fc.assert(
      fc.property(fc.array(cells), specs, (records, spec) => {
        const clean = records.map((record) => record.map((v) => v.replaceAll(/[;\r\n]/g, '')));
        expectSame(clean.map((record) => `${record.join(';')}\n`).join(''), spec, { dialect });
      }),
      { numRuns: 80 },
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
