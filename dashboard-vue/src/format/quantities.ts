/** Numbers, sizes, times as a person reads them. Locale by Intl; '–' stands for unknown. */

const UNKNOWN = '–';
const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });
const dateTime = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
const SIZE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

export function formatCount(count: number | null): string {
  return count === null ? UNKNOWN : whole.format(count);
}

/** 1.2K, 3.4M: for places where a whole number has no room. */
export function formatCompact(count: number): string {
  return compact.format(count);
}

export function formatNumber(value: number | null): string {
  return value === null ? UNKNOWN : significant.format(value);
}

/** Decimal units (1 MB = 1,000,000 bytes), three digits at most. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < SIZE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const text = new Intl.NumberFormat('en', { maximumFractionDigits: digits }).format(value);
  return `${text} ${SIZE_UNITS[unit] ?? ''}`;
}

export function formatRate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? UNKNOWN : `${formatBytes(bytesPerSecond)}/s`;
}

/** Share from 0 to 1. Never says 100 % before it is, nor 0 % once it is not. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.001) return '<0.1%';
  if (share < 1 && share > 0.999) return '>99.9%';
  return percent.format(share);
}

/** 840 ms, 12 s, 3 min 5 s, 2 h 10 min, 3 d 4 h. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 1000) return `${whole.format(Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const pairs = [
    [86_400, 'd', 3600, 'h'],
    [3600, 'h', 60, 'min'],
    [60, 'min', 1, 's'],
  ] as const;
  const pair = pairs.find(([size]) => seconds >= size) ?? pairs[2];
  const [size, unit, lesserSize, lesserUnit] = pair;
  const rest = Math.floor((seconds % size) / lesserSize);
  const head = `${Math.floor(seconds / size)} ${unit}`;
  return rest === 0 ? head : `${head} ${rest} ${lesserUnit}`;
}

/** 'now', '5s ago', '3h ago', '2d ago', by the clock given. */
export function formatAge(iso: string, nowMs: number): string {
  const seconds = Math.min(0, Math.round((Date.parse(iso) - nowMs) / 1000));
  if (Number.isNaN(seconds)) return UNKNOWN;
  if (seconds > -5) return 'now';
  if (seconds > -60) return relative.format(seconds, 'second');
  if (seconds > -3600) return relative.format(Math.trunc(seconds / 60), 'minute');
  if (seconds > -86_400) return relative.format(Math.trunc(seconds / 3600), 'hour');
  return relative.format(Math.trunc(seconds / 86_400), 'day');
}

export function formatTime(iso: string): string {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? UNKNOWN : dateTime.format(ms);
}

/** A delimiter, quote or the like, so that blanks can be told apart. */
export function formatMark(mark: string): string {
  const names: Readonly<Record<string, string>> = {
    '': 'none',
    '\t': 'tab',
    ' ': 'space',
    ',': 'comma  ,',
    ';': 'semicolon  ;',
    '|': 'pipe  |',
    ':': 'colon  :',
    '"': 'double  "',
    "'": "single  '",
    '\n': 'LF',
    '\r\n': 'CRLF',
    '\r': 'CR',
  };
  return Object.hasOwn(names, mark) ? (names[mark] ?? mark) : mark;
}
