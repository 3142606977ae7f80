/**
 * Casts from text to numbers, in DuckDB's grammar: blanks around, a sign, leading zeros, `.5`, `5.`,
 * an exponent of up to three digits. No infinity, no NaN, no hexadecimal, no underscores. Nothing is
 * allocated for numbers of up to 15 digits.
 */

/** A longer field is no number: bounds the work that hostile digits can cause. */
export const NUMBER_BYTES_MAX = 1024;

/** An exact decimal: `mantissa / 10^scale`, or `big / 10^scale` when the mantissa is not safe. */
export interface DecimalParts {
  mantissa: number;
  big: bigint | null;
  /** At least 0. */
  scale: number;
}

/** What one look at the text found: `(-1)^negative * mantissa * 10^exponent`. */
interface NumberScan {
  negative: boolean;
  /** Wrong when `long`. */
  mantissa: number;
  /** The mantissa's digits exceed 2^53. */
  long: boolean;
  /** When `long`: the digits after those in `mantissa`, and how many; wrong beyond 15. */
  low: number;
  lowDigits: number;
  exponent: number;
  /** The text without blanks around and without sign. */
  start: number;
  end: number;
  /** One past the last digit or dot, where the exponent would be. */
  digitsEnd: number;
}

const scan: NumberScan = {
  negative: false,
  mantissa: 0,
  long: false,
  low: 0,
  lowDigits: 0,
  exponent: 0,
  start: 0,
  end: 0,
  digitsEnd: 0,
};

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const POWERS_OF_TEN_BIG = Array.from({ length: 16 }, (_, power) => 10n ** BigInt(power));
/** 10 times this plus 9 is below 2^53. */
const MANTISSA_STEP_MAX = 900_719_925_474_098;
const EXPONENT_MAX = 999;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The nearest double, ties to even; NaN when the text is no number or beyond the doubles. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  if (!scanNumber(bytes, start, end)) return NaN;
  const { mantissa, exponent, negative } = scan;
  if (!scan.long && exponent >= -22 && exponent <= 22) {
    const value =
      exponent < 0 ? mantissa / POWERS_OF_TEN[-exponent]! : mantissa * POWERS_OF_TEN[exponent]!;
    return negative ? -value : value;
  }
  const value = Number(latin1(bytes, scan.start, scan.end));
  if (value === Infinity) return NaN;
  return negative ? -value : value;
}

/** The exact value into `out`; false when the text does not cast to a finite double. */
export function parseDecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: DecimalParts,
): boolean {
  if (!scanNumber(bytes, start, end)) return false;
  if (!scan.long && scan.exponent <= 0) {
    out.mantissa = scan.negative ? 0 - scan.mantissa : scan.mantissa;
    out.big = null;
    out.scale = -scan.exponent;
    return true;
  }
  return decimalFromScan(bytes, out);
}

/** The exact value as a 64-bit integer: a number when safe, else a bigint; null when the text is no
 *  number, has a fraction, or lies beyond 64 bits. */
export function parseInteger(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | bigint | null {
  if (!scanNumber(bytes, start, end)) return null;
  if (!scan.long && scan.exponent === 0) return scan.negative ? 0 - scan.mantissa : scan.mantissa;
  const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  if (!decimalFromScan(bytes, parts)) return null;
  const exact = parts.big ?? BigInt(parts.mantissa);
  const unit = 10n ** BigInt(parts.scale);
  if (exact % unit !== 0n) return null;
  const value = exact / unit;
  if (value < INT64_MIN || value > INT64_MAX) return null;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Builds the exact value from `scan`, in the rare cases: long mantissas and positive exponents. */
function decimalFromScan(bytes: Uint8Array, out: DecimalParts): boolean {
  if (isPastDoubles(bytes)) return false;
  let exact = exactMantissa(bytes);
  let scale = -scan.exponent;
  if (exact === 0n) scale = Math.max(0, scale);
  if (scale < 0) {
    exact *= 10n ** BigInt(-scale);
    scale = 0;
  }
  if (scan.negative) exact = -exact;
  const small = Number(exact);
  const safe = Number.isSafeInteger(small);
  out.mantissa = safe ? small : 0;
  out.big = safe ? null : exact;
  out.scale = scale;
  return true;
}

function exactMantissa(bytes: Uint8Array): bigint {
  if (!scan.long) return BigInt(scan.mantissa);
  if (scan.lowDigits <= 15) {
    return BigInt(scan.mantissa) * POWERS_OF_TEN_BIG[scan.lowDigits]! + BigInt(scan.low);
  }
  return BigInt(latin1(bytes, scan.start, scan.digitsEnd).replace('.', ''));
}

/** Whether the number is too great for a double. Below 10^300 it cannot be. */
function isPastDoubles(bytes: Uint8Array): boolean {
  if (scan.digitsEnd - scan.start + scan.exponent < 300) return false;
  return Number(latin1(bytes, scan.start, scan.end)) === Infinity;
}

/** Fills `scan` from the text; false when it is no number. */
function scanNumber(bytes: Uint8Array, from: number, to: number): boolean {
  let start = from;
  let end = to;
  while (start < end && isBlank(bytes[start]!)) start++;
  while (end > start && isBlank(bytes[end - 1]!)) end--;
  scan.negative = false;
  if (start < end && (bytes[start] === 0x2d || bytes[start] === 0x2b)) {
    scan.negative = bytes[start] === 0x2d;
    start++;
  }
  if (end - start > NUMBER_BYTES_MAX) return false;
  let mantissa = 0;
  let low = 0;
  let lowDigits = 0;
  let dot = -1;
  let i = start;
  for (; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      if (mantissa > MANTISSA_STEP_MAX) {
        low = low * 10 + digit;
        lowDigits++;
      } else mantissa = mantissa * 10 + digit;
    } else if (digit === -2 && dot < 0) {
      dot = i;
    } else break;
  }
  if (i - start - (dot < 0 ? 0 : 1) === 0) return false;
  scan.start = start;
  scan.end = end;
  scan.digitsEnd = i;
  scan.mantissa = mantissa;
  scan.long = lowDigits > 0;
  scan.low = low;
  scan.lowDigits = lowDigits;
  const fraction = dot < 0 ? 0 : i - dot - 1;
  if (i === end) {
    scan.exponent = -fraction;
    return true;
  }
  const exponent = scanExponent(bytes, i, end);
  scan.exponent = exponent - fraction;
  return exponent <= EXPONENT_MAX;
}

/** Value of `[eE][+-]?[0-9]{1,3}`, or more than EXPONENT_MAX when it is none. */
function scanExponent(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  if ((bytes[i++]! | 0x20) !== 0x65) return Infinity;
  const negative = bytes[i] === 0x2d;
  if (i < end && (negative || bytes[i] === 0x2b)) i++;
  if (end - i < 1 || end - i > 3) return Infinity;
  let exponent = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return Infinity;
    exponent = exponent * 10 + digit;
  }
  return negative ? -exponent : exponent;
}

/** White space of ASCII. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
