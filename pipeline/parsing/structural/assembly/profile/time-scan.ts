// Dates and timestamps in the strict grammar of pipeline/values/value-kind.ts.
import { DATE, DATETIME, DEFERRED, STRING } from './column-state';

/** Bits of a time's microseconds of the day; above them the date as the number YYYYMMDD. */
const DAY_BITS: u64 = 37;
/** Bits of the bytes that are digits in `YYYY-MM-DD`, and in `hh:mm` behind it. */
const DATE_DIGITS: u32 = 0b0000_0011_0110_1111;
const CLOCK_DIGITS: u32 = 0b1101_1000_0000_0000;
/** Stands for two bytes that are not digits: above all values of two digits. */
const NO_DIGITS: u32 = 1000;

const DASH: u8 = 0x2d;
const COLON: u8 = 0x3a;

/** What `scanTime` found, when it is a date or a timestamp: ordered as the times are, in UTC. */
export let timeKey: u64 = 0;

/** Kind of a text of ten bytes or more with a dash at 4. With an offset from UTC it is deferred. */
export function scanTime(p: usize, length: u32): u32 {
  const values = i8x16.sub(v128.load(p), i8x16.splat(0x30));
  const digits = u32(i8x16.bitmask(i8x16.lt_u(values, i8x16.splat(10))));
  if ((digits & DATE_DIGITS) != DATE_DIGITS || load<u8>(p, 7) != DASH) return STRING;
  // YYYY-MM-DD?hh:mm to a number of two digits a lane, without what stands between.
  const tensAndOnes = i8x16.swizzle(
    values,
    i8x16(0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1),
  );
  const tens = v128.and(tensAndOnes, i16x8.splat(0xff));
  const ones = i16x8.shr_u(tensAndOnes, 8);
  const pairs = i16x8.add(i16x8.mul(tens, i16x8.splat(10)), ones);
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const year = u32(i32x4.extract_lane(fours, 0));
  const month = u32(i16x8.extract_lane_u(pairs, 2));
  const day = u32(i16x8.extract_lane_u(pairs, 3));
  if (month - 1 > 11 || day - 1 > 30 || (day > 28 && day > monthDays(year, month))) return STRING;
  timeKey = u64(year * 10_000 + u32(i32x4.extract_lane(fours, 1))) << DAY_BITS;
  if (length == 10) return DATE;
  if (length < 16 || (digits & CLOCK_DIGITS) != CLOCK_DIGITS) return STRING;
  const hour = u32(i16x8.extract_lane_u(pairs, 4));
  const minute = u32(i16x8.extract_lane_u(pairs, 5));
  return scanClock(p, length, hour, minute);
}

/** `[ T]HH:MM[:SS[.f{1,9}]][Z]` from the eleventh byte; hour and minute are read already. */
@inline
function scanClock(p: usize, length: u32, hour: u32, minute: u32): u32 {
  const separator = load<u8>(p, 10);
  if (separator != 0x20 && separator != 0x54) return STRING;
  if (hour > 23 || minute > 59 || load<u8>(p, 13) != COLON) return STRING;
  let second: u32 = 0;
  let micros: u32 = 0;
  let at: u32 = 16;
  if (length > 16 && load<u8>(p, 16) == COLON) {
    if (length < 19) return STRING;
    second = twoDigits(p + 17);
    if (second > 59) return STRING;
    at = 19;
    if (length > 19 && load<u8>(p, 19) == 0x2e) {
      let unit: u32 = 100_000;
      for (at = 20; at < length; at++) {
        const digit = u32(load<u8>(p + at)) - 0x30;
        if (digit > 9) break;
        micros += digit * unit;
        unit /= 10;
      }
      if (at == 20 || at > 29) return STRING;
    }
  }
  if (at < length) {
    const zone = load<u8>(p + at);
    if (zone == 0x2b || zone == DASH) return DEFERRED;
    if (zone != 0x5a || at + 1 != length) return STRING;
  }
  timeKey |= u64(hour * 3600 + minute * 60 + second) * 1_000_000 + u64(micros);
  return DATETIME;
}

@inline
function twoDigits(p: usize): u32 {
  const pair = u32(load<u16>(p));
  const tens = (pair & 0xff) - 0x30;
  const ones = (pair >> 8) - 0x30;
  return select<u32>(tens * 10 + ones, NO_DIGITS, (tens < 10) & (ones < 10));
}

function monthDays(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
