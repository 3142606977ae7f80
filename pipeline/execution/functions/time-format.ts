import { civilFromDays, daysFromCivil, monthDays } from '../../values/calendar.ts';
import { formatFault, formatParts } from '../../values/time-directives.ts';
import { ValueFault } from './kernel.ts';

const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const SECOND = 1_000_000;

/** Fields of a time, as a directive writes them. */
interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly yearDay: number;
  /** Year and number of the week of ISO 8601. */
  readonly weekYear: number;
  readonly week: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micros: number;
}

/** Directives of strftime, `%-x` being `%x` without leading zeros. */
const DIRECTIVES: Readonly<Record<string, (fields: Fields) => string>> = {
  Y: ({ year }) => pad(year, 4),
  y: ({ year }) => pad(year % 100, 2),
  m: ({ month }) => pad(month, 2),
  B: ({ month }) => MONTHS[month - 1] ?? '',
  b: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  d: ({ day }) => pad(day, 2),
  A: ({ weekday }) => DAYS[weekday] ?? '',
  a: ({ weekday }) => (DAYS[weekday] ?? '').slice(0, 3),
  w: ({ weekday }) => String(weekday),
  u: ({ weekday }) => String(weekday === 0 ? 7 : weekday),
  j: ({ yearDay }) => pad(yearDay, 3),
  H: ({ hour }) => pad(hour, 2),
  I: ({ hour }) => pad(hour % 12 === 0 ? 12 : hour % 12, 2),
  p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  M: ({ minute }) => pad(minute, 2),
  S: ({ second }) => pad(second, 2),
  f: ({ micros }) => pad(micros, 6),
  g: ({ micros }) => pad(Math.floor(micros / 1000), 3),
  U: ({ yearDay, weekday }) => pad(Math.floor((yearDay + 6 - weekday) / 7), 2),
  W: ({ yearDay, weekday }) => pad(Math.floor((yearDay + 6 - ((weekday + 6) % 7)) / 7), 2),
  V: ({ week }) => pad(week, 2),
  G: ({ weekYear }) => pad(weekYear, 4),
  '%': () => '%',
};

/** Days since 1970 and microseconds of the day, in a strftime format. */
export function formatTime(days: number, micros: number, format: string): string | ValueFault {
  const fault = formatFault(format, false);
  if (fault !== null) return new ValueFault(fault);
  const { year, month, day } = civilFromDays(days);
  const weekday = (((days + 4) % 7) + 7) % 7;
  const thursday = days + 4 - (weekday === 0 ? 7 : weekday);
  const weekYear = civilFromDays(thursday).year;
  const seconds = Math.floor(micros / SECOND);
  const fields: Fields = {
    ...{ year, month, day, micros: micros % SECOND, second: seconds % 60 },
    ...{ weekday, weekYear, week: Math.floor((thursday - daysFromCivil(weekYear, 1, 1)) / 7) + 1 },
    yearDay: days - daysFromCivil(year, 1, 1) + 1,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
  };
  let result = '';
  for (const { directive, isBare, text } of formatParts(format)) {
    const shown = directive === null ? text : (DIRECTIVES[directive]?.(fields) ?? '');
    result += isBare ? shown.replace(/^0+(?=\d)/, '') : shown;
  }
  return result;
}

/** A text read by a strftime format; what the format leaves open is 1900-01-01 00:00:00. */
export function parseTime(
  text: string,
  format: string,
): { readonly days: number; readonly micros: number } | ValueFault {
  const fault = formatFault(format, true);
  if (fault !== null) return new ValueFault(fault);
  const read = new Map<string, number>();
  let at = 0;
  for (const { directive, text: literal } of formatParts(format)) {
    if (directive === null || directive === '%') {
      const wanted = directive === null ? literal : '%';
      if (wanted === ' ') at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
      else if (text.startsWith(wanted, at)) at += wanted.length;
      else return mismatch(text, format);
      continue;
    }
    if (at === 0) at += /^\s*/.exec(text)?.[0].length ?? 0;
    const found = readDirective(directive, text.slice(at));
    if (found === null) return mismatch(text, format);
    read.set(directive, found.value);
    at += found.length;
  }
  if (text.slice(at).trim() !== '') return mismatch(text, format);
  return timeOf(read) ?? mismatch(text, format);
}

const WIDTHS: Readonly<Record<string, number>> = { Y: 4, j: 3, f: 6, g: 3, w: 1, u: 1 };

function readDirective(
  directive: string,
  text: string,
): { readonly value: number; readonly length: number } | null {
  if (directive === 'p') {
    const half = /^[ap]m/i.exec(text)?.[0];
    return half === undefined ? null : { value: /^p/i.test(half) ? 12 : 0, length: 2 };
  }
  const names = directive === 'B' || directive === 'b' ? MONTHS : DAYS;
  if (['B', 'b', 'A', 'a'].includes(directive)) {
    const isShort = directive === 'b' || directive === 'a';
    const spelled = names.map((name) => (isShort ? name.slice(0, 3) : name).toLowerCase());
    const folded = text.toLowerCase();
    const index = spelled.findIndex((name) => folded.startsWith(name));
    return index < 0 ? null : { value: index, length: spelled[index]?.length ?? 0 };
  }
  const width = WIDTHS[directive] ?? 2;
  const digits = /^\d+/.exec(text.slice(0, width))?.[0];
  if (digits === undefined) return null;
  // Fractions of a second.
  const scale = directive === 'f' || directive === 'g' ? 10 ** (width - digits.length) : 1;
  return { value: Number(digits) * scale, length: digits.length };
}

function timeOf(read: ReadonlyMap<string, number>): { days: number; micros: number } | null {
  const short = read.get('y');
  const year = read.get('Y') ?? (short === undefined ? 1900 : short + (short < 69 ? 2000 : 1900));
  const named = read.get('B') ?? read.get('b');
  const month = read.get('m') ?? (named === undefined ? 1 : named + 1);
  const day = read.get('d') ?? 1;
  const yearDay = read.get('j');
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return null;
  const half = read.get('I');
  const hour = half === undefined ? (read.get('H') ?? 0) : (half % 12) + (read.get('p') ?? 0);
  const minute = read.get('M') ?? 0;
  const second = read.get('S') ?? 0;
  if (hour > 23 || minute > 59 || second > 59 || (half !== undefined && (half < 1 || half > 12)))
    return null;
  const days =
    yearDay === undefined ? daysFromCivil(year, month, day) : daysFromCivil(year, 1, yearDay);
  const fraction = read.get('f') ?? (read.get('g') ?? 0) * 1000;
  return { days, micros: ((hour * 60 + minute) * 60 + second) * SECOND + fraction };
}

function mismatch(text: string, format: string): ValueFault {
  const shown = JSON.stringify(text.slice(0, 100));
  return new ValueFault(`Value ${shown} is not a time of the format '${format}'`, 'type-error');
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
