import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactSums, compareExact, exactMean, exactText } from '../../pipeline/values/exact-sum.ts';
import { formatDecimal } from '../../pipeline/values/format.ts';
import type { DecimalParts } from '../../pipeline/values/number.ts';
import { decimalToDouble, ratioToDouble } from '../../pipeline/values/ratio.ts';
import { runs } from '../support/runs.ts';

const SCALE_MAX = 60;

const mantissa = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(BigInt),
  fc.maxSafeInteger().map(BigInt),
  fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }),
  fc.bigInt({ min: -(10n ** 80n), max: 10n ** 80n }),
);
const scale = fc.oneof(fc.constantFrom(0, 2), fc.nat({ max: 22 }), fc.nat({ max: SCALE_MAX }));
const addend = fc.tuple(
  mantissa,
  scale,
  fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1e6 })),
);

function partsOf(value: bigint, valueScale: number): DecimalParts {
  const small = Number(value);
  return Number.isSafeInteger(small)
    ? { mantissa: small, big: null, scale: valueScale }
    : { mantissa: 0, big: value, scale: valueScale };
}

describe('exact sums', () => {
  test('equal bigint arithmetic for any decimals, multiples and order', () => {
    fc.assert(
      fc.property(fc.array(addend, { maxLength: 80 }), (addends) => {
        const sums = new ExactSums();
        sums.reserve(3);
        let expected = 0n;
        for (const [value, valueScale, times] of addends) {
          sums.add(1, partsOf(value, valueScale), times);
          expected += value * BigInt(times) * 10n ** BigInt(SCALE_MAX - valueScale);
        }
        expect(exactText(sums.total(1))).toBe(formatDecimal(expected, SCALE_MAX));
        const backwards = new ExactSums();
        backwards.reserve(2);
        for (const [value, valueScale, times] of addends.toReversed()) {
          backwards.addExact(1, value * BigInt(times), valueScale);
        }
        expect(backwards.total(1)).toEqual(sums.total(1));
        expect(sums.total(0)).toEqual({ mantissa: 0n, scale: 0 });
      }),
      { numRuns: runs(1000) },
    );
  });

  test('stay exact over a million values near 2^53', () => {
    const sums = new ExactSums();
    sums.reserve(1);
    const parts = { mantissa: Number.MAX_SAFE_INTEGER, big: null, scale: 3 };
    for (let i = 0; i < 1_000_000; i++) sums.add(0, parts);
    expect(sums.total(0)).toEqual({ mantissa: (2n ** 53n - 1n) * 1000n, scale: 0 });
  });

  test('compare by value', () => {
    fc.assert(
      fc.property(mantissa, scale, mantissa, scale, (a, aScale, b, bScale) => {
        const difference = a * 10n ** BigInt(bScale) - b * 10n ** BigInt(aScale);
        const expected = difference < 0n ? -1 : difference > 0n ? 1 : 0;
        expect(compareExact({ mantissa: a, scale: aScale }, { mantissa: b, scale: bScale })).toBe(
          expected,
        );
      }),
    );
  });
});

describe('doubles of fractions', () => {
  test('round once just above the subnormals too', () => {
    const value = 451729302765416344645226438751075894685n;
    expect(decimalToDouble(value, 346)).toBe(4.517293027654164e-308);
    expect(decimalToDouble(-value, 346)).toBe(-4.517293027654164e-308);
  });

  test('are those that Number() reads from the decimal text, subnormals and overflow included', () => {
    const digits = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
    fc.assert(
      fc.property(digits, fc.nat({ max: 400 }), (value, power) => {
        expect(decimalToDouble(value, power)).toBe(Number(`${value}e-${power}`) + 0);
        expect(ratioToDouble(value * 10n ** BigInt(power), 1n)).toBe(
          Number(`${value}e${power}`) + 0,
        );
      }),
      { numRuns: runs(5000) },
    );
  });

  test('are those of the division where both sides are exact doubles', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1 }), (value, count) => {
        expect(ratioToDouble(BigInt(value), BigInt(count))).toBe(value / count + 0);
        expect(exactMean({ mantissa: BigInt(value), scale: 0 }, count)).toBe(value / count + 0);
      }),
      { numRuns: runs(5000) },
    );
  });

  test('round ties to even at the least subnormal', () => {
    expect(ratioToDouble(1n, 2n ** 1075n)).toBe(0);
    expect(ratioToDouble(3n, 2n ** 1075n)).toBe(2 * Number.MIN_VALUE);
    expect(ratioToDouble(2n ** 1074n + 1n, 2n ** 2149n)).toBe(Number.MIN_VALUE);
    expect(ratioToDouble(2n ** 54n - 1n, 2n ** 1076n)).toBe(2 ** -1022);
  });
});
