// Numbers of at most eight bytes, read as one word: what most numbers are.

/** Instead of a number: the text is another, or needs a closer look. */
export const NOT_PLAIN: i64 = i64.MIN_VALUE;
export const PLAIN_BYTES_MAX: u32 = 8;

const SCALE_BITS: u64 = 4;
const MINUS: u8 = 0x2d;
const ZERO: u8 = 0x30;
const ZEROS: u64 = 0x3030303030303030;
/** What a dot is where digits are their values. */
const DOT: u64 = 0x1e;
const TOPS: u64 = 0x8080808080808080;
/** Added to a byte below 0x80, sets its top bit where it is above 9. */
const ABOVE_NINE: u64 = 0x7676767676767676;

/** The number of a text of 1 to `PLAIN_BYTES_MAX` bytes in the strict grammar of
 *  pipeline/values/value-kind.ts, `-0` left out; see `plainMantissa` and `plainScale`. Eight bytes
 *  behind the text must be readable. Signs and how many digits there are are hard to foresee: no
 *  branch on either. */
@inline
export function plainNumber(p: usize, length: u32): i64 {
  if (length == 1) {
    const digit = i64(load<u8>(p)) - ZERO;
    return u64(digit) < 10 ? digit << SCALE_BITS : NOT_PLAIN;
  }
  const sign = u32(load<u8>(p) == MINUS);
  const count = length - sign;
  const bytes = load<u64>(p + sign) ^ ZEROS;
  if (isLeadingZero(u32(bytes))) return NOT_PLAIN;
  // The last byte becomes the highest; below the first digit there are zeros.
  let digits = bytes << (u64(0 - count) << 3);
  const others = (digits | (digits + ABOVE_NINE)) & TOPS;
  let scale: u32 = 0;
  if (others != 0) {
    // There must be one, a dot between digits. Those before it move up, over it.
    scale = u32(clz(others)) >> 3;
    const first = others >> 7;
    const isDot = (digits & ((others << 1) - first)) == first * DOT;
    if ((others & (others - 1)) != 0 || !isDot || scale - 1 >= count - 2) return NOT_PLAIN;
    const before = digits & (first - 1);
    digits = (digits ^ before ^ (first * DOT)) | (before << 8);
  }
  const value = valueOfDigits(digits);
  if ((sign & u32(value == 0)) != 0) return NOT_PLAIN;
  const minus = -i64(sign);
  return (((value ^ minus) - minus) << SCALE_BITS) | i64(scale);
}

/** Whether the lowest byte is 0 and the next one, perhaps behind the text, a digit's value. */
@inline
function isLeadingZero(bytes: u32): bool {
  return ((((bytes & 0xffff) * 0x10001) >> 8) & 0xffff) < 10;
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
