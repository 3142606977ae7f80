import { LIMITS } from '../limits.ts';

/** Byte-level reader of JSON (RFC 8259), without building values. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;

/** Letters that may follow a backslash, `u` excluded. */
const SIMPLE_ESCAPES = new Set(Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)));

/**
 * Offset behind the value that starts at `start`, which must not be white space; `-1 - offset` of the
 * first byte that cannot be (`end` where the value is cut). UTF-8 is not checked. Nesting beyond
 * `depthMax` is a fault at the bracket.
 */
export function scanValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  depthMax: number = LIMITS.jsonDepthMax,
): number {
  if (start >= end) return -1 - end;
  const byte = bytes[start]!;
  if (byte === QUOTE) return scanString(bytes, start, end);
  if (byte === OPEN_BRACE) return scanObject(bytes, start, end, depthMax);
  if (byte === OPEN_BRACKET) return scanArray(bytes, start, end, depthMax);
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return scanNumber(bytes, start, end);
  if (byte === 0x74) return scanWord(bytes, start, end, 'true');
  if (byte === 0x66) return scanWord(bytes, start, end, 'false');
  if (byte === 0x6e) return scanWord(bytes, start, end, 'null');
  return -1 - start;
}

/** Offset of the first byte that is no white space, or `end`. */
export function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) break;
    at++;
  }
  return at;
}

/** The string whose opening quote is at `start`; returns as `scanValue` does. */
export function scanString(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) return -1 - at;
    if (byte !== BACKSLASH) {
      at++;
      continue;
    }
    const next = scanEscape(bytes, at, end);
    if (next < 0) return next;
    at = next;
  }
  return -1 - end;
}

function scanEscape(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return -1 - end;
  const letter = bytes[at + 1]!;
  if (SIMPLE_ESCAPES.has(letter)) return at + 2;
  if (letter !== 0x75) return -1 - (at + 1);
  for (let i = at + 2; i < at + 6; i++) {
    if (i >= end) return -1 - end;
    if (hexValue(bytes[i]!) < 0) return -1 - i;
  }
  return at + 6;
}

/** Value of a hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function scanNumber(bytes: Uint8Array, start: number, end: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  if (bytes[at] === ZERO && at < end) at++;
  else {
    at = scanDigits(bytes, at, end);
    if (at < 0) return at;
  }
  if (at < end && bytes[at] === 0x2e) {
    at = scanDigits(bytes, at + 1, end);
    if (at < 0) return at;
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
    at = scanDigits(bytes, at, end);
  }
  return at;
}

/** One digit or more. */
function scanDigits(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at === start ? -1 - at : at;
}

function scanWord(bytes: Uint8Array, start: number, end: number, word: string): number {
  for (let i = 0; i < word.length; i++) {
    if (start + i >= end) return -1 - end;
    if (bytes[start + i] !== word.charCodeAt(i)) return -1 - (start + i);
  }
  return start + word.length;
}

function scanArray(bytes: Uint8Array, start: number, end: number, depthMax: number): number {
  if (depthMax <= 0) return -1 - start;
  let at = skipBlanks(bytes, start + 1, end);
  if (at < end && bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = scanValue(bytes, at, end, depthMax - 1);
    if (at < 0) return at;
    at = skipBlanks(bytes, at, end);
    if (at >= end) return -1 - end;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== 0x2c) return -1 - at;
    at = skipBlanks(bytes, at + 1, end);
  }
}

function scanObject(bytes: Uint8Array, start: number, end: number, depthMax: number): number {
  if (depthMax <= 0) return -1 - start;
  let at = skipBlanks(bytes, start + 1, end);
  if (at < end && bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    at = scanMemberKey(bytes, at, end);
    if (at < 0) return at;
    at = scanValue(bytes, at, end, depthMax - 1);
    if (at < 0) return at;
    at = skipBlanks(bytes, at, end);
    if (at >= end) return -1 - end;
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== 0x2c) return -1 - at;
    at = skipBlanks(bytes, at + 1, end);
  }
}

/** A key and its colon; returns the offset of the value. */
export function scanMemberKey(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return -1 - end;
  if (bytes[start] !== QUOTE) return -1 - start;
  let at = scanString(bytes, start, end);
  if (at < 0) return at;
  at = skipBlanks(bytes, at, end);
  if (at >= end) return -1 - end;
  if (bytes[at] !== 0x3a) return -1 - at;
  return skipBlanks(bytes, at + 1, end);
}
