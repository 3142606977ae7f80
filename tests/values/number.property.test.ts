import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseDecimal,
  parseDouble,
  parseInteger,
  type DecimalParts,
} from '../../pipeline/values/number.ts';
import { ValueKind, valueKind } from '../../pipeline/values/value-kind.ts';
import { runs } from '../support/runs.ts';

const NUMBER_GRAMMAR = /^[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?[ \t]*$/;
const INTEGER_KIND = /^-?(0|[1-9][0-9]*)$/;
const NUMBER_KIND = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$/;

const numberLike = fc.oneof(
  fc.stringMatching(/^ ?[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,4})? ?$/),
  fc.stringMatching(/^[-+.eE0-9 ]{0,8}$/),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
);

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(`7${text}7`);
}

function doubleOf(text: string): number {
  return parseDouble(bytesOf(text), 1, text.length + 1);
}

function expectedDouble(text: string): number {
  const value = NUMBER_GRAMMAR.test(text) ? Number(text.trim()) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

/** Reference: the decimal as a fraction of two bigints. */
function fractionOf(text: string): { numerator: bigint; scale: bigint } {
  const [digits = '', exponent = '0'] = text.trim().toLowerCase().split('e');
  const [whole = '', fraction = ''] = digits.replace('+', '').split('.');
  const negative = whole.startsWith('-');
  const magnitude = BigInt(`${whole.replace('-', '')}${fraction}` || '0');
  return {
    numerator: negative ? -magnitude : magnitude,
    scale: BigInt(fraction.length) - BigInt(exponent),
  };
}

describe('casts to numbers', () => {
  test('parseDouble agrees with Number() on every text of the grammar and refuses the rest', () => {
    fc.assert(
      fc.property(numberLike, (text) => {
        expect(doubleOf(text)).toBe(expectedDouble(text));
      }),
      { numRuns: runs(20_000) },
    );
  });

  test('parseDouble reads back every double from its shortest text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(doubleOf(Object.is(value, -0) ? '-0' : String(value))).toBe(value);
      }),
      { numRuns: runs(20_000) },
    );
  });

  test('parseDecimal is exact where parseDouble casts, and refuses where it does not', () => {
    const out: DecimalParts = { mantissa: 0, big: null, scale: 0 };
    fc.assert(
      fc.property(numberLike, (text) => {
        const cast = parseDecimal(bytesOf(text), 1, text.length + 1, out);
        expect(cast).toBe(!Number.isNaN(doubleOf(text)));
        if (!cast) return;
        const expected = fractionOf(text);
        const mantissa = out.big ?? BigInt(out.mantissa);
        const scale = BigInt(out.scale);
        expect(out.scale).toBeGreaterThanOrEqual(0);
        expect(Number.isSafeInteger(out.mantissa)).toBe(true);
        const common = scale > expected.scale ? scale : expected.scale;
        expect(mantissa * 10n ** (common - scale)).toBe(
          expected.numerator * 10n ** (common - expected.scale),
        );
      }),
      { numRuns: runs(20_000) },
    );
  });

  test('parseInteger takes every 64-bit integer exactly, and no fraction', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }), (value) => {
        const text = String(value);
        const fits = value >= -(2n ** 63n) && value < 2n ** 63n;
        const parsed = parseInteger(bytesOf(text), 1, text.length + 1);
        expect(parsed === null ? null : BigInt(parsed)).toBe(fits ? value : null);
        expect(typeof parsed === 'bigint').toBe(fits && !Number.isSafeInteger(Number(value)));
      }),
    );
    const integer = (text: string) => parseInteger(bytesOf(text), 1, text.length + 1);
    expect(['1.0', '5.', '1e3', '1.5e1', '+07', ' 8 '].map(integer)).toEqual([
      1, 5, 1000, 15, 7, 8,
    ]);
    expect(['1.5', '1e-1', '', '-', '.', '0x10', '1_0', 'e5'].map(integer)).toEqual(
      Array.from({ length: 8 }, () => null),
    );
  });
});

describe('kinds of numbers', () => {
  test('valueKind follows the strict grammar', () => {
    fc.assert(
      fc.property(numberLike, (text) => {
        expect(valueKind(bytesOf(text), 1, text.length + 1)).toBe(expectedKind(text));
      }),
      { numRuns: runs(20_000) },
    );
  });

  test('what is an integer or a number by kind casts as one', () => {
    fc.assert(
      fc.property(numberLike, (text) => {
        const kind = valueKind(bytesOf(text), 1, text.length + 1);
        if (kind === ValueKind.integer) {
          expect(BigInt(parseInteger(bytesOf(text), 1, text.length + 1)!)).toBe(BigInt(text));
        } else if (kind === ValueKind.number) expect(doubleOf(text)).not.toBeNaN();
      }),
    );
  });
});

function expectedKind(text: string): ValueKind {
  if (text === '') return ValueKind.empty;
  if (INTEGER_KIND.test(text) && text !== '-0') {
    const value = BigInt(text);
    return value >= -(2n ** 63n) && value < 2n ** 63n ? ValueKind.integer : ValueKind.string;
  }
  const isNumber = NUMBER_KIND.test(text) && Number.isFinite(Number(text));
  return isNumber ? ValueKind.number : ValueKind.string;
}
