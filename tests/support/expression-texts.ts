import fc from 'fast-check';

const leaf = fc.constantFrom(
  ...['n', 'x', 's', 'd', 'b', '1', '-3', '2.5', "'a''b'", "''", 'NULL', 'TRUE'],
  ...["DATE '2024-02-29'", '1e5', '"odd ""name"', '"order"', 'ä'],
);

/** Texts of expressions over every operator, parentheses where precedence needs them and where it
 *  does not; most parse. */
export const { expressionText } = fc.letrec<{ expressionText: string }>((tie) => {
  const part = tie('expressionText');
  return {
    expressionText: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc
        .tuple(
          part,
          fc.constantFrom(
            ...['+', '-', '*', '/', '//', '%', '^', '||', '=', '<>', '<', '>=', 'AND', 'OR'],
            ...[
              'LIKE',
              'NOT ILIKE',
              "LIKE 'a' ESCAPE '!' =",
              'IS DISTINCT FROM',
              'IS NOT DISTINCT FROM',
            ],
          ),
          part,
        )
        .map(([left, operator, right]) => `${left} ${operator} ${right}`),
      fc
        .tuple(fc.constantFrom('-', '+', 'NOT ', '(', '-('), part)
        .map(([sign, value]) => `${sign}${value}${sign.endsWith('(') ? ')' : ''}`),
      fc
        .tuple(part, fc.constantFrom('IS NULL', 'IS NOT NULL', 'IS TRUE', 'IS NOT FALSE'))
        .map(([value, suffix]) => `${value} ${suffix}`),
      fc
        .tuple(part, part, part, fc.constantFrom('', 'NOT '))
        .map(([value, low, high, not]) => `${value} ${not}BETWEEN ${low} AND ${high}`),
      fc
        .tuple(part, fc.array(part, { minLength: 1, maxLength: 3 }), fc.constantFrom('', 'NOT '))
        .map(([value, values, not]) => `${value} ${not}IN (${values.join(', ')})`),
      fc.tuple(part, part).map(([what, where]) => `position(${what} IN ${where})`),
      fc
        .tuple(
          fc.constantFrom('abs', 'upper', 'coalesce', 'concat_ws'),
          fc.array(part, { maxLength: 3 }),
        )
        .map(([name, args]) => `${name}(${args.join(', ')})`),
      fc
        .tuple(part, part, part)
        .map(([when, then, otherwise]) => `CASE WHEN ${when} THEN ${then} ELSE ${otherwise} END`),
      fc
        .tuple(part, part, part)
        .map(([operand, when, then]) => `CASE ${operand} WHEN ${when} THEN ${then} END`),
      fc
        .tuple(part, fc.constantFrom('integer', 'string', 'number', 'date', 'DECIMAL(9, 2)'))
        .map(([value, type]) => `TRY_CAST(${value} AS ${type})::${type}`),
      fc
        .tuple(part, fc.constantFrom('3 DAY', "'2 months'", "'1 day -5 minutes'"))
        .map(([value, span]) => `${value} + INTERVAL ${span}`),
    ),
  };
});
