// Numbers of at most eight bytes, read as one word: what most numbers are.

/** Instead of a number: the text is another, or needs a closer look. */
export const NOT_PLAIN: i64 = i64.MIN_VALUE;
export const PLAIN_BYTES_MAX: u32 = 8;

const SCALE_BITS: u64 = 4;
const MINUS: u8 = 0x2d;
const ZERO: u8 = 0x30;
const ZEROS: u64 = 0x3030303030303030;
/** What a dot is, and a byte of ones, where digits are their values. */
const DOTS: u64 = 0x1e1e1e1e1e1e1e1e;
const ONES: u64 = 0x0101010101010101;
const TOPS: u64 = 0x8080808080808080;
/** Added to a byte below 0x80, sets its top bit where it is above 9. */
const ABOVE_NINE: u64 = 0x7676767676767676;

/** The number of a text of 1 to `PLAIN_BYTES_MAX` bytes in the strict grammar of
 *  pipeline/values/value-kind.ts, `-0` left out; see `plainMantissa` and `plainScale`. Eight bytes
 *  before the text's end must be readable. */
@inline
export function plainNumber(p: usize, length: u32): i64 {
  if (length == 1) {
    const digit = i64(load<u8>(p)) - ZERO;
    return u64(digit) < 10 ? digit << SCALE_BITS : NOT_PLAIN;
  }
  const sign = u32(load<u8>(p) == MINUS);
  const count = length - sign;
  // The last byte is the highest; what stands before the first digit becomes zeros.
  const shift = u64(8 - count) << 3;
  let digits = (load<u64>(p + length - 8) ^ ZEROS) & (~u64(0) << shift);
  let whole = count;
  let scale: u32 = 0;
  const toDot = digits ^ DOTS;
  const dots = (toDot - ONES) & ~toDot & TOPS;
  if (dots != 0) {
    const below = u64(ctz(dots)) & 0x38;
    scale = 7 - u32(below >> 3);
    whole = count - 1 - scale;
    if (scale == 0) return NOT_PLAIN;
    // The digits before the dot move up, over it.
    const before = (u64(1) << below) - 1;
    digits = ((digits & before) << 8) | (digits & (~u64(0xff) << below));
  }
  const others = (digits | (digits + ABOVE_NINE)) & TOPS;
  const value = valueOfDigits(digits);
  // Signs and how many digits there are are hard to foresee: no branch on either.
  const isLeading = u32(whole > 1) & u32(load<u8>(p + sign) == ZERO);
  const isOdd = isLeading | u32(whole == 0) | (sign & u32(value == 0)) | u32(others != 0);
  if (isOdd != 0) return NOT_PLAIN;
  const minus = -i64(sign);
  return (((value ^ minus) - minus) << SCALE_BITS) | i64(scale);
}

@inline
export function plainMantissa(number: i64): i64 {
  return number >> SCALE_BITS;
}

@inline
export function plainScale(number: i64): u32 {
  return u32(number) & 0xf;
}

/** Value of eight digits, the first one in the lowest byte. */
@inline
function valueOfDigits(digits: u64): i64 {
  const pairs = digits * 10 + (digits >> 8);
  const upper = (pairs & 0x000000ff000000ff) * 0x000f424000000064;
  const lower = ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001;
  return i64((upper + lower) >> 32);
}
