import { describe, expect, test } from 'vitest';
import { daysFromCivil, civilFromDays } from '../../pipeline/values/calendar.ts';
import { ValueKind, valueKind } from '../../pipeline/values/value-kind.ts';

const EXAMPLES: Readonly<Record<keyof typeof ValueKind, readonly string[]>> = {
  empty: [''],
  integer: ['0', '7', '-7', '9223372036854775807', '-9223372036854775808'],
  number: ['-0', '0.5', '-1.25', '1e5', '1E-999', '12345678901234567890.5'],
  boolean: ['true', 'FALSE', 'True'],
  date: ['2024-02-29', '0001-01-01', '9999-12-31'],
  datetime: [
    ...['2024-02-29 10:20', '2024-02-29T10:20:30', '2024-02-29 10:20:30.123456789'],
    ...['2024-02-29T10:20Z', '2024-02-29T10:20:30+02', '2024-02-29T10:20:30-02:30'],
  ],
  string: [
    ...['007', '+1', ' 1', '1 ', '.5', '5.', '1e', '1e1000', '1e999', '--1', '-', 't', 'yes'],
    ...['9223372036854775808', '-9223372036854775809', 'NaN', 'inf', '0x10', '1,5'],
    ...['2023-02-29', '2024-13-01', '2024-1-1', '2024/01/01', '2024-01-01 25:00'],
    ...['2024-01-01 10:60', '2024-01-01 10', '2024-01-01T10:20:30.', '2024-01-01T10:20:61'],
    ...['2024-01-01 10:20:30.1234567890', '2024-01-01 10:20 Z', '2024-01-01T10:20+2', 'tru€'],
  ],
};

describe('valueKind', () => {
  for (const [name, texts] of Object.entries(EXAMPLES)) {
    test.each(texts)(`${name}: %j`, (text) => {
      const bytes = new TextEncoder().encode(`0${text}0`);
      expect(valueKind(bytes, 1, bytes.length - 1)).toBe(ValueKind[name as keyof typeof ValueKind]);
    });
  }
});

test('days and civil dates are inverse over 800 years', () => {
  const wrong: number[] = [];
  for (let days = -150_000; days < 150_000; days += 1) {
    const { year, month, day } = civilFromDays(days);
    const date = new Date(days * 86_400_000);
    const isSame =
      date.getUTCFullYear() === year &&
      date.getUTCMonth() + 1 === month &&
      date.getUTCDate() === day;
    if (!isSame || daysFromCivil(year, month, day) !== days) wrong.push(days);
  }
  expect(wrong).toEqual([]);
});
