// Canonical texts of numbers, as pipeline/values/format.ts has them.

/** More than a text and what stands around it take. */
export const DECIMAL_BYTES_MAX: u32 = 40;
/** A decimal of up to fifteen digits is the shortest text of its double. */
const SHORT_MAX: i64 = 999_999_999_999_999;
/** Values below 10^-4 have an exponent. */
const LEADING_ZEROS_MAX: i32 = 3;
const ZERO: u8 = 0x30;
const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;

/** Digits, from the last on; what is before and behind them is read too. */
const DIGITS: usize = memory.data(64);
const DIGITS_END: usize = DIGITS + 32;
const DIGITS_MAX: u32 = 32;

/** Of the double nearest to mantissa / 10^scale: `-1.5`, `10.0`. Returns where it ends, or 0 where the
 *  double has another text than the decimal, or none without an exponent. */
export function decimalText(at: usize, mantissa: i64, scale: u32): usize {
  if (mantissa > SHORT_MAX || mantissa < -SHORT_MAX) return 0;
  return digitsText(at, mantissa, scale);
}

/** Of mantissa / 10^scale as it is; 0 where there is none without an exponent. */
export function digitsText(at: usize, mantissa: i64, scale: u32): usize {
  if (mantissa < 0) store<u8>(at++, MINUS);
  let value = u64(mantissa < 0 ? -mantissa : mantissa);
  if (value == 0) scale = 0;
  for (; scale > 0 && endsInZero(value); scale--) value /= 10;
  const significant = writeDigits(value);
  if (i32(scale) - i32(significant) > LEADING_ZEROS_MAX || scale >= DIGITS_MAX) return 0;
  let digits = significant;
  while (digits <= scale) store<u8>(DIGITS_END - ++digits, ZERO);
  at = copyDigits(at, DIGITS_END - digits, digits - scale);
  store<u8>(at++, DOT);
  if (scale != 0) return copyDigits(at, DIGITS_END - scale, scale);
  store<u8>(at, ZERO);
  return at + 1;
}

/** Of a whole number. */
export function integerText(at: usize, value: i64): usize {
  if (value < 0) store<u8>(at++, MINUS);
  let digits = writeDigits(value < 0 ? 0 - u64(value) : u64(value));
  if (digits == 0) store<u8>(DIGITS_END - ++digits, ZERO);
  return copyDigits(at, DIGITS_END - digits, digits);
}

/** Numbers of 32 bits are divided much faster. */
@inline
function endsInZero(value: u64): bool {
  return value <= u64(u32.MAX_VALUE) ? u32(value) % 10 == 0 : value % 10 == 0;
}

/** Writes the digits before `DIGITS_END`, none of 0; returns how many. */
@inline
function writeDigits(value: u64): u32 {
  let digits: u32 = 0;
  for (; value > u64(u32.MAX_VALUE); value /= 10) store<u8>(DIGITS_END - ++digits, ZERO + u8(value % 10));
  for (let small = u32(value); small != 0; small /= 10) {
    store<u8>(DIGITS_END - ++digits, ZERO + u8(small % 10));
  }
  return digits;
}

/** Up to 32 digits; sixteen bytes at a time. */
@inline
function copyDigits(at: usize, from: usize, digits: u32): usize {
  v128.store(at, v128.load(from));
  if (digits > 16) v128.store(at, v128.load(from, 16), 16);
  return at + digits;
}
