import { dateFieldsAt, isDatetimeTail } from './timestamp.ts';
import { parseDouble, NUMBER_BYTES_MAX } from './number.ts';

/**
 * What a field's text looks like, by the strict grammar that types are inferred with. Narrower than
 * the casts: leading zeros, a plus sign, surrounding blanks and integers beyond 64 bits are text.
 */
export const ValueKind = {
  empty: 0,
  integer: 1,
  number: 2,
  boolean: 3,
  date: 4,
  datetime: 5,
  string: 6,
} as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

/** Kinds there are: the length of a table indexed by kind. */
export const VALUE_KIND_COUNT = 7;

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const DOT = 0x2e;

const INT64_MAX_DIGITS = new TextEncoder().encode('9223372036854775807');

/** Kind of the unquoted field `bytes[start, end)`. A number always casts to a finite double. */
export function valueKind(bytes: Uint8Array, start: number, end: number): ValueKind {
  if (start === end) return ValueKind.empty;
  const first = bytes[start]!;
  if (first <= NINE) {
    if (first >= ZERO) {
      if (end - start >= 10 && bytes[start + 4] === MINUS) return timeKind(bytes, start, end);
      return numberKind(bytes, start, start, end);
    }
    return first === MINUS ? numberKind(bytes, start, start + 1, end) : ValueKind.string;
  }
  const folded = first | 0x20;
  if (folded === 0x74 && end - start === 4) return wordKind(bytes, start, 'true');
  if (folded === 0x66 && end - start === 5) return wordKind(bytes, start, 'false');
  return ValueKind.string;
}

function wordKind(bytes: Uint8Array, start: number, word: string): ValueKind {
  for (let i = 0; i < word.length; i++) {
    if ((bytes[start + i]! | 0x20) !== word.charCodeAt(i)) return ValueKind.string;
  }
  return ValueKind.boolean;
}

function timeKind(bytes: Uint8Array, start: number, end: number): ValueKind {
  if (!dateFieldsAt(bytes, start)) return ValueKind.string;
  if (end - start === 10) return ValueKind.date;
  return isDatetimeTail(bytes, start + 10, end) ? ValueKind.datetime : ValueKind.string;
}

/** `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?`, the sign already consumed. */
function numberKind(bytes: Uint8Array, start: number, digitsStart: number, end: number): ValueKind {
  let i = digitsStart;
  while (i < end && isDigit(bytes[i]!)) i++;
  const digitCount = i - digitsStart;
  if (digitCount === 0) return ValueKind.string;
  if (digitCount > 1 && bytes[digitsStart] === ZERO) return ValueKind.string;
  if (i === end) return integerKind(bytes, start, digitsStart, digitCount);
  if (end - start > NUMBER_BYTES_MAX) return ValueKind.string;
  if (bytes[i] === DOT) {
    const fraction = ++i;
    while (i < end && isDigit(bytes[i]!)) i++;
    if (i === fraction) return ValueKind.string;
    if (i === end && digitCount <= 300) return ValueKind.number;
  }
  if (i < end && !isExponent(bytes, i, end)) return ValueKind.string;
  return Number.isNaN(parseDouble(bytes, start, end)) ? ValueKind.string : ValueKind.number;
}

function integerKind(
  bytes: Uint8Array,
  start: number,
  digitsStart: number,
  digitCount: number,
): ValueKind {
  const negative = digitsStart !== start;
  if (digitCount < 19) {
    return negative && bytes[digitsStart] === ZERO ? ValueKind.number : ValueKind.integer;
  }
  if (digitCount > 19) return ValueKind.string;
  for (let i = 0; i < 19; i++) {
    const difference = bytes[digitsStart + i]! - INT64_MAX_DIGITS[i]!;
    if (difference < 0) return ValueKind.integer;
    if (difference > 0) {
      const isMinimum = negative && i === 18 && difference === 1;
      return isMinimum ? ValueKind.integer : ValueKind.string;
    }
  }
  return ValueKind.integer;
}

function isExponent(bytes: Uint8Array, start: number, end: number): boolean {
  if ((bytes[start]! | 0x20) !== 0x65) return false;
  let i = start + 1;
  if (i < end && (bytes[i] === 0x2b || bytes[i] === MINUS)) i++;
  const digitCount = end - i;
  if (digitCount < 1 || digitCount > 3) return false;
  while (i < end) if (!isDigit(bytes[i++]!)) return false;
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
