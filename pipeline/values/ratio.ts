/** Doubles of exact fractions, rounded once to nearest, ties to even. */

/** Bits that a quotient must have so that rounding it to 53 with a sticky bit is correct. */
const QUOTIENT_BITS = 66;
const MANTISSA_BITS = 53;
const MIN_EXPONENT = -1074;

/** `numerator / denominator`; the denominator is positive. Infinity when beyond the doubles,
 *  never -0. */
export function ratioToDouble(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  if (numerator < 0n) return 0 - ratioToDouble(-numerator, denominator);
  let shift = QUOTIENT_BITS - (bitLength(numerator) - bitLength(denominator));
  const leading = QUOTIENT_BITS - shift;
  if (leading - MANTISSA_BITS <= MIN_EXPONENT) shift = -MIN_EXPONENT;
  const scaled = shift >= 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  const quotient = scaled / divisor;
  const remainder = scaled % divisor;
  if (shift === -MIN_EXPONENT && quotient < 1n << BigInt(MANTISSA_BITS)) {
    return Number(roundHalfEven(quotient, remainder, divisor)) * Number.MIN_VALUE;
  }
  // The sticky bit has a place of its own: just above the subnormals the quotient has 54 bits.
  const sticky = remainder === 0n ? 0n : 1n;
  return scaleByPowerOfTwo(Number((quotient << 1n) | sticky), -shift - 1);
}

/** `mantissa / (10^scale * divisor)`. */
export function decimalToDouble(mantissa: bigint, scale: number, divisor = 1n): number {
  return ratioToDouble(mantissa, 10n ** BigInt(scale) * divisor);
}

function roundHalfEven(quotient: bigint, remainder: bigint, divisor: bigint): bigint {
  const twice = remainder * 2n;
  const up = twice > divisor || (twice === divisor && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** `value * 2^exponent`, in steps that stay within the exponents of doubles. */
function scaleByPowerOfTwo(value: number, exponent: number): number {
  let result = value;
  let left = exponent;
  while (left > 1000) {
    result *= 2 ** 1000;
    left -= 1000;
  }
  while (left < -1000) {
    result *= 2 ** -1000;
    left += 1000;
  }
  return result * 2 ** left;
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(parseInt(hex[0]!, 16)));
}
