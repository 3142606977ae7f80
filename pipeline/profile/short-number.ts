import type { DecimalParts } from '../values/number.ts';
import { ValueKind } from '../values/value-kind.ts';

const ZERO = 0x30;
const DIGITS_MAX = 15;

/**
 * Kind and exact value at one look for integers and numbers of up to 15 digits without exponent, by
 * the grammar of `valueKind`; `empty` for everything else, which says nothing about its kind.
 */
export function scanShortNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: DecimalParts,
): ValueKind {
  const negative = bytes[start] === 0x2d;
  const from = negative ? start + 1 : start;
  if (end - from > DIGITS_MAX + 1) return ValueKind.empty;
  let mantissa = 0;
  let i = from;
  for (; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) break;
    mantissa = mantissa * 10 + digit;
  }
  const whole = i - from;
  if (whole === 0 || (whole > 1 && bytes[from] === ZERO)) return ValueKind.empty;
  let scale = 0;
  if (i < end) {
    if (bytes[i] !== 0x2e) return ValueKind.empty;
    for (i++; i < end; i++) {
      const digit = bytes[i]! - ZERO;
      if (digit < 0 || digit > 9) return ValueKind.empty;
      mantissa = mantissa * 10 + digit;
      scale++;
    }
    if (scale === 0) return ValueKind.empty;
  } else if (negative && mantissa === 0) return ValueKind.empty;
  if (whole + scale > DIGITS_MAX) return ValueKind.empty;
  out.mantissa = negative ? 0 - mantissa : mantissa;
  out.big = null;
  out.scale = scale;
  return scale === 0 ? ValueKind.integer : ValueKind.number;
}
