import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { mergeProfiles } from '../../pipeline/profile/merge-profiles.ts';
import { ProfileAccumulator } from '../../pipeline/profile/profile-accumulator.ts';
import type { Column, ColumnProfile } from '../../pipeline/protocol/job.ts';
import { encodePartial, PartialMerger } from '../../pipeline/result/partial.ts';
import { exactOf } from '../../pipeline/values/exact-sum.ts';
import { formatDecimal } from '../../pipeline/values/format.ts';
import { parseDecimal, type DecimalParts } from '../../pipeline/values/number.ts';
import { decimalToDouble } from '../../pipeline/values/ratio.ts';
import { ValueKind, valueKind } from '../../pipeline/values/value-kind.ts';
import { batchOf, csvOf } from '../support/batch-of.ts';
import { runs } from '../support/runs.ts';

const COLUMNS: Column[] = ['mixed', 'number', 'text'].map((name) => ({ name, type: 'string' }));

const numberText = fc.oneof(
  fc.integer().map(String),
  fc.integer({ min: 0, max: 9 }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.stringMatching(/^-?[1-9][0-9]{0,20}\.[0-9]{1,20}$/),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
);
const text = fc.string({ unit: 'binary', maxLength: 24 });
const time = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());
const mixed = fc.oneof(
  numberText,
  text,
  time,
  fc.constantFrom('true', 'FALSE', '2024-02-29', '007'),
);
const record = fc.tuple(fc.option(mixed), fc.option(numberText), fc.option(text));
const chunked = fc.array(fc.tuple(record, fc.nat({ max: 3 })), { maxLength: 60 });

type Records = readonly (readonly (string | null)[])[];

function partialOf(records: Records): Uint8Array {
  const accumulator = new ProfileAccumulator({
    columns: COLUMNS,
    dialect: RFC_4180,
    nullstr: [''],
    tellsEmpty: false,
  });
  const half = Math.floor(records.length / 2);
  accumulator.add(batchOf(csvOf(records.slice(0, half))));
  accumulator.add(batchOf(csvOf(records.slice(half))));
  return accumulator.toPartial();
}

function profileOf(records: Records): ColumnProfile[] {
  const merger = new PartialMerger();
  merger.add(encodePartial({ profile: partialOf(records) }));
  expect(merger.profiledRecords).toBe(records.length);
  return merger.profile()!;
}

describe('profiles', () => {
  test('of any chunking, merged in any order and grouping, are byte for byte that of the whole', () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    fc.assert(
      fc.property(chunked, order, (records, chunkOrder) => {
        const whole = partialOf(records.map(([fields]) => fields));
        const [first, second, third, fourth] = chunkOrder.map((chunk) =>
          partialOf(records.filter(([, home]) => home === chunk).map(([fields]) => fields)),
        );
        expect(mergeProfiles([first!, second!, third!, fourth!])).toEqual(whole);
        const left = mergeProfiles([first!, second!]);
        const right = mergeProfiles([fourth!, third!]);
        expect(mergeProfiles([right, left])).toEqual(whole);
      }),
      { numRuns: runs(100) },
    );
  });

  test('agree with a plain count of the same cells', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        profileOf(records).forEach((profile, column) => {
          const cells = records.map((fields) => fields[column] ?? '').filter((cell) => cell !== '');
          expect(profile.count).toBe(records.length);
          expect([profile.nulls, profile.empty]).toEqual([records.length - cells.length, 0]);
          const lengths = cells.map((cell) => [...cell].length);
          expect(profile.lengthMin).toBe(cells.length === 0 ? 0 : Math.min(...lengths));
          expect(profile.lengthMax).toBe(Math.max(0, ...lengths));
          // Few values share a register of 16,384: three pairs of 60 values in 5,000 tables.
          expect(Math.abs(profile.distinctEstimate - new Set(cells).size)).toBeLessThan(4);
          expectNumbers(profile, cells);
          if (profile.inferredType !== 'string') return;
          const sorted = cells.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect([profile.min, profile.max]).toEqual([sorted[0] ?? null, sorted.at(-1) ?? null]);
        });
      }),
      { numRuns: runs(200) },
    );
  });

  test('stay exact when values repeat thousands of times and when none does', () => {
    const repeated = Array.from({ length: 20_000 }, (_, i) => [
      `${i % 7}.5`,
      '9007199254740991',
      'x',
    ]);
    const [mixedProfile, numberProfile] = profileOf(repeated);
    expect(mixedProfile).toMatchObject({ count: 20_000, min: '0.5', max: '6.5' });
    const sum = repeated.reduce((total, [cell]) => total + Number(cell), 0);
    expect(mixedProfile!.mean).toBe(sum / 20_000);
    expect(numberProfile!.mean).toBe(9007199254740991);
    const distinct = Array.from({ length: 20_000 }, (_, i) => [String(i), `${i}.25`, `id ${i}`]);
    const [ids, quarters, texts] = profileOf(distinct);
    expect(ids).toMatchObject({ inferredType: 'integer', min: '0', max: '19999', mean: 9999.5 });
    expect(quarters).toMatchObject({ inferredType: 'number', max: '19999.25', mean: 9999.75 });
    expect(texts!.typeShares).toEqual({ string: 1 });
  });
});

/** Bounds and mean of a column of numbers, by bigint arithmetic. */
function expectNumbers(profile: ColumnProfile, cells: readonly string[]): void {
  const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  const scale = 400;
  const numbers = cells.flatMap((cell) => {
    const bytes = new TextEncoder().encode(cell);
    const kind = valueKind(bytes, 0, bytes.length);
    if (kind !== ValueKind.integer && kind !== ValueKind.number) return [];
    parseDecimal(bytes, 0, bytes.length, parts);
    const exact = exactOf(parts);
    return [exact.mantissa * 10n ** BigInt(scale - exact.scale)];
  });
  if (numbers.length === 0) {
    expect(profile.mean).toBeNull();
    return;
  }
  const sum = numbers.reduce((total, value) => total + value, 0n);
  expect(profile.mean).toBe(decimalToDouble(sum, scale, BigInt(numbers.length)));
  if (profile.inferredType !== 'integer' && profile.inferredType !== 'number') return;
  const sorted = numbers.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  expect(profile.min).toBe(formatDecimal(sorted[0]!, scale));
  expect(profile.max).toBe(formatDecimal(sorted.at(-1)!, scale));
}
