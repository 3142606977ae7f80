import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { checkPlan } from '../../pipeline/plan/check.ts';
import { runs } from '../support/runs.ts';

/** A plan may have little more. */
const MEGABYTE = 1_040_000;
const pages = ['plan', 'sql'].map((page) => readFileSync(`docs/${page}.md`, 'utf8'));
const plans = pages.flatMap((page) =>
  [...page.matchAll(/```plan\n([\s\S]*?)```/g)].map(([, text = '']) => text),
);
const names = ['id', 'country', 'amount', 'name', 'price', 'a', 'b', 'city', 'day'];
const columns = names.map((name) => ({ name, type: 'string' as const }));
const input = { format: 'csv' as const, dialect: RFC_4180, columns };

/** What YAML, JSON, SQL and Unicode have that is easily taken for something else. */
const pieces = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ': ',
    ', ',
    '- ',
    '\n',
    '\n  ',
    '\t',
    '"',
    "'",
    '#',
    '|',
    '>',
    '&a ',
    '*a',
  ],
  ...['!!binary ', '!x ', '<<: ', '? ', '---\n', '...\n', '%', '@', '`', '~', '\\', '\0', '\r'],
  ...[
    '(',
    ')',
    '::',
    'CASE',
    '--',
    '/*',
    '1e999',
    '-0',
    '0x1f',
    '.inf',
    '2024-02-30',
    'null',
    'yes',
  ],
  ...['\u202e', '\ufeff', '\ud800', '\u{1f600}', 'e\u0301', '\u00a0', '\u2028', 'İ', '__proto__'],
);
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat(12),
  piece: pieces,
});
const mutated = fc
  .tuple(fc.constantFrom(...plans), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([plan, mutations]) =>
    mutations.reduce((text, { at, cut, piece }) => {
      const place = Math.floor(at * text.length);
      return text.slice(0, place) + piece + text.slice(place + cut);
    }, plan),
  );

function expectAnswer(text: string): void {
  for (const known of [input, undefined]) {
    const { valid, issues } = checkPlan(text, known);
    expect(valid).toBe(issues.length === 0);
    for (const { message, line, column } of issues) {
      expect(message).not.toBe('');
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(text.split('\n').length);
      expect(column).toBeGreaterThan(0);
    }
  }
}

describe('a plan of the documentation that was damaged', () => {
  it('compiles or is refused with its place', () => {
    expect(plans.length).toBeGreaterThan(20);
    fc.assert(fc.property(mutated, expectAnswer), { numRuns: runs(1000) });
  });
});

describe('a plan that is made to cost much', () => {
  const doubling = [
    'a0: &a0 [x]',
    ...Array.from(
      { length: 30 },
      (_, i) => `a${String(i + 1)}: &a${String(i + 1)} [*a${String(i)}, *a${String(i)}]`,
    ),
  ];
  it.each([
    ['an expression of a megabyte', `steps: [{ filter: "a = '${'x'.repeat(MEGABYTE)}" }]`],
    ['a list of a megabyte', `steps: [{ filter: "a IN (${"'x', ".repeat(MEGABYTE / 5)}'x')" }]`],
    ['a megabyte of brackets', `steps: ${'['.repeat(MEGABYTE)}`],
    ['a megabyte of braces', '{a: '.repeat(MEGABYTE / 4)],
    [
      'a megabyte of indents',
      Array.from({ length: 1400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    ],
    ['anchors that double', doubling.join('\n')],
    ['many steps', `steps:\n${'  - trim: "*"\n'.repeat(1_000)}`],
    ['more steps than a plan may have', `steps:\n${'  - limit: 1\n'.repeat(2_000)}`],
    ['a megabyte of one word', 'x'.repeat(MEGABYTE)],
    ['a megabyte of SQL', `sql: "SELECT ${'a + '.repeat(MEGABYTE / 4)}a FROM input"`],
    [
      'a pattern of a megabyte',
      `steps: [{ filter: "regexp_matches(a, '${'(a|b)*'.repeat(MEGABYTE / 6)}')" }]`,
    ],
    ['a pattern that nests', `steps: [{ filter: "regexp_matches(a, '${'('.repeat(50_000)}')" }]`],
    [
      'a pattern that repeats',
      `steps: [{ filter: "regexp_matches(a, '((a{1000}){1000}){1000}')" }]`,
    ],
  ])('%s is answered', (_, text) => {
    const { valid, issues } = checkPlan(text, input);
    expect(valid).toBe(issues.length === 0);
  });
});
