import { ofDoubles, ofIntegers, OVERFLOW, perRecord, ValueFault, type Kernel } from './kernel.ts';

const NEGATIVE_ROOT = new ValueFault('There is no square root of a negative number');
const LOGARITHM_OF_ZERO = new ValueFault('There is no logarithm of zero');
const NEGATIVE_LOGARITHM = new ValueFault('There is no logarithm of a negative number');

const INT64_MIN = -(2n ** 63n);

/** Arithmetic and functions of numbers, by signature. */
export const NUMBER_KERNELS: Readonly<Record<string, Kernel>> = {
  '+(integer, integer)': ofIntegers(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  '-(integer, integer)': ofIntegers(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  '*(integer, integer)': ofIntegers(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '//(integer, integer)': ofIntegers(
    (a, b) => (b === 0 ? null : (a - (a % b)) / b),
    (a, b) => (b === 0n ? null : a / b),
  ),
  '%(integer, integer)': ofIntegers(
    (a, b) => (b === 0 ? null : a % b),
    (a, b) => (b === 0n ? null : b === -1n && a === INT64_MIN ? OVERFLOW : a % b),
  ),
  '+(number, number)': ofDoubles((a, b) => a + b),
  '-(number, number)': ofDoubles((a, b) => a - b),
  '*(number, number)': ofDoubles((a, b) => a * b),
  '/(number, number)': ofDoubles((a, b) => a / b),
  '%(number, number)': ofDoubles((a, b) => a % b),
  'negate(integer)': ofIntegers(
    (a) => -a,
    (a) => -a,
  ),
  'negate(number)': ofDoubles((a) => -a),
  'abs(integer)': ofIntegers(
    (a) => Math.abs(a),
    (a) => (a < 0n ? -a : a),
  ),
  'abs(number)': ofDoubles((a) => Math.abs(a)),
  'round(integer)': ofIntegers(
    (a) => a,
    (a) => a,
  ),
  'round(number)': ofDoubles(roundHalfAway),
  'round(integer, integer)': perRecord(roundInteger),
  'round(number, integer)': ofDoubles(roundTo),
  'floor(number)': ofDoubles((a) => Math.floor(a)),
  'ceil(number)': ofDoubles((a) => Math.ceil(a)),
  'sign(number)': ofDoubles((a) => (a > 0 ? 1 : a < 0 ? -1 : 0)),
  'sqrt(number)': ofDoubles((a) => (a < 0 ? NEGATIVE_ROOT : Math.sqrt(a))),
  'power(number, number)': ofDoubles((a, b) => power(a, b)),
  'exp(number)': ofDoubles((a) => Math.exp(a)),
  'ln(number)': ofDoubles((a) => logarithm(a, Math.log)),
  'log10(number)': ofDoubles((a) => logarithm(a, Math.log10)),
};

/** C's pow: 1 to any power is 1, which JavaScript denies for infinity and NaN. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

function logarithm(value: number, log: (value: number) => number): number | ValueFault {
  if (value === 0) return LOGARITHM_OF_ZERO;
  return value < 0 ? NEGATIVE_LOGARITHM : log(value);
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

/** As DuckDB: scaled, rounded and scaled back; a value that cannot be scaled stays. */
function roundTo(value: number, digits: number): number {
  const scale = 10 ** Math.abs(digits);
  const rounded =
    digits < 0 ? roundHalfAway(value / scale) * scale : roundHalfAway(value * scale) / scale;
  if (Number.isFinite(rounded)) return rounded;
  return digits < 0 ? 0 : value;
}

function roundInteger(value: number | bigint, digits: number | bigint): bigint | ValueFault {
  const exact = BigInt(value);
  if (digits >= 0) return exact;
  if (digits < -19) return 0n;
  const unit = 10n ** BigInt(-Number(digits));
  const half = exact < 0n ? -unit / 2n : unit / 2n;
  const rounded = ((exact + half) / unit) * unit;
  return BigInt.asIntN(64, rounded) === rounded ? rounded : OVERFLOW;
}
