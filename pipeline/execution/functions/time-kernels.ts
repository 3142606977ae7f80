import type { DatePart } from '../../plan/expression/date-parts.ts';
import { civilFromDays, daysFromCivil, monthDays } from '../../values/calendar.ts';
import { perRecord, ValueFault, type Kernel } from './kernel.ts';
import { formatTime, parseTime } from './time-format.ts';

/** Microseconds since 1970; a bigint when not safe. */
type Micros = number | bigint;

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAY_EXACT = BigInt(DAY);
const NO_DATE = new ValueFault('There is no such day');
const OUT_OF_RANGE = new ValueFault('The time is out of range: years are 1 to 9999');
const FIRST_DAY = daysFromCivil(1, 1, 1);
const LAST_DAY = daysFromCivil(9999, 12, 31);

/** Functions of dates and times, by signature. Dates are microseconds too. */
export const TIME_KERNELS: Readonly<Record<string, Kernel>> = {
  '+(date, integer)': perRecord((time: Micros, days: Micros) => moved(time, 0, Number(days) * DAY)),
  '+(integer, date)': perRecord((days: Micros, time: Micros) => moved(time, 0, Number(days) * DAY)),
  '-(date, integer)': perRecord((time: Micros, days: Micros) =>
    moved(time, 0, -Number(days) * DAY),
  ),
  '-(date, date)': perRecord((a: Micros, b: Micros) => split(a).days - split(b).days),
  'add interval(datetime, integer, integer)': perRecord(
    (time: Micros, months: number, micros: number) => moved(time, months, micros),
  ),
  'date_part(string, datetime)': perRecord(datePart),
  'date_trunc(string, datetime)': perRecord(dateTrunc),
  'date_diff(string, datetime, datetime)': perRecord(dateDiff),
  'make_date(integer, integer, integer)': perRecord(makeDate),
  'strftime(datetime, string)': perRecord((time: Micros, format: string) => {
    const { days, micros } = split(time);
    return formatTime(days, micros, format);
  }),
  'strptime(string, string)': perRecord((text: string, format: string) => {
    const time = parseTime(text, format);
    return time instanceof ValueFault ? time : joined(time.days, time.micros);
  }),
};

/** Days since 1970 and microseconds of the day. */
function split(time: Micros): { readonly days: number; readonly micros: number } {
  if (typeof time === 'number') {
    const days = Math.floor(time / DAY);
    return { days, micros: time - days * DAY };
  }
  const micros = ((time % DAY_EXACT) + DAY_EXACT) % DAY_EXACT;
  return { days: Number((time - micros) / DAY_EXACT), micros: Number(micros) };
}

function joined(days: number, micros: number): Micros {
  const time = days * DAY + micros;
  return Number.isSafeInteger(time) ? time : BigInt(days) * DAY_EXACT + BigInt(micros);
}

/** A day that a shorter month lacks becomes its last. */
function moved(time: Micros, months: number, micros: number): Micros | ValueFault {
  const { days, micros: within } = split(time);
  let day = days;
  if (months !== 0) {
    const civil = civilFromDays(days);
    const total = civil.year * 12 + civil.month - 1 + months;
    const year = Math.floor(total / 12);
    const month = total - year * 12 + 1;
    if (year < 1 || year > 9999) return OUT_OF_RANGE;
    day = daysFromCivil(year, month, Math.min(civil.day, monthDays(year, month)));
  }
  const moreDays = Math.floor((within + micros) / DAY);
  day += moreDays;
  if (!(day >= FIRST_DAY && day <= LAST_DAY)) return OUT_OF_RANGE;
  return joined(day, within + micros - moreDays * DAY);
}

function datePart(part: DatePart, time: Micros): number {
  const { days, micros } = split(time);
  const { year, month, day } = civilFromDays(days);
  const weekday = (((days + 4) % 7) + 7) % 7;
  switch (part) {
    case 'year':
      return year;
    case 'quarter':
      return Math.floor((month + 2) / 3);
    case 'month':
      return month;
    case 'week':
      return isoWeek(days);
    case 'day':
      return day;
    case 'hour':
      return Math.floor(micros / HOUR);
    case 'minute':
      return Math.floor(micros / MINUTE) % 60;
    case 'second':
      return Math.floor(micros / SECOND) % 60;
    case 'millisecond':
      return Math.floor((micros % MINUTE) / 1000);
    case 'microsecond':
      return micros % MINUTE;
    case 'decade':
      return Math.trunc(year / 10);
    case 'century':
      return Math.floor((year - 1) / 100) + 1;
    case 'dow':
      return weekday;
    case 'isodow':
      return weekday === 0 ? 7 : weekday;
    case 'doy':
      return days - daysFromCivil(year, 1, 1) + 1;
  }
}

/** ISO 8601: the week of the year that its Thursday is in. */
function isoWeek(days: number): number {
  const thursday = mondayOf(days) + 3;
  const { year } = civilFromDays(thursday);
  return Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1;
}

function mondayOf(days: number): number {
  return days - ((((days + 3) % 7) + 7) % 7);
}

function dateTrunc(part: DatePart, time: Micros): Micros | ValueFault {
  const { days, micros } = split(time);
  const { year, month } = civilFromDays(days);
  switch (part) {
    case 'century':
      return joined(daysFromCivil(Math.max(1, year - (year % 100)), 1, 1), 0);
    case 'decade':
      return joined(daysFromCivil(Math.max(1, year - (year % 10)), 1, 1), 0);
    case 'year':
      return joined(daysFromCivil(year, 1, 1), 0);
    case 'quarter':
      return joined(daysFromCivil(year, month - ((month - 1) % 3), 1), 0);
    case 'month':
      return joined(daysFromCivil(year, month, 1), 0);
    case 'week':
      return joined(mondayOf(days), 0);
    case 'day':
    case 'dow':
    case 'isodow':
    case 'doy':
      return joined(days, 0);
    case 'hour':
      return joined(days, micros - (micros % HOUR));
    case 'minute':
      return joined(days, micros - (micros % MINUTE));
    case 'second':
      return joined(days, micros - (micros % SECOND));
    case 'millisecond':
      return joined(days, micros - (micros % 1000));
    case 'microsecond':
      return time;
  }
}

/** How many bounds of a part lie between two times; weeks are whole ones, as in DuckDB. */
function dateDiff(part: DatePart, from: Micros, to: Micros): number | bigint {
  const a = split(from);
  const b = split(to);
  const first = civilFromDays(a.days);
  const last = civilFromDays(b.days);
  switch (part) {
    case 'century':
      return Math.trunc(last.year / 100) - Math.trunc(first.year / 100);
    case 'decade':
      return Math.trunc(last.year / 10) - Math.trunc(first.year / 10);
    case 'year':
      return last.year - first.year;
    case 'quarter':
      return Math.trunc(monthsOf(last) / 3) - Math.trunc(monthsOf(first) / 3);
    case 'month':
      return monthsOf(last) - monthsOf(first);
    case 'week':
      return Math.trunc((b.days - a.days) / 7);
    case 'day':
    case 'dow':
    case 'isodow':
    case 'doy':
      return b.days - a.days;
    case 'hour':
      return steps(from, to, HOUR);
    case 'minute':
      return steps(from, to, MINUTE);
    case 'second':
      return steps(from, to, SECOND);
    case 'millisecond':
      return steps(from, to, 1000);
    case 'microsecond':
      return BigInt(to) - BigInt(from);
  }
}

function monthsOf({ year, month }: { readonly year: number; readonly month: number }): number {
  return year * 12 + month - 1;
}

function steps(from: Micros, to: Micros, unit: number): number {
  return stepOf(to, unit) - stepOf(from, unit);
}

/** How many units since 1970 began before a time. */
function stepOf(time: Micros, unit: number): number {
  const { days, micros } = split(time);
  return days * (DAY / unit) + Math.floor(micros / unit);
}

function makeDate(year: Micros, month: Micros, day: Micros): Micros | ValueFault {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  if (y < 1 || y > 9999) return OUT_OF_RANGE;
  if (m < 1 || m > 12 || d < 1 || d > monthDays(y, m)) return NO_DATE;
  return joined(daysFromCivil(y, m, d), 0);
}
