import fc from 'fast-check';

const column = fc.constantFrom('a', 'A', '"b c"', 'x', 'input.a', 'k', 'a', 'x');
const value: fc.Arbitrary<string> = fc.oneof(
  column,
  fc.constantFrom('1', '2.5', "'t'", 'NULL', 'a + 1', 'a * x', 'abs(x)', '-a'),
  fc.tuple(column, fc.constantFrom('+', '*', '-'), column).map((parts) => parts.join(' ')),
  fc.constantFrom('CASE WHEN a > 1 THEN x ELSE 0 END', 'upper("b c")', 'coalesce(a, 0)'),
);
const aggregate = fc.oneof(
  fc.constantFrom('count(*)', 'sum(a)', 'avg(x)', 'max("b c")', 'count(*) FILTER (WHERE a > 1)'),
  fc.tuple(fc.constantFrom('sum', 'min', 'count'), value).map(([name, of]) => `${name}(${of})`),
  fc.constantFrom('sum(a) / count(*)', 'round(avg(x), 1)', 'max(a) - min(a)'),
);
const condition = fc.oneof(
  fc.tuple(value, fc.constantFrom('>', '=', '<>', '<='), value).map((parts) => parts.join(' ')),
  fc.constantFrom(
    'a IN (1, 2)',
    '"b c" LIKE \'a%\'',
    'x IS NOT NULL',
    'a BETWEEN 1 AND 3',
    'k > 1',
  ),
);
const alias = fc.constantFrom('', '', ' AS k', ' k', ' AS a', ' AS "new name"');
const item = fc.oneof(
  { arbitrary: fc.tuple(value, alias).map(([of, as]) => of + as), weight: 4 },
  { arbitrary: fc.tuple(aggregate, alias).map(([of, as]) => of + as), weight: 2 },
  fc.constantFrom(
    ...['*', 'input.*', '* EXCLUDE (a)', '* REPLACE (a + 1 AS a)', '* RENAME (x AS y)'],
  ),
);
const orderKey = fc
  .tuple(
    fc.oneof(value, aggregate, fc.constantFrom('1', '2', 'k', 'ALL')),
    fc.constantFrom('', ' DESC', ' ASC', ' DESC NULLS FIRST', ' NULLS LAST'),
  )
  .map((parts) => parts.join(''));
const list = (entry: fc.Arbitrary<string>, maxLength = 3): fc.Arbitrary<string> =>
  fc.array(entry, { minLength: 1, maxLength }).map((entries) => entries.join(', '));
const clause = (word: string, body: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: fc.constant(''), weight: 2 },
    body.map((text) => ` ${word} ${text}`),
  );

/** SELECT statements that parse; many mean something, over the columns a, "b c" and x. */
export const { statementText } = fc.letrec<{ statementText: string }>((tie) => ({
  statementText: fc
    .tuple(
      fc.oneof(
        { maxDepth: 2, depthIdentifier: 'statement' },
        fc.constantFrom('input', 'input', 'input i'),
        tie('statementText').map((inner) => `(${inner}) AS t`),
      ),
      fc.constantFrom('', '', '', 'DISTINCT ', 'DISTINCT ON (a) '),
      list(item),
      clause('WHERE', condition),
      clause('GROUP BY', fc.oneof(list(value, 2), fc.constantFrom('ALL', '1', '1, 2', 'k'))),
      clause(
        'HAVING',
        fc.oneof(
          condition,
          aggregate.map((of) => `${of} > 1`),
        ),
      ),
      clause('ORDER BY', list(orderKey)),
      clause('LIMIT', fc.constantFrom('0', '3', '10 OFFSET 2', 'ALL')),
    )
    .map(([from, distinct, items, ...clauses]) => {
      return `SELECT ${distinct}${items} FROM ${from}${clauses.join('')}`;
    }),
}));
