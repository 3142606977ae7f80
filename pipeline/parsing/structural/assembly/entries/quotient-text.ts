// Canonical texts of doubles that no short decimal is: the shortest decimal that is nearest to them and
// to no other double. Of 15 to 17 digits the first that is; of 15 there is one at the most, and with
// 17 there always is. The decimal is found in whole numbers of 128 bits: a double is one of 53 bits
// times a power of two.
import { digitsText } from './decimal-text';

const DIGITS_MIN: u32 = 15;
const DIGITS_MAX: u32 = 17;
/** Doubles hold all whole numbers up to here. */
const SAFE: u64 = 9007199254740991;
/** What is smaller or larger is left: the power of ten that it takes is one of 64 bits else. */
const LEAST: f64 = 0.01;
const GREATEST: f64 = 1e15;
const FRACTION_BITS: u64 = 52;
const FRACTION_MASK: u64 = (1 << 52) - 1;
const EXPONENT_BIAS: i32 = 1075;

/** Up to 10^18. */
const POWERS: usize = memory.data<u64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
  1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
  1_000_000_000_000_000_000,
]);

@inline
function powerOfTen(power: u32): u64 {
  return load<u64>(POWERS + (<usize>power << 3));
}

/** Of the double nearest to mantissa / (count * 10^scale). The mantissa is a double, the scale at most
 *  18. Returns where the text ends, or 0 where it is left to the reference. */
export function quotientText(at: usize, mantissa: i64, count: u64, scale: u32): usize {
  const power = powerOfTen(scale);
  if (count > SAFE / power) return 0;
  // Both are doubles: their quotient is rounded once.
  const quotient = f64(mantissa) / f64(count * power);
  const size = abs(quotient);
  if (!(size >= LEAST && size < GREATEST)) return 0;
  const bits = reinterpret<u64>(size);
  const fraction = bits & FRACTION_MASK;
  // Below a power of two doubles are nearer to each other than above it.
  if (fraction == 0) return 0;
  const significand = fraction | (1 << FRACTION_BITS);
  const shift = u64(EXPONENT_BIAS - i32(bits >> FRACTION_BITS));
  const whole = wholeDigits(size);
  for (let digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
    const places = u32(i32(digits) - whole);
    if (!roundProduct(significand, powerOfTen(places), shift)) continue;
    return digitsText(at, mantissa < 0 ? -i64(rounded) : i64(rounded), places);
  }
  return 0;
}

/** Digits before the dot; of 0.0x one fewer than none. */
@inline
function wholeDigits(size: f64): i32 {
  if (size < 1) return size < 0.1 ? -1 : 0;
  let digits = 1;
  for (let whole = u64(size); whole >= 10; whole /= 10) digits++;
  return digits;
}

/** What `roundProduct` found. */
let rounded: u64 = 0;

/** Rounds significand * power / 2^shift; returns whether it is nearer to the double that the significand
 *  is of than half of what lies between that and the next. */
@inline
function roundProduct(significand: u64, power: u64, shift: u64): bool {
  const low = significand * power;
  const middle =
    (significand >> 32) * (power & 0xffffffff) +
    (((significand & 0xffffffff) * (power & 0xffffffff)) >> 32);
  const crossed = (significand & 0xffffffff) * (power >> 32) + (middle & 0xffffffff);
  const high = (significand >> 32) * (power >> 32) + (middle >> 32) + (crossed >> 32);
  const unit: u64 = 1 << shift;
  const rest = low & (unit - 1);
  rounded = (high << (64 - shift)) | (low >> shift);
  const half = unit >> 1;
  const isUp = rest > half || (rest == half && (rounded & 1) != 0);
  rounded += u64(isUp);
  return 2 * (isUp ? unit - rest : rest) < power;
}
