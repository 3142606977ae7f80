// Integers and decimals in the strict grammar of pipeline/values/value-kind.ts:
// -?(0|[1-9][0-9]*)(\.[0-9]+)?. Exponents and more than eighteen digits are deferred.
import { loadPadded } from './blocks';
import { DEFERRED, DIGITS_MAX, INTEGER, NUMBER, STRING } from './column-state';

const ZERO: u8 = 0x30;
const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;

/** What a scan found, when it is a number: `mantissa / 10^scale`. */
export let mantissa: i64 = 0;
export let scale: u32 = 0;

/** Kind of a text of at least one byte that may be anything. A lone digit needs no search. */
@inline
export function scanNumber(p: usize, length: u32): u32 {
  if (length == 1) {
    scale = 0;
    mantissa = i64(load<u8>(p)) - ZERO;
    return u64(mantissa) < 10 ? INTEGER : STRING;
  }
  return length <= 16 ? scanShortNumber(p, length, loadPadded(p, length)) : scanLongNumber(p, length);
}

/** Kind of a text of at most sixteen bytes that begins with a digit or a minus; `block` holds it
 *  zero-padded, and it stands at p. */
@inline
export function scanShortNumber(p: usize, length: u32, block: v128): u32 {
  const isNegative = load<u8>(p) == MINUS;
  const sign = u32(isNegative);
  const values = i8x16.sub(block, i8x16.splat(ZERO));
  const isDigit = i8x16.lt_u(values, i8x16.splat(10));
  const others = ~u32(i8x16.bitmask(isDigit)) & (((1 << length) - 1) ^ sign);
  const digits = v128.and(values, isDigit);
  if (others == 0) {
    if (length == sign || hasLeadingZero(p + sign, length - sign)) return STRING;
    scale = 0;
    return endInteger(alignedValue(digits, length, 0), isNegative);
  }
  const at = u32(ctz(others));
  if (at == sign || hasLeadingZero(p + sign, at - sign)) return STRING;
  const more = others & (others - 1);
  if (load<u8>(p + at) != DOT) return endAt(p + at);
  if (at + 1 == length) return STRING;
  if (more != 0) return u32(ctz(more)) == at + 1 ? STRING : endAt(p + ctz(more));
  scale = length - 1 - at;
  const value = alignedValue(digits, length, 16 - scale);
  mantissa = isNegative ? -value : value;
  return NUMBER;
}

/** The same for longer texts. */
export function scanLongNumber(p: usize, length: u32): u32 {
  const isNegative = load<u8>(p) == MINUS;
  const sign = u32(isNegative);
  let value: i64 = 0;
  let at = sign;
  let digit: u32 = 0;
  for (; at < length; at++) {
    digit = u32(load<u8>(p + at)) - ZERO;
    if (digit > 9) break;
    if (at - sign == DIGITS_MAX) return DEFERRED;
    value = value * 10 + i64(digit);
  }
  const whole = at - sign;
  if (whole == 0 || hasLeadingZero(p + sign, whole)) return STRING;
  scale = 0;
  if (at == length) return endInteger(value, isNegative);
  if (load<u8>(p + at) != DOT) return endAt(p + at);
  const fraction = ++at;
  for (; at < length; at++) {
    digit = u32(load<u8>(p + at)) - ZERO;
    if (digit > 9) break;
    if (whole + at - fraction == DIGITS_MAX) return DEFERRED;
    value = value * 10 + i64(digit);
  }
  if (at == fraction) return STRING;
  if (at < length) return endAt(p + at);
  scale = at - fraction;
  mantissa = isNegative ? -value : value;
  return NUMBER;
}

/** What a byte behind digits makes of the text: only an exponent may still be a number. */
@inline
function endAt(p: usize): u32 {
  return (load<u8>(p) | 0x20) == 0x65 ? DEFERRED : STRING;
}

/** `-0` is a number that is no integer. */
@inline
function endInteger(value: i64, isNegative: bool): u32 {
  mantissa = isNegative ? -value : value;
  return isNegative && value == 0 ? NUMBER : INTEGER;
}

@inline
function hasLeadingZero(p: usize, digitCount: u32): bool {
  // How many digits there are is hard to foresee: no branch on it.
  return bool(u32(digitCount > 1) & u32(load<u8>(p) == ZERO));
}

/** Value of the digits among `length` bytes, in which all else is 0. They are moved to the block's
 *  end; those before lane `dotEnd` by one lane more, over the dot. */
@inline
function alignedValue(digits: v128, length: u32, dotEnd: u32): i64 {
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const skip = i8x16.lt_s(lanes, i8x16.splat(i8(dotEnd)));
  const from = i8x16.add(i8x16.add(lanes, i8x16.splat(i8(length) - 16)), skip);
  const aligned = i8x16.swizzle(digits, from);
  // Digits to pairs, to fours, to eights: the first of two weighs more.
  const tens = v128.and(aligned, i16x8.splat(0xff));
  const ones = i16x8.shr_u(aligned, 8);
  const pairs = i16x8.add(i16x8.mul(tens, i16x8.splat(10)), ones);
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const packed = i16x8.narrow_i32x4_s(fours, fours);
  const eights = i32x4.dot_i16x8_s(packed, i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1));
  const upper = i64(i32x4.extract_lane(eights, 0));
  return upper * 100_000_000 + i64(i32x4.extract_lane(eights, 1));
}
