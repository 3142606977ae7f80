// Whether a key's text is its value's canonical text already, as pipeline/aggregation/key-encoder.ts
// has it. Any other spelling is left to the reference, but for whole numbers of a number column,
// which lack only a `.0`.
import { matches } from '../profile/blocks';
import { DATE as DATE_KIND, DATETIME as DATETIME_KIND } from '../profile/column-state';
import { scanTime } from '../profile/time-scan';
import { BOOLEAN, DATE, DATETIME, INTEGER, NUMBER, STRING } from '../column-type';

export const OTHER: u32 = 0;
export const CANONICAL: u32 = 1;
export const LACKS_FRACTION: u32 = 2;

const ZERO: u32 = 0x30;
const MINUS: u32 = 0x2d;
const DOT: u8 = 0x2e;
const SPACE: u32 = 0x20;
/** "true" and "false" as little-endian numbers. */
const TRUE: u32 = 0x65757274;
const FALSE: u64 = 0x65736c6166;
/** "0.00" as a little-endian number: such numbers may have an exponent. */
const SMALL: u32 = 0x30302e30;
/** The greatest integer of 64 bits. */
const INTEGER_MAX: usize = memory.data<u8>([
  0x39, 0x32, 0x32, 0x33, 0x33, 0x37, 0x32, 0x30, 0x33, 0x36,
  0x38, 0x35, 0x34, 0x37, 0x37, 0x35, 0x38, 0x30, 0x37,
]);
const INTEGER_DIGITS_MAX: u32 = 19;
/** Decimals of as many digits are the shortest texts of their doubles. */
const NUMBER_DIGITS_MAX: u32 = 15;

/** The text at p has at least one byte. */
@inline
export function keyForm(type: u32, p: usize, length: u32): u32 {
  if (type == STRING) return CANONICAL;
  if (type == INTEGER) return u32(isInteger(p, length, INTEGER_DIGITS_MAX));
  return otherForm(type, p, length);
}

function otherForm(type: u32, p: usize, length: u32): u32 {
  if (type == NUMBER) return numberForm(p, length);
  if (type == BOOLEAN) {
    if (length == 4) return u32(load<u32>(p) == TRUE);
    return u32(length == 5 && (load<u64>(p) & 0xffffffffff) == FALSE);
  }
  if (length < 10 || u32(load<u8>(p, 4)) != MINUS) return OTHER;
  if (type == DATE) return u32(length == 10 && scanTime(p, length) == DATE_KIND);
  const isWhole = length == 19 && u32(load<u8>(p, 10)) == SPACE;
  return u32(type == DATETIME && isWhole && scanTime(p, length) == DATETIME_KIND);
}

/** `-?(0|[1-9][0-9]*)` of at most so many digits, and not `-0`. The least of 64 bits is left out. */
@inline
function isInteger(p: usize, length: u32, digitsMax: u32): bool {
  if (!isWholeNumber(p, length, digitsMax)) return false;
  const sign = u32(u32(load<u8>(p)) == MINUS);
  if (length - sign < INTEGER_DIGITS_MAX) return true;
  return memory.compare(p + sign, INTEGER_MAX, INTEGER_DIGITS_MAX) <= 0;
}

/** The same, up to any number of so many digits. */
@inline
export function isWholeNumber(p: usize, length: u32, digitsMax: u32): bool {
  const sign = u32(u32(load<u8>(p)) == MINUS);
  const digits = length - sign;
  if (digits - 1 >= digitsMax || !areDigits(p + sign, digits)) return false;
  return u32(load<u8>(p + sign)) != ZERO || (digits == 1 && sign == 0);
}

function numberForm(p: usize, length: u32): u32 {
  if (isInteger(p, length, NUMBER_DIGITS_MAX)) return LACKS_FRACTION;
  const sign = u32(u32(load<u8>(p)) == MINUS);
  const start = p + sign;
  const digits = length - sign;
  if (digits > NUMBER_DIGITS_MAX + 1) return OTHER;
  const dots = matches(v128.load(start), DOT) & ((1 << digits) - 1);
  if (dots == 0) return OTHER;
  const whole = u32(ctz(dots));
  if (whole == 0 || whole + 1 >= digits) return OTHER;
  const fraction = digits - whole - 1;
  if (!areDigits(start, whole) || !areDigits(start + whole + 1, fraction)) return OTHER;
  if (u32(load<u8>(start)) == ZERO) {
    if (whole > 1 || (fraction > 1 && load<u32>(start) == SMALL)) return OTHER;
    if (sign != 0 && fraction == 1 && u32(load<u8>(start, 2)) == ZERO) return OTHER;
  }
  return u32(fraction == 1 || u32(load<u8>(start + digits - 1)) != ZERO);
}

/** Of at least one byte. */
@inline
function areDigits(p: usize, length: u32): bool {
  if (length > 16 && !areSomeDigits(p + length - 16, 16)) return false;
  return areSomeDigits(p, min<u32>(length, 16));
}

@inline
function areSomeDigits(p: usize, length: u32): bool {
  const values = i8x16.sub(v128.load(p), i8x16.splat(i8(ZERO)));
  const others = i8x16.bitmask(i8x16.ge_u(values, i8x16.splat(10)));
  return (u32(others) & ((1 << length) - 1)) == 0;
}
