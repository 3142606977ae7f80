import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { checkPlan } from '../../pipeline/plan/check.ts';
import { statementText } from '../support/statement-texts.ts';
import { runs } from '../support/runs.ts';

const input = {
  format: 'csv' as const,
  dialect: RFC_4180,
  columns: [
    { name: 'a', type: 'integer' as const },
    { name: 'b c', type: 'string' as const },
    { name: 'x', type: 'number' as const },
  ],
};
const words = fc.constantFrom(
  ...[
    'SELECT',
    'FROM',
    'input',
    'WHERE',
    'GROUP BY',
    'HAVING',
    'ORDER BY',
    'LIMIT',
    'OFFSET',
    'ALL',
  ],
  ...['a', '"b c"', 'x', 'input.a', '*', ',', '(', ')', 'AS', 'WITH', 't', 'JOIN', 'ON', 'USING'],
  ...['count(*)', 'sum(', 'DISTINCT', 'EXCLUDE', 'REPLACE', 'RENAME', '1', '2.5', "'x'", '=', '+'],
  ...[
    'AND',
    'NULLS FIRST',
    'DESC',
    'FILTER (WHERE',
    'OVER',
    'UNION',
    'LEFT',
    'SEMI',
    '.',
    ';',
    '--',
  ],
  ...[
    'CASE WHEN',
    'THEN',
    'END',
    'IN',
    'NOT',
    'NULL',
    '"',
    "'",
    '/*',
    '\n',
    'VALUES',
    'COLUMNS',
    '::',
  ],
);
const soup = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' '));
const broken = fc
  .tuple(statementText, fc.nat(300), fc.nat(20), words)
  .map(([text, at, length, word]) => text.slice(0, at) + word + text.slice(at + length));
const text = fc.oneof(
  soup,
  soup.map((rest) => `SELECT ${rest}`),
  broken,
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary' }),
);

describe('a statement', () => {
  it('compiles or is refused with its place, whatever the text', () => {
    fc.assert(
      fc.property(text, (sql) => {
        for (const answer of [check(sql), check(sql, false)]) {
          expect(answer.valid).toBe(answer.issues.length === 0);
          for (const { path, offset, expected, message } of answer.issues) {
            expect(path).toBe('/sql');
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset).toBeLessThanOrEqual(sql.length);
            expect(message).not.toContain('\u0000');
            expect(expected).not.toBe('');
          }
        }
      }),
      { numRuns: runs(3000) },
    );
  });

  it('that is well formed is refused for what it means, if at all, before and behind sniffing', () => {
    let valid = 0;
    fc.assert(
      fc.property(statementText, (sql) => {
        const answer = check(sql);
        if (answer.valid) valid += 1;
        // What is refused without the columns is refused with them.
        const early = check(sql, false);
        if (!early.valid) expect(answer.issues).toEqual(early.issues);
      }),
      { numRuns: runs(2000) },
    );
    expect(valid).toBeGreaterThan(60);
  });

  it.each([
    ['nesting', `SELECT * FROM ${'('.repeat(50_000)}`],
    ['subqueries', `${'SELECT * FROM ('.repeat(5000)}SELECT * FROM input${')'.repeat(5000)}`],
    [
      'common tables',
      `WITH ${many(3000, (i) => `t${i} AS (SELECT * FROM ${i === 0 ? 'input' : `t${i - 1}`})`)} SELECT * FROM t2999`,
    ],
    ['stars', `SELECT ${many(50_000, () => '*')} FROM input`],
    [
      'aliases that double',
      `SELECT ${many(60, (i) => (i === 0 ? 'a AS a0' : `a${i - 1} + a${i - 1} AS a${i}`))} FROM input`,
    ],
    [
      'aliases that grow',
      `SELECT a AS a0, ${many(3000, (i) => `a${i} + 1 AS a${i + 1}`)} FROM input`,
    ],
    ['aggregates', `SELECT ${many(30_000, (i) => `sum(a + ${i})`)} FROM input`],
    ['order keys', `SELECT a FROM input ORDER BY ${many(20_000, (i) => `a + ${i}`)}`],
    ['group keys', `SELECT count(*) FROM input GROUP BY ${many(20_000, (i) => `a + ${i}`)}`],
  ])('with too many %s is answered', (_what, sql) => {
    const answer = check(sql);
    expect(answer.issues.every(({ path }) => path === '/sql')).toBe(true);
  });
});

function check(sql: string, isSniffed = true) {
  return checkPlan(JSON.stringify({ sql }), isSniffed ? input : undefined);
}

function many(count: number, make: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => make(i)).join(', ');
}
