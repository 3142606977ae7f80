// Dates and timestamps as numbers since 1970-01-01, from what time-scan.ts found.
import { DATE, DATETIME } from './profile/column-state';
import { scanTime, timeKey } from './profile/time-scan';

/** As in time-scan.ts: bits of the microseconds of the day, below the date as YYYYMMDD. */
const DAY_BITS: u64 = 37;
export const DAY_MICROS: i64 = 86_400_000_000;
const MINUS: u8 = 0x2d;

/** Scans a text of any length; false when it is neither a date nor a timestamp without offset, as
 *  value-kind.ts has them. */
@inline
export function scanTimeField(p: usize, length: u32): bool {
  if (length < 10 || load<u8>(p, 4) != MINUS) return false;
  const kind = scanTime(p, length);
  return kind == DATE || kind == DATETIME;
}

/** Of what was scanned: days since 1970 of its calendar day. */
export function daysOfTime(): i64 {
  const date = u32(timeKey >> DAY_BITS);
  return daysFromCivil(date / 10_000, (date / 100) % 100, date % 100);
}

/** Of what was scanned: microseconds since 1970. */
export function microsOfTime(): i64 {
  return daysOfTime() * DAY_MICROS + i64(timeKey & ((1 << DAY_BITS) - 1));
}

/** As in pipeline/values/calendar.ts; years from 0. */
function daysFromCivil(year: u32, month: u32, day: u32): i64 {
  const marchYear = i64(year) + 400 - i64(month <= 2);
  const era = marchYear / 400;
  const yearOfEra = marchYear - era * 400;
  const marchMonth = (month + 9) % 12;
  const dayOfYear = i64((153 * marchMonth + 2) / 5 + day - 1);
  const leapDays = yearOfEra / 4 - yearOfEra / 100;
  return (era - 1) * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}
