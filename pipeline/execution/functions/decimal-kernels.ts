import { parseDecimal, type DecimalParts } from '../../values/number.ts';
import { formatFixed } from '../../values/format.ts';
import { decimalToDouble } from '../../values/ratio.ts';
import type { ValueVector } from '../vectors.ts';
import { ofIntegers, perRecord, ValueFault, type Kernel, type Scalar } from './kernel.ts';

/** Whole numbers of up to 38 digits, as DuckDB's DECIMAL has them. */
const DIGITS_MAX = 38;
const LIMIT = 10n ** BigInt(DIGITS_MAX);
const TOO_LONG = new ValueFault(`The result has more than ${String(DIGITS_MAX)} digits`);
const RANGE = { min: 1n - LIMIT, max: LIMIT - 1n, fault: TOO_LONG };
const POWERS_OF_TEN = Float64Array.from({ length: 39 }, (_, power) => Number(`1e${power}`));
/** 10 to this is a double. */
const EXACT_POWER_MAX = 22;
const ROUNDS_UP = 1e-9;

/** Functions of exact decimals, see plan/expression/bind-decimal.ts: these have no names. */
export const DECIMAL_KERNELS: Readonly<Record<string, Kernel>> = {
  'decimal +(integer, integer)': ofIntegers(
    (a, b) => a + b,
    (a, b) => a + b,
    RANGE,
  ),
  'decimal -(integer, integer)': ofIntegers(
    (a, b) => a - b,
    (a, b) => a - b,
    RANGE,
  ),
  'decimal *(integer, integer)': ofIntegers(
    (a, b) => a * b,
    (a, b) => a * b,
    RANGE,
  ),
  'decimal %(integer, integer)': ofIntegers(
    (a, b) => (b === 0 ? null : a % b),
    (a, b) => (b === 0n ? null : a % b),
    RANGE,
  ),
  'decimal negate(integer)': ofIntegers(
    (a) => -a,
    (a) => -a,
    RANGE,
  ),
  'decimal abs(integer)': ofIntegers(
    (a) => Math.abs(a),
    (a) => (a < 0n ? -a : a),
    RANGE,
  ),
  'decimal round(integer, integer)': divided((sign, isHalf) => (isHalf ? sign : 0)),
  'decimal floor(integer, integer)': divided((sign) => (sign < 0 ? -1 : 0)),
  'decimal ceil(integer, integer)': divided((sign) => (sign > 0 ? 1 : 0)),
  'decimal integer(integer)': perRecord((value: number | bigint) => BigInt(value)),
  'decimal text(integer, integer)': perRecord((value: number | bigint, scale: number) =>
    formatFixed(BigInt(value), scale),
  ),
  'from decimal(integer, integer)': fromDecimal,
  ...casts('to decimal', (fault) => fault),
  ...casts('try decimal', () => null),
};

/** The value without its last digits; `adjust` says what to add by the sign of what is cut off, and
 *  whether it is half a unit or more. */
function divided(adjust: (sign: number, isHalf: boolean) => number): Kernel {
  return ofIntegers(
    (value, digits) => {
      const unit = POWERS_OF_TEN[digits] ?? Infinity;
      const rest = value % unit;
      return (value - rest) / unit + adjust(Math.sign(rest), Math.abs(rest) * 2 >= unit);
    },
    (value, digits) => {
      const unit = 10n ** digits;
      const rest = value % unit;
      const isHalf = (rest < 0n ? -rest : rest) * 2n >= unit;
      return (value - rest) / unit + BigInt(adjust(rest < 0n ? -1 : rest > 0n ? 1 : 0, isHalf));
    },
    RANGE,
  );
}

function fromDecimal(
  args: Parameters<Kernel>[0],
  records: Uint32Array,
  count: number,
  out: Parameters<Kernel>[3],
): void {
  const value = args[0] as ValueVector;
  const scales = (args[1] as ValueVector).values;
  const { values, valid } = out as ValueVector;
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    const scale = scales[record]!;
    valid[record] = 1;
    // Both are exact as doubles, so that their quotient is rounded once.
    const isPlain = scale <= EXACT_POWER_MAX && !value.exact.has(record);
    values[record] = isPlain
      ? value.values[record]! / POWERS_OF_TEN[scale]! + 0
      : decimalToDouble(value.exactAt(record), scale);
  }
}

type Cast = (value: Scalar, scale: number) => bigint | null;

/** Kernels of casts to DECIMAL from every type that has one. */
function casts(name: string, onFault: (fault: ValueFault) => ValueFault | null) {
  const cast = (unscaledOf: Cast): Kernel =>
    perRecord((value: Scalar, precision: number, scale: number) => {
      const unscaled = unscaledOf(value, scale);
      const limit = 10n ** BigInt(precision);
      if (unscaled !== null && unscaled < limit && unscaled > -limit) return unscaled;
      const shown = JSON.stringify(String(value).slice(0, 100));
      const type = `decimal(${String(precision)}, ${String(scale)})`;
      return onFault(new ValueFault(`Value ${shown} is not a ${type}`, 'type-error'));
    }, RANGE);
  return {
    [`${name}(string, integer, integer)`]: cast((value, scale) => ofText(value as string, scale)),
    [`${name}(integer, integer, integer)`]: cast(ofInteger),
    [`${name}(boolean, integer, integer)`]: cast(ofInteger),
    [`${name}(number, integer, integer)`]: cast((value, scale) => ofDouble(value as number, scale)),
  };
}

function ofInteger(value: Scalar, scale: number): bigint {
  return BigInt(value) * 10n ** BigInt(scale);
}

/** Of a text every digit counts. */
function ofText(text: string, scale: number): bigint | null {
  const bytes = new TextEncoder().encode(text);
  const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  if (!parseDecimal(bytes, 0, bytes.length, parts)) return null;
  const mantissa = parts.big ?? BigInt(parts.mantissa);
  if (parts.scale <= scale) return mantissa * 10n ** BigInt(scale - parts.scale);
  const unit = 10n ** BigInt(parts.scale - scale);
  return (mantissa + (mantissa < 0n ? -unit / 2n : unit / 2n)) / unit;
}

/** As DuckDB: what lies next to a half counts as more than it, and a half goes to the even. */
function ofDouble(value: number, scale: number): bigint | null {
  const scaled = value * POWERS_OF_TEN[scale]! + Math.sign(value) * ROUNDS_UP;
  if (!Number.isFinite(scaled)) return null;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  return BigInt(rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below);
}
