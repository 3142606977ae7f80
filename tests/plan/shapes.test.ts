import { expect, it } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { checkPlan } from '../../pipeline/plan/check.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';

const columns = [
  { name: 'a', type: 'integer' as const },
  { name: 's', type: 'string' as const },
];
const input = { format: 'csv' as const, dialect: RFC_4180, columns };
const many = (count: number, make: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join(', ');

it.each([
  ...['\u0000', '\ud800', '\ufeffa =', 'a\u200b= 1', '\u202ea = 1', 's = ‘x’', 's = $$x$$'],
  ...[
    "s = E'\\n'",
    "s = x'00'",
    "s = U&'\\0041'",
    'a = 0b1',
    '🙂 = 1',
    'a = $1',
    'a = ?',
    'a = :x',
    "a -> 'b'",
  ],
  ...[
    's[1]',
    "{'a': 1}",
    '[1, 2]',
    '*',
    'a = 1; DROP TABLE x',
    'x -> x',
    'sum(a) OVER ()',
    'CASE WHEN a THEN',
  ],
  ...[
    'CAST(a AS',
    'a IN (',
    'a BETWEEN 1',
    "INTERVAL '1'",
    "DATE '2024-01-01' + INTERVAL 'x'",
    'extract(foo FROM a)',
  ],
  ...[
    'CAST(a AS DECIMAL(99999999999999999999, 3))',
    'CAST(a AS DECIMAL(-1))',
    "strftime(DATE '2024-01-01', '%')",
  ],
  ...[
    "strptime(s, '%Q')",
    "strptime(s, '%V')",
    "date_part('', DATE '2024-01-01')",
    'a\r\n=\r\n1 +',
    '\t\t)',
  ],
  ...[
    "'x",
    '"x',
    'a /* x',
    'a /* /* x */',
    "s LIKE '!' ESCAPE '!'",
    `"${'n'.repeat(100_000)}"`,
    '9'.repeat(100_000),
  ],
  ...[
    `1e${'9'.repeat(1000)}`,
    `regexp_matches(s, '${'('.repeat(3000)}')`,
    "regexp_matches(s, 'a{1000}{1000}')",
  ],
])('an expression of an odd shape is refused with its place, in few words: %#', (text) => {
  const plan = JSON.stringify({ steps: [{ derive: { v: text } }] });
  const { issues } = checkPlan(plan, input);
  expect(issues.length).toBeGreaterThan(0);
  for (const { path, line, offset, message, expected } of issues) {
    expect([path, line]).toEqual(['/steps/0/derive/v', 1]);
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset).toBeLessThanOrEqual(text.length);
    expect(message.length + expected.length).toBeLessThan(1500);
    expect(message).not.toMatch(/undefined|\[object/);
  }
});

it('comments nest, as in DuckDB, and blanks may be of any kind', () => {
  const texts = ['a /* 1 /* 2 */ 3 */ + 1', '/* a */ a -- b', 'a\u00a0=\u00a01', '\ufeffa'];
  for (const text of texts) {
    const plan = JSON.stringify({ steps: [{ derive: { v: text } }] });
    expect(checkPlan(plan, input).issues).toEqual([]);
  }
});

it.each([
  ['copied', `SELECT ${many(20_000, (i) => `a AS c${i}`)} FROM input`],
  ['computed', `SELECT ${many(20_000, (i) => `a + ${i} AS c${i}`)} FROM input`],
])('as many columns as a file may have are %s, in bounded memory', (_what, sql) => {
  // Each step with lists of its own, they took gigabytes.
  const { waves } = compilePlan(parsePlan(JSON.stringify({ sql })), input);
  const before = process.memoryUsage().rss;
  const { statistics } = createChunkProgram(waves[0].context).run(Buffer.from('1,x\n'.repeat(70)));
  expect(statistics).toMatchObject({ outputRecords: 70, rejected: 0 });
  expect(process.memoryUsage().rss - before).toBeLessThan(600 * 2 ** 20);
});
