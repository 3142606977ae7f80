import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../pipeline/execution/batch.ts';
import { RFC_4180, type Dialect } from '../../pipeline/parsing/dialect.ts';
import { createRecordIndex } from '../../pipeline/parsing/record-index.ts';
import { StructuralTokenizer } from '../../pipeline/parsing/structural/structural-tokenizer.ts';
import {
  createProfileKernel,
  ProfileAccumulator,
} from '../../pipeline/profile/profile-accumulator.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { batchOf } from '../support/batch-of.ts';
import { builtKernel } from '../support/kernel.ts';
import { runs } from '../support/runs.ts';

const module = builtKernel();
const RECORDS_MAX = 700;
const COLUMNS: Column[] = ['a', 'b', 'c'].map((name) => ({ name, type: 'string' }));

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const numbers = fc.oneof(
  fc.integer({ min: -9, max: 99 }).map(String),
  fc.maxSafeInteger().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.tuple(fc.constantFrom('', '-'), digits(20)).map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('', '-'), digits(12), digits(12))
    .map(([sign, whole, part]) => `${sign}${whole}.${part}`),
  fc
    .tuple(fc.constantFrom('', '-'), fc.integer({ min: 0, max: 999 }), digits(19))
    .map(([sign, whole, part]) => `${sign}${whole}.${part}`),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom(
    ...['0', '-0', '-0.0', '0.0', '-', '1.', '.5', '-.5', '+1', '007', '00', '1e5', '1E-400'],
    ...['1e', '1.e5', '1.5e3', '2e999', '12 High St', '1.2.3.4', '9223372036854775807'],
    ...['-9223372036854775808', '9223372036854775808', '999999999999999999', '-00.5', '1-2'],
    ...[
      '0.999999999999999999',
      '123456789012345678.',
      '9.999999999999999999',
      '0.9999999999999999999',
      '9'.repeat(400),
      `1.${'0'.repeat(1100)}`,
    ],
  ),
);
/** Text of the bytes that numbers and times are made of. */
const nearlyNumbers = fc.stringMatching(/^[-+0-9.eE:TZ /]{1,26}$/);
const two = fc.integer({ min: 0, max: 61 }).map((value) => String(value).padStart(2, '0'));
const dates = fc
  .tuple(
    fc.constantFrom('0000', '0001', '1900', '1969', '2000', '2023', '2024', '9999'),
    fc.integer({ min: 0, max: 13 }),
    fc.integer({ min: 0, max: 32 }),
  )
  .map(([year, ...rest]) => [year, ...rest.map((part) => String(part).padStart(2, '0'))].join('-'));
const times = fc
  .tuple(
    ...[dates, fc.constantFrom(' ', 'T', 't'), fc.tuple(two, two, two)],
    fc.oneof(
      fc.constant(''),
      digits(11).map((fraction) => `.${fraction}`),
    ),
    fc.constantFrom('', '', 'Z', 'z', '+01', '-05:30', '+0100', ' UTC', '+24'),
    fc.nat({ max: 40 }),
  )
  .map(([date, separator, clock, fraction, zone, cut]) => {
    const whole = `${date}${separator}${clock.join(':')}${fraction}${zone}`;
    return cut > 30 ? whole.slice(0, cut - 18) : whole;
  });
const spoiltTimes = fc
  .tuple(times, fc.nat({ max: 30 }), fc.constantFrom('x', ':', '-', '0', '9', '.', ' '))
  .map(([time, at, byte]) => time.slice(0, at) + byte + time.slice(at + 1));
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('é', '漢', '😀', 'a', 'b'), maxLength: 30 }),
  fc.constantFrom('true', 'FALSE', 'tRuE', 'falsy', 'trus', 'NA', '\\N', 'a', 'a\0', 'a\0\0', '\0'),
  fc
    .tuple(fc.constantFrom(15, 16, 17, 255, 256, 257, 300), fc.string({ maxLength: 3 }))
    .map(([length, end]) => 'x'.repeat(length) + end),
  fc.string({ unit: fc.constantFrom('é', 'z', 'y'), minLength: 120, maxLength: 300 }),
);
const values = fc.oneof(numbers, nearlyNumbers, dates, times, spoiltTimes, texts, fc.constant(''));

/** Columns of one kind, in which its bounds and sums are not drowned by others. */
const likeTexts = fc
  .tuple(fc.constantFrom(16, 17, 24, 254, 255, 256, 260), fc.string({ maxLength: 3 }))
  .map(([length, end]) => 'x'.repeat(length) + end);
const decimals = fc
  .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.nat({ max: 999 }))
  .map(([whole, part]) => `${whole}.${part}`);
const sameDay = fc.tuple(two, two, two).map((clock) => `2024-02-29 ${clock.join(':')}`);

/** A value as it stands in a file, quoted or not; sometimes not as RFC 4180 has it. */
function fieldOf(value: string, form: 'bare' | 'quoted' | 'odd'): string {
  if (form === 'odd') return value.replaceAll(/[",\r\n]/g, '').replace(/(.)/u, '$1"');
  const isQuoted = form === 'quoted' || /[",\r\n]/.test(value);
  return isQuoted ? `"${value.replaceAll('"', '""')}"` : value;
}

const forms = fc.oneof(
  ...[fc.constant('bare' as const), fc.constantFrom('bare' as const, 'quoted' as const)],
  fc.constantFrom('bare' as const, 'quoted' as const, 'odd' as const),
);
const columnPools = fc
  .constantFrom(values, numbers, times, likeTexts, decimals, sameDay)
  .chain((kind) =>
    fc.array(
      fc.tuple(kind, forms).map(([value, form]) => fieldOf(value, form)),
      {
        minLength: 1,
        maxLength: 60,
      },
    ),
  );

/** Many records of few different values, drawn by a linear congruential generator. */
const tables = fc
  .tuple(
    fc.tuple(columnPools, columnPools, columnPools),
    fc.nat({ max: 900 }),
    fc.nat(),
    fc.nat({ max: 2 }),
  )
  .map(([pools, count, seed, counterColumn]) => {
    const records: string[][] = [];
    let state = seed;
    for (let i = 0; i < count; i++) {
      const record = pools.map((pool) => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return pool[(state >>> 8) % pool.length]!;
      });
      // A column of values that never come again, which the cache is of no use for.
      if (i > 300) record[counterColumn] = String(i * 7919);
      records.push(record);
    }
    return records.map((record) => `${record.join(',')}\n`).join('');
  });

const NULLSTRS = [[''], ['', 'NA', '\\N'], ['0', 'x'.repeat(16)], ['x'.repeat(17)]];

/** The batches of a text by the structural tokenizer, in its kernel's memory where it can. */
function addBatches(
  accumulator: ProfileAccumulator,
  tokenizer: StructuralTokenizer,
  bytes: Uint8Array,
  dialect: Dialect,
): void {
  const index = createRecordIndex();
  tokenizer.load(bytes);
  for (let at = 0; at < bytes.length;) {
    at = tokenizer.tokenize(bytes, at, index);
    accumulator.add(selectWhole({ bytes, dialect, index }, false));
  }
}

/** Selects records that have all columns: of every seven one, or the other six. */
function selectWhole(batch: Omit<Batch, 'selection' | 'selectedCount'>, isSeventh: boolean): Batch {
  const { recordCount, recordFields, recordFlags } = batch.index;
  const selection = Uint32Array.from({ length: recordCount }, (_, record) => record).filter(
    (record) =>
      recordFields[record + 1]! - recordFields[record]! === COLUMNS.length &&
      (recordFlags[record]! & 2) === 0 &&
      (batch.index.recordStarts[record]! % 7 === 0) === isSeventh,
  );
  return { ...batch, selection, selectedCount: selection.length };
}

interface Options {
  readonly withKernel: boolean;
  readonly regionBytes: number;
  readonly nullstr: readonly string[];
  readonly dialect: Dialect;
  readonly positions: readonly number[];
}

function partialOf(text: string, options: Options): Uint8Array {
  const { dialect, nullstr, regionBytes, positions } = options;
  const tokenizerOptions = { skipBlankLines: 'always' } as const;
  const tokenizer = new StructuralTokenizer(
    ...([dialect, tokenizerOptions, module, RECORDS_MAX, regionBytes] as const),
  );
  const kernel = options.withKernel
    ? createProfileKernel(tokenizer.kernel, positions.length, dialect, nullstr)
    : null;
  const accumulator = new ProfileAccumulator({
    ...{ columns: COLUMNS, positions, dialect, nullstr, tellsEmpty: false, kernel },
  });
  const bytes = new TextEncoder().encode(text);
  addBatches(accumulator, tokenizer, bytes, dialect);
  // The others by the reference, in memory of their own.
  accumulator.add(selectWhole(batchOf(bytes, dialect), true));
  addBatches(accumulator, tokenizer, bytes.subarray(0, bytes.lastIndexOf(10, 2000) + 1), dialect);
  return accumulator.toPartial();
}

describe('the profile kernel', () => {
  test('gives the partial of the reference, byte for byte, whichever batches it takes', () => {
    fc.assert(
      fc.property(
        tables,
        fc.constantFrom(64, 1000, 131_072),
        fc.constantFrom(...NULLSTRS),
        fc.constantFrom([0, 1, 2], [2], [1, 1, 0]),
        (text, regionBytes, nullstr, positions) => {
          const options = { regionBytes, nullstr, positions, dialect: RFC_4180 };
          const byKernel = partialOf(text, { ...options, withKernel: true });
          expect(byKernel).toEqual(partialOf(text, { ...options, withKernel: false }));
        },
      ),
      { numRuns: runs(400) },
    );
  });

  test('reads a dialect without quotes as the reference does', () => {
    const dialect: Dialect = { ...RFC_4180, delimiter: ';', quote: '', escape: '' };
    fc.assert(
      fc.property(fc.array(fc.tuple(values, values, values)), (records) => {
        const clean = records.map((record) => record.map((v) => v.replaceAll(/[;\r\n]/g, '')));
        const text = clean.map((record) => `${record.join(';')}\n`).join('');
        const options = { regionBytes: 300, nullstr: [''], positions: [0, 1, 2], dialect };
        const byKernel = partialOf(text, { ...options, withKernel: true });
        expect(byKernel).toEqual(partialOf(text, { ...options, withKernel: false }));
      }),
      { numRuns: runs(200) },
    );
  });

  test('sums exactly where sums exceed 64 bits', () => {
    const records = ['999999999999999999,-99999999999999.9999,0.5', '-1,-3,9'].map((r) => `${r}\n`);
    const text = (records[0]!.repeat(301) + records[1]!).repeat(20);
    const options = {
      regionBytes: 131_072,
      nullstr: [''],
      positions: [0, 1, 2],
      dialect: RFC_4180,
    };
    const byKernel = partialOf(text, { ...options, withKernel: true });
    expect(byKernel).toEqual(partialOf(text, { ...options, withKernel: false }));
  });

  test('leaves tables that are too wide to the reference', () => {
    const option = { skipBlankLines: 'always' } as const;
    const { kernel } = new StructuralTokenizer(RFC_4180, option, module, RECORDS_MAX);
    expect(createProfileKernel(kernel, 1025, RFC_4180, [''])).toBeNull();
    expect(createProfileKernel(kernel, 1024, RFC_4180, [''])).not.toBeNull();
    expect(createProfileKernel(kernel, 1, RFC_4180, ['a text of 17 bytes'])).toBeNull();
    expect(createProfileKernel(kernel, 1, { ...RFC_4180, escape: '\\' }, [''])).toBeNull();
  });
});
