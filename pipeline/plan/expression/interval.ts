import type { Interval } from './ast.ts';
import { expressionError } from './lexer.ts';
import type { TokenReader } from './token-reader.ts';

const SECOND_MICROS = 1_000_000;

/** Months and microseconds of one of each unit. */
const UNITS: Readonly<Record<string, { readonly months: number; readonly micros: number }>> = {
  year: { months: 12, micros: 0 },
  quarter: { months: 3, micros: 0 },
  month: { months: 1, micros: 0 },
  week: { months: 0, micros: 7 * 86_400 * SECOND_MICROS },
  day: { months: 0, micros: 86_400 * SECOND_MICROS },
  hour: { months: 0, micros: 3_600 * SECOND_MICROS },
  minute: { months: 0, micros: 60 * SECOND_MICROS },
  second: { months: 0, micros: SECOND_MICROS },
};

const EXPECTED = "such as INTERVAL 3 DAY or INTERVAL '2 months'";

/** Reads what follows the word INTERVAL: `3 DAY`, `'3' DAY`, `'1 year 2 months'`. */
export function readInterval(reader: TokenReader, at: number): Interval {
  const sign = reader.takeSymbol('-') ? -1 : 1;
  const token = reader.next();
  const isCount = token.kind === 'number' || /^\s*[+-]?\d+\s*$/.test(token.text);
  if (token.kind === 'number' && !/^\d+$/.test(token.text)) throw wrong(token.text, token.start);
  if (token.kind !== 'number' && token.kind !== 'string') throw reader.unexpected(token, EXPECTED);
  if (isCount) {
    const unit = reader.next();
    const size = unit.kind === 'name' ? unitNamed(unit.text) : undefined;
    if (size === undefined) throw reader.unexpected(unit, 'day, month, year, hour, minute, second');
    return made([[sign * Number(token.text), size]], token.start, at);
  }
  const parts = [...token.text.matchAll(/([+-]?\d+)\s*([a-z]+)|(\S)/gi)].map((match) => {
    const size = unitNamed(match[2] ?? '');
    if (size === undefined) throw wrong(token.text, token.start);
    return [sign * Number(match[1]), size] as const;
  });
  if (parts.length === 0) throw wrong(token.text, token.start);
  return made(parts, token.start, at);
}

type Size = (typeof UNITS)[string];

function made(parts: readonly (readonly [number, Size])[], place: number, at: number): Interval {
  let months = 0;
  let micros = 0;
  for (const [count, size] of parts) {
    months += count * size.months;
    micros += count * size.micros;
  }
  if (!Number.isSafeInteger(months) || !Number.isSafeInteger(micros)) {
    throw expressionError('The interval is too long', place, EXPECTED);
  }
  return { kind: 'interval', months, micros, at };
}

function unitNamed(name: string): Size | undefined {
  const folded = name.toLowerCase().replace(/s$/, '');
  return Object.hasOwn(UNITS, folded) ? UNITS[folded] : undefined;
}

function wrong(text: string, at: number): Error {
  return expressionError(`'${text}' is not an interval`, at, EXPECTED);
}
