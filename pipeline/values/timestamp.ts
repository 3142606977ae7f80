import { daysFromCivil, monthDays } from './calendar.ts';

/**
 * Casts from text to dates and timestamps. Timestamps with a zone are instants and become UTC; those
 * without count as UTC. Digits after the sixth of a second are dropped, as DuckDB does.
 */

const DAY_MICROS = 86_400_000_000;
const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const SLASH = 0x2f;
const COLON = 0x3a;
const SPACE = 0x20;

/** Where a parse stands: filled left to right, `position` on the next unread byte. */
interface TimeScan {
  position: number;
  days: number;
  /** Microseconds of the day. */
  micros: number;
  /** Minutes east of UTC. */
  zoneMinutes: number;
  /** Value and width of the last digits read. */
  value: number;
}

const scan: TimeScan = { position: 0, days: 0, micros: 0, zoneMinutes: 0, value: 0 };

/** Microseconds since 1970-01-01T00:00:00Z, a bigint when not safe; null when it does not cast. */
export function parseTimestamp(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | bigint | null {
  if (!scanTimestamp(bytes, start, end)) return null;
  const { days } = scan;
  const micros = scan.micros - scan.zoneMinutes * 60_000_000;
  const total = days * DAY_MICROS + micros;
  if (Number.isSafeInteger(total) && Number.isSafeInteger(days * DAY_MICROS)) return total;
  return BigInt(days) * BigInt(DAY_MICROS) + BigInt(micros);
}

/** Days since 1970-01-01 of a date, or of a timestamp's own calendar day; null when it does not
 *  cast. */
export function parseDate(bytes: Uint8Array, start: number, end: number): number | null {
  return scanTimestamp(bytes, start, end) ? scan.days : null;
}

/** Whether `YYYY-MM-DD` with a real calendar day stands at `start`; ten bytes must be there. */
export function dateFieldsAt(bytes: Uint8Array, start: number): boolean {
  if (bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return false;
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= monthDays(year, month);
}

/** `[ T]HH:MM[:SS[.f{1,9}]][Z|(+-)HH[:MM]]`, exactly. */
export function isDatetimeTail(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6) return false;
  if (bytes[start] !== SPACE && bytes[start] !== 0x54) return false;
  if (!isClock(bytes, start + 1, 24)) return false;
  let i = start + 6;
  if (bytes[i] === COLON && i < end) {
    if (end - i < 3 || !isSixty(bytes, i + 1)) return false;
    i += 3;
    if (i < end && bytes[i] === 0x2e) {
      const fraction = ++i;
      while (i < end && isDigit(bytes[i]!)) i++;
      if (i === fraction || i - fraction > 9) return false;
    }
  }
  if (i === end) return true;
  if (bytes[i] === 0x5a) return i + 1 === end;
  if (bytes[i] !== PLUS && bytes[i] !== MINUS) return false;
  if (end - i === 3) return twoDigits(bytes, i + 1) >= 0 && twoDigits(bytes, i + 1) < 24;
  return end - i === 6 && isClock(bytes, i + 1, 24);
}

/** The wider grammar: blanks around, one-digit parts, slashes, zones without colon, `UTC`. */
function scanTimestamp(bytes: Uint8Array, from: number, to: number): boolean {
  let start = from;
  let end = to;
  while (start < end && isBlank(bytes[start]!)) start++;
  while (end > start && isBlank(bytes[end - 1]!)) end--;
  scan.position = start;
  scan.micros = 0;
  scan.zoneMinutes = 0;
  if (!scanDate(bytes, end)) return false;
  if (scan.position === end) return true;
  const separator = bytes[scan.position];
  if (separator !== SPACE && separator !== 0x54) return false;
  do scan.position++;
  while (separator === SPACE && scan.position < end && bytes[scan.position] === SPACE);
  if (!scanClock(bytes, end)) return false;
  return scan.position === end || scanZone(bytes, end);
}

function scanDate(bytes: Uint8Array, end: number): boolean {
  if (!scanDigits(bytes, end, 4, 4)) return false;
  const year = scan.value;
  const separator = bytes[scan.position];
  if (scan.position === end || (separator !== MINUS && separator !== SLASH)) return false;
  scan.position++;
  if (!scanDigits(bytes, end, 1, 2)) return false;
  const month = scan.value;
  if (scan.position === end || bytes[scan.position] !== separator) return false;
  scan.position++;
  if (!scanDigits(bytes, end, 1, 2)) return false;
  const day = scan.value;
  if (month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return false;
  scan.days = daysFromCivil(year, month, day);
  return true;
}

function scanClock(bytes: Uint8Array, end: number): boolean {
  if (!scanDigits(bytes, end, 1, 2) || scan.value > 23) return false;
  let seconds = scan.value * 3600;
  if (scan.position === end || bytes[scan.position] !== COLON) return false;
  scan.position++;
  if (!scanDigits(bytes, end, 1, 2) || scan.value > 59) return false;
  seconds += scan.value * 60;
  let micros = 0;
  if (scan.position < end && bytes[scan.position] === COLON) {
    scan.position++;
    if (!scanDigits(bytes, end, 1, 2) || scan.value > 59) return false;
    seconds += scan.value;
    if (scan.position < end && bytes[scan.position] === 0x2e) {
      scan.position++;
      let unit = 100_000;
      const fraction = scan.position;
      for (; scan.position < end && isDigit(bytes[scan.position]!); scan.position++) {
        if (unit >= 1) micros += (bytes[scan.position]! - ZERO) * unit;
        unit /= 10;
      }
      if (scan.position === fraction) return false;
    }
  }
  scan.micros = seconds * 1_000_000 + micros;
  return true;
}

/** `Z`, `UTC`, or `(+-)HH[[:]MM]`, a blank before it allowed, up to the end. */
function scanZone(bytes: Uint8Array, end: number): boolean {
  while (scan.position < end && bytes[scan.position] === SPACE) scan.position++;
  const first = bytes[scan.position]!;
  const left = end - scan.position;
  if (first === 0x5a || first === 0x7a) return left === 1;
  if (first === 0x55) {
    return left === 3 && bytes[scan.position + 1] === 0x54 && bytes[scan.position + 2] === 0x43;
  }
  if (first !== PLUS && first !== MINUS) return false;
  scan.position++;
  if (end - scan.position < 2) return false;
  if (!scanDigits(bytes, scan.position + 2, 2, 2) || scan.value > 23) return false;
  let minutes = scan.value * 60;
  if (scan.position < end) {
    if (bytes[scan.position] === COLON) scan.position++;
    if (!scanDigits(bytes, end, 2, 2) || scan.value > 59) return false;
    minutes += scan.value;
  }
  scan.zoneMinutes = first === MINUS ? -minutes : minutes;
  return scan.position === end;
}

/** Reads `min` to `max` digits into `scan.value`; false when there are fewer or more. */
function scanDigits(bytes: Uint8Array, end: number, min: number, max: number): boolean {
  const from = scan.position;
  let value = 0;
  let i = from;
  while (i < end && isDigit(bytes[i]!)) value = value * 10 + bytes[i++]! - ZERO;
  scan.value = value;
  scan.position = i;
  return i - from >= min && i - from <= max;
}

function isClock(bytes: Uint8Array, start: number, hours: number): boolean {
  const hour = twoDigits(bytes, start);
  return hour >= 0 && hour < hours && bytes[start + 2] === COLON && isSixty(bytes, start + 3);
}

function isSixty(bytes: Uint8Array, start: number): boolean {
  const value = twoDigits(bytes, start);
  return value >= 0 && value < 60;
}

/** Value of two digits, or less than -100,000 when one is none. */
function twoDigits(bytes: Uint8Array, start: number): number {
  const tens = bytes[start]! - ZERO;
  const ones = bytes[start + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1_000_000;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || (byte >= 0x09 && byte <= 0x0d);
}
