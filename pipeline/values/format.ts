import { civilFromDays } from './calendar.ts';

/** Canonical texts of values, spelled as DuckDB writes them to CSV. */

/** Shortest text that reads back as the same double: `10.0`, `0.1`, `1e+16`, `1e-05`, `inf`. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e16) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** Exact text of `mantissa / 10^scale`, without exponent or needless zeros: `-0.05`, `1200`. */
export function formatDecimal(mantissa: bigint, scale: number): string {
  const text = formatFixed(mantissa, scale);
  return scale === 0 ? text : text.replace(/\.?0+$/, '');
}

/** Exact text of `mantissa / 10^scale` with all its digits: `-0.050`. */
export function formatFixed(mantissa: bigint, scale: number): string {
  const negative = mantissa < 0n;
  const digits = (negative ? -mantissa : mantissa).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${negative ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(whole.length)}`}`;
}

/** `YYYY-MM-DD` of days since 1970-01-01. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `YYYY-MM-DD HH:MM:SS[.ffffff]` in UTC of microseconds since 1970; no trailing zeros. */
export function formatTimestamp(micros: number | bigint): string {
  const exact = BigInt(micros);
  const dayMicros = 86_400_000_000n;
  const within = ((exact % dayMicros) + dayMicros) % dayMicros;
  const days = Number((exact - within) / dayMicros);
  const seconds = Number(within / 1_000_000n);
  const fraction = Number(within % 1_000_000n);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = fraction === 0 ? '' : `.${pad(fraction, 6).replace(/0+$/, '')}`;
  return `${formatDate(days)} ${clock.map((part) => pad(part, 2)).join(':')}${tail}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
