import fc from 'fast-check';
import type { Types } from './expression-oracle.ts';
import type { LookupFile } from './run-plan.ts';

type Text = fc.Arbitrary<string>;
const one = (...values: string[]): Text => fc.constantFrom(...values);
const parts = (...texts: Text[]): Text => fc.tuple(...texts).map((made) => made.join(''));

/** A table of few different values, many of them NULL; `id` is of one record. */
export const STATEMENT_HEADER = ['id', 'n', 'm', 'x', 's', 'u', 'd', 't', 'b'];
export const STATEMENT_TYPES: Types = {
  ...{ id: 'integer', n: 'integer', m: 'integer', x: 'number', b: 'boolean' },
  ...{ d: 'date', t: 'datetime' },
};
const VALUES: Readonly<Record<string, readonly string[]>> = {
  n: ['0', '1', '-3', '', '42', '7', '9007199254740993', '7'],
  m: ['2', '', '5', '-1', '5'],
  x: ['0.5', '-1.25', '3.0', '', '1000.0', '0.1', '-0.0', '3.0', '0.0'],
  s: ['a', 'Abc', 'ä b', '"x,y"', 'abc', '', '日本', 'b'],
  u: ['é', 'E', 'e', '', '🙂', 'a%', 'Z'],
  d: ['2024-02-29', '', '1999-12-31', '2000-01-01', '2024-03-01', '1999-12-31'],
  t: ['2024-02-29 12:34:56', '', '1969-12-31 23:59:59.5', '2024-02-29 00:00:00'],
  b: ['true', '', 'false'],
};
const lines = Array.from({ length: 180 }, (_, id) =>
  STATEMENT_HEADER.map((name, column) => {
    const values = VALUES[name];
    if (values === undefined) return String(id);
    return values[(id * (column + 2) + Math.floor(id / (column + 5))) % values.length];
  }).join(','),
);
export const STATEMENT_TEXT = `${[STATEMENT_HEADER.join(','), ...lines].join('\n')}\n`;

/** Keys of which some come twice, and some are NULL. */
export const STATEMENT_LOOKUPS: readonly LookupFile[] = [
  {
    ...{ name: 'sizes.csv', types: { k: 'integer' } },
    text: 'k,label\n2,two\n5,five\n5,V\n,none\n-1,\n42,many\n',
  },
  { name: 'letters.csv', text: 'k,v\na,1\né,2\nabc,3\nabc,4\n,5\n' },
];

const integer = one(
  ...['n', 'm', 'n % 3', 'm * 2', 'coalesce(m, -7)', 'length(s)', 'year(d)', 'n // 7', 'abs(m)'],
  ...[
    'CASE WHEN b THEN m ELSE n END',
    'nullif(m, 5)',
    "date_diff('day', d, t)",
    'sign(x)',
    'hour(t)',
  ],
);
const number = one('x', 'x * 2', 'm / 4', 'x + m', 'round(x, 1)', 'coalesce(x, 0.5e0)', 'floor(x)');
const text = one(
  ...['s', 'u', 'upper(s)', 's || u', "coalesce(u, '-')", 'left(s, 1)', "concat_ws('/', s, u)"],
  ...[
    "regexp_replace(s, '[a-c]', 'x', 'g')",
    'CAST(m AS VARCHAR)',
    "strftime(d, '%Y-%m')",
    'reverse(s)',
  ],
);
const time = one(
  'd',
  't',
  "date_trunc('month', t)",
  'd + 1',
  "t - INTERVAL '1 day'",
  'CAST(t AS DATE)',
);
const value = fc.oneof(integer, number, text, time, one('b', 'b AND m > 2', 's IS NULL'));
const condition: Text = fc.oneof(
  parts(integer, one(' > ', ' = ', ' <> ', ' IS DISTINCT FROM '), integer),
  parts(number, one(' < ', ' >= '), number),
  parts(
    text,
    one(
      " LIKE '%b%'",
      " ILIKE 'a%'",
      " IN ('a', 'b', NULL)",
      " NOT IN ('a', 'Abc')",
      ' IS NULL',
      " > 'b'",
    ),
  ),
  parts(
    time,
    one(
      ' IS NOT NULL',
      " >= DATE '2000-01-01'",
      " BETWEEN DATE '1999-01-01' AND DATE '2024-02-29'",
    ),
  ),
  one('b', 'NOT b', 'b IS NOT TRUE', 'm IN (2, NULL)', 'm NOT IN (2, NULL)', 'n BETWEEN -3 AND 7'),
);
const where = fc.oneof(
  one(''),
  condition.map((made) => ` WHERE ${made}`),
  fc.tuple(condition, one('AND', 'OR'), condition).map((made) => ` WHERE ${made.join(' ')}`),
);
const filter = fc.oneof(
  { weight: 3, arbitrary: one('') },
  condition.map((made) => ` FILTER (WHERE ${made})`),
);
const aggregate = fc.oneof(
  fc
    .tuple(
      fc.oneof(
        one(
          'count(*)',
          'sum(n % 1000)',
          'avg(x)',
          'stddev_samp(x)',
          'var_pop(m)',
          'bool_and(b)',
          'bool_or(m > 2)',
        ),
        parts(
          one('sum(', 'avg('),
          fc.oneof(one('m', 'x', 'm * 2', 'length(s)', 'x + m')),
          one(')'),
        ),
        parts(
          one('min(', 'max(', 'count(', 'count(DISTINCT ', 'any_value('),
          value,
          one(')'),
        ).filter((made) => !made.startsWith('any_value')),
        parts(one('median(', 'sum(DISTINCT '), one('m', 'x', 'm % 3'), one(')')),
        parts(
          one('quantile_cont(', 'quantile_disc('),
          one('m', 'x', 'd', 't'),
          one(', 0.25)', ', 0.9)', ', 1)'),
        ),
        parts(
          one('first(', 'last('),
          value,
          one(' ORDER BY id DESC)', ' ORDER BY s, id)', ' ORDER BY m DESC NULLS LAST, id)'),
        ),
        parts(
          one('string_agg('),
          text,
          one(", '|' ORDER BY id)", ", '' ORDER BY u DESC NULLS FIRST, id)"),
        ),
      ),
      filter,
    )
    .map((made) => made.join('')),
  one('count(*) + 1', 'sum(m) / count(*)', 'max(n) - min(n)', "coalesce(max(s), '?')"),
);
const direction = one(
  '',
  ' DESC',
  ' NULLS FIRST',
  ' DESC NULLS FIRST',
  ' ASC NULLS LAST',
  ' DESC NULLS LAST',
);
const page = one('', '', ' LIMIT 7', ' LIMIT 20 OFFSET 3', ' OFFSET 150', ' LIMIT 0');

/** Something with the columns of the table. */
const source = fc.oneof(
  { weight: 3, arbitrary: one('input') },
  where.map((made) => `(SELECT * FROM input${made}) AS q`),
  fc
    .tuple(integer, text, where)
    .map(
      ([a, b, made]) =>
        `(SELECT * REPLACE (CAST(${a} AS BIGINT) AS n, ${b} AS s) FROM input${made}) q`,
    ),
  page.map((made) => `(SELECT * FROM input ORDER BY m DESC NULLS FIRST, id${made}) AS q`),
  one('(SELECT DISTINCT ON (m, s) * FROM input ORDER BY id) q'),
);
const joined = fc.oneof(
  fc
    .tuple(one('JOIN', 'LEFT JOIN'), one('m', 'n', 'length(s)'))
    .map(
      ([how, key]) =>
        `input i ${how} sizes l ON ${key === 'length(s)' ? 'length(i.s)' : `i.${key}`} = l.k`,
    ),
  fc
    .tuple(one('SEMI JOIN', 'ANTI JOIN'), one('m', 'n'))
    .map(([how, key]) => `input ${how} sizes l ON ${key} = l.k`),
);

const rows = fc
  .tuple(
    fc.array(value, { minLength: 1, maxLength: 3 }),
    source,
    where,
    fc.array(fc.tuple(value, direction), { maxLength: 2 }),
    page,
  )
  .map(([items, from, made, keys, some]) => {
    const list = items.map((item, i) => `${item} AS v${String(i)}`);
    const order = [...keys.map((key) => key.join('')), 'id'].join(', ');
    return `SELECT id, ${list.join(', ')} FROM ${from}${made} ORDER BY ${order}${some}`;
  });
const distinct = fc
  .tuple(value, value, source, where, direction, direction, page)
  .map(
    ([a, b, from, made, first, second, some]) =>
      `SELECT DISTINCT ${a} AS v, ${b} AS w FROM ${from}${made} ORDER BY 1${first}, 2${second}${some}`,
  );
const having = fc.oneof(
  { weight: 2, arbitrary: one('') },
  one(
    ' HAVING count(*) > 3',
    ' HAVING sum(m) IS NOT NULL',
    ' HAVING max(x) > 1 OR min(s) IS NULL',
    ' HAVING count(DISTINCT u) < 4',
  ),
);
const grouped = fc
  .tuple(
    fc.array(value, { minLength: 1, maxLength: 2 }),
    fc.array(aggregate, { minLength: 1, maxLength: 3 }),
    source,
    where,
    having,
    direction,
  )
  .map(([keys, measures, from, made, held, order]) => {
    const names = keys.map((_, i) => String(i + 1));
    const list = [
      ...keys.map((key, i) => `${key} AS k${String(i)}`),
      ...measures.map((measure, i) => `${measure} AS a${String(i)}`),
    ];
    return `SELECT ${list.join(', ')} FROM ${from}${made} GROUP BY ${names.join(', ')}${held} ORDER BY ${names.map((name) => name + order).join(', ')}`;
  });
const whole = fc
  .tuple(fc.array(aggregate, { minLength: 1, maxLength: 4 }), source, where)
  .map(
    ([measures, from, made]) =>
      `SELECT ${measures.map((measure, i) => `${measure} AS a${String(i)}`).join(', ')} FROM ${from}${made}`,
  );
const nested = fc
  .tuple(integer, aggregate, source, direction)
  .map(
    ([key, measure, from, order]) =>
      `WITH g AS (SELECT ${key} AS k, ${measure} AS a, count(*) AS c FROM ${from} GROUP BY ALL) SELECT c, count(*) AS n, max(k) AS top, count(a) AS some FROM g GROUP BY c ORDER BY c${order}`,
  );
const joins = fc.oneof(
  fc
    .tuple(joined, direction)
    .map(([from, order]) =>
      /SEMI|ANTI/.test(from)
        ? `SELECT id, m, s FROM ${from} ORDER BY m${order}, id`
        : `SELECT i.id, i.m, l.label FROM ${from} ORDER BY l.label${order}, i.id, l.k`,
    ),
  joined
    .filter((from) => !/SEMI|ANTI/.test(from))
    .map(
      (from) =>
        `SELECT l.label AS k, count(*) AS c, sum(i.m) AS a, count(l.k) AS some FROM ${from} GROUP BY l.label ORDER BY 1`,
    ),
  one('JOIN', 'LEFT JOIN', 'SEMI JOIN', 'ANTI JOIN').map(
    (how) =>
      `SELECT id${/SEMI|ANTI/.test(how) ? '' : ', v'} FROM input ${how} letters r ON s = r.k ORDER BY ALL`,
  ),
);

/** SELECT statements over the table and its lookups that have one answer. */
export const meaningfulStatement: Text = fc.oneof(
  rows,
  distinct,
  grouped,
  grouped,
  whole,
  nested,
  joins,
);
