import fc from 'fast-check';

type Text = fc.Arbitrary<string>;

/** Expressions over the columns of `EDGE_HEADER`, by their type. */
export interface TypedExpressions {
  integer: string;
  number: string;
  decimal: string;
  text: string;
  date: string;
  time: string;
  condition: string;
}

const one = (...values: string[]): Text => fc.constantFrom(...values);
const call = (name: string | Text, ...args: Text[]): Text =>
  fc
    .tuple(typeof name === 'string' ? fc.constant(name) : name, fc.tuple(...args))
    .map(([called, given]) => `${called}(${given.join(', ')})`);
const infix = (left: Text, operators: Text, right: Text): Text =>
  fc.tuple(left, operators, right).map((parts) => `(${parts.join(' ')})`);

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const literals = one(
  'b',
  '',
  'é',
  'ÄÖ',
  '日本',
  '🙂',
  'a%_b',
  "o'clock",
  ' ',
  'ẞß',
  'ΑΣς',
  'e\u0301',
).map(quote);
/** Texts that may or may not be of another type. */
const odd = one(
  ...[
    '12',
    ' 12 ',
    '+7',
    '-0',
    '1.5',
    '.5',
    '5.',
    '1e2',
    '1e',
    '--1',
    '1 2',
    '9223372036854775807',
    '9223372036854775808',
  ],
  ...[
    'true',
    'T',
    'no',
    'YES',
    'f',
    '0',
    '2024-02-29',
    '2023-02-29',
    '2024-1-5',
    '2024/01/05',
    '20240105',
    ' 2024-01-05',
  ],
  ...[
    '2024-01-05 10:11',
    '2024-01-05T10:11:12',
    '2024-01-05 10:11:12.3456789',
    '2024-01-05 1:2:3',
    '10:11',
    '2024-13-01',
    '0.1e-5',
  ],
  ...[
    '-9223372036854775808',
    '1.4999999999999999',
    '2.5',
    '-2.5',
    '999999999999999999999',
    'null',
    '12 a',
  ],
).map(quote);
const DATE_PARTS = one(
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'decade',
  'century',
  'dow',
  'isodow',
  'doy',
).map(quote);
const TIME_PARTS = one('hour', 'minute', 'second', 'millisecond', 'microsecond').map(quote);
const UNITS = one(
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'decade',
  'century',
).map(quote);
const DIFF_UNITS = one(
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
  'decade',
  'century',
).map(quote);
const small = one('0', '1', '2', '-1', '3', '-3', '5');
const patterns = one(
  'l+',
  '^[a-z]+$',
  '[[:alpha:]]',
  '(.)(.)',
  '\\d+',
  '\\s',
  '.',
  'a|é',
  '\\pL+',
  '(?i)b',
  'x{0,2}',
  '[^a-z]',
  '\\bo',
  '$',
).map(quote);
const likes = one(
  '%l%',
  '_b%',
  'a!%',
  '%',
  '',
  'É%',
  '%日_',
  '🙂 %',
  '%!_%',
  'A_C',
  '%\u0301%',
  '__',
).map(quote);
const formats = one(
  '%Y-%m-%d',
  '%d.%m.%y',
  '%H:%M:%S',
  '%j %U %W',
  '%G-W%V-%u',
  '%c',
  '%x %X',
  '%a %-d %B',
  '%I:%M %p',
  '%f',
  '%A %w %u',
  '%b %%',
  '%g',
  '%Y%m%d%H%M%S',
).map(quote);
const intervals = one(
  '1 DAY',
  "'-3 months'",
  '1 YEAR',
  "'2 months 3 days'",
  '90 MINUTE',
  '25 HOUR',
  "'-7 seconds'",
  '1 WEEK',
  "'1 quarter'",
  "'1 year -1 day'",
).map((span) => `INTERVAL ${span}`);

/** Depth-bounded, each with a value for most records of the edge table. */
export const typedExpressions = fc.letrec<TypedExpressions>((tie) => {
  const [integer, number, decimal, text, date, time, condition] = (
    ['integer', 'number', 'decimal', 'text', 'date', 'time', 'condition'] as const
  ).map((name) => tie(name)) as [Text, Text, Text, Text, Text, Text, Text];
  const conditional = (value: Text): Text[] => [
    fc.tuple(condition, value, value).map(([a, b, c]) => `CASE WHEN ${a} THEN ${b} ELSE ${c} END`),
    fc
      .tuple(condition, value, condition, value)
      .map(([a, b, c, d]) => `CASE WHEN ${a} THEN ${b} WHEN ${c} THEN ${d} END`),
    fc
      .tuple(value, value, value, value)
      .map(([a, b, c, d]) => `CASE ${a} WHEN ${b} THEN ${c} WHEN NULL THEN ${a} ELSE ${d} END`),
    call('coalesce', value, value),
    call('nullif', value, value),
    call(one('greatest', 'least'), value, value, value),
  ];
  const depth = { maxDepth: 3, depthSize: 'small', depthIdentifier: 'typed' } as const;
  const any = fc.oneof(integer, number, text, date, time, condition);
  return {
    integer: fc.oneof(
      depth,
      one('n', 'm', '7', '-2', 'm % 1000'),
      infix(integer, one('+', '-', '*', '//', '%'), one('n', 'm', '3')),
      infix(date, fc.constant('-'), date),
      call(one('abs', '-'), integer),
      call('sign', fc.oneof(integer, number)),
      call('length', text),
      call('strpos', text, text),
      fc.tuple(text, text).map(([a, b]) => `position(${a} IN ${b})`),
      call('date_part', DATE_PARTS, fc.oneof(date, time)),
      call('date_part', TIME_PARTS, time),
      fc
        .tuple(one('year', 'month', 'isodow', 'doy', 'week'), date)
        .map(([a, b]) => `extract(${a} FROM ${b})`),
      call('date_diff', DIFF_UNITS, time, time),
      call('date_diff', one("'day'", "'month'", "'week'"), date, date),
      integer.map((a) => `round(${a} % 100000, -1)`),
      fc
        .tuple(fc.oneof(number, decimal), one('CAST', 'TRY_CAST'))
        .map(([a, how]) => `${how}(${a} AS BIGINT)`),
      fc.oneof(text, odd).map((a) => `TRY_CAST(${a} AS BIGINT)`),
      ...conditional(integer),
    ),
    number: fc.oneof(
      depth,
      one('x', 'y', '2.5e0', '-0.1e0', '1e300'),
      infix(number, one('+', '-', '*', '/', '%'), one('x', 'y', '0.5e0')),
      infix(integer, fc.constant('/'), one('m', '4', 'y')),
      call(one('floor', 'ceil', 'abs', 'round', 'sqrt', '-'), number),
      call('round', number, one('0', '1', '2', '-1', '5')),
      integer.map((a) => `CAST(${a} AS DOUBLE)`),
      fc.oneof(text, odd).map((a) => `TRY_CAST(${a} AS DOUBLE)`),
      ...conditional(number),
    ),
    decimal: fc.oneof(
      depth,
      one('1.10', '0.05', '(m % 1000 * 1.15)', '-2.675', '12.3456'),
      fc
        .tuple(one('m % 100000', 'x', "'1.005'", '1.255'), one('10, 2', '18, 3', '38, 6', '12, 0'))
        .map(([a, b]) => `TRY_CAST(${a} AS DECIMAL(${b}))`),
      infix(decimal, one('+', '-', '*'), one('0.25', 'm % 100', '1.1')),
      infix(decimal, fc.constant('%'), one('0.7', '3')),
      call('round', decimal, one('0', '1', '2')),
      call(one('floor', 'ceil', 'abs', '-'), decimal),
    ),
    text: fc.oneof(
      depth,
      one('s', 'u'),
      literals,
      infix(text, fc.constant('||'), any),
      call(one('upper', 'lower', 'trim', 'ltrim', 'rtrim', 'reverse'), text),
      call(one('trim', 'ltrim', 'rtrim'), text, text),
      call('substr', text, fc.oneof(small, one('n % 9', 'm % 5'))),
      call('substr', text, small, fc.oneof(small, one('m % 5'))),
      call(one('left', 'right'), text, fc.oneof(small, one('m % 5'))),
      call(one('lpad', 'rpad'), text, one('0', '1', '4', '9', '-1'), one("'xy'", "'é'", "'🙂'")),
      call('replace', text, text, text),
      call('split_part', text, one("','", "' '", "'b'", "'é'"), fc.oneof(small, one('m % 4'))),
      call('concat', any, text),
      call('concat_ws', text, any, text),
      call(
        'regexp_replace',
        text,
        patterns,
        one("'<\\0>'", "'-'", "''"),
        one("''", "'g'", "'i'", "'gi'"),
      ),
      call('regexp_extract', text, patterns, one('0')),
      call('strftime', fc.oneof(date, time), formats),
      any.map((a) => `CAST(${a} AS VARCHAR)`),
      ...conditional(text),
    ),
    date: fc.oneof(
      depth,
      one('d', 'e', "DATE '2024-01-31'", "DATE '2000-02-29'"),
      infix(date, one('+', '-'), one('1', '30', '365')),
      call(
        'make_date',
        one('2023', '2024', '1900'),
        one('2', '12', '13', 'month(d)'),
        one('1', '29', '31', 'day(e)'),
      ),
      time.map((a) => `CAST(${a} AS DATE)`),
      odd.map((a) => `TRY_CAST(${a} AS DATE)`),
      ...conditional(date),
    ),
    time: fc.oneof(
      depth,
      one('t', 'z', "TIMESTAMP '2024-02-29 12:34:56.789'"),
      infix(fc.oneof(time, date), one('+', '-'), intervals),
      call('date_trunc', UNITS, fc.oneof(time, date)),
      date.map((a) => `CAST(${a} AS TIMESTAMP)`),
      odd.map((a) => `TRY_CAST(${a} AS TIMESTAMP)`),
      fc
        .tuple(
          time,
          one(
            '%Y-%m-%d %H:%M:%S',
            '%d/%m/%Y',
            '%b %d, %Y %I:%M %p',
            '%H:%M %d.%m.%y',
            '%Y-%m-%d %H:%M:%S.%f',
            '%c',
            '%j %Y %g',
          ),
        )
        .map(([a, b]) => `strptime(strftime(${a}, '${b}'), '${b}')`),
      ...conditional(time),
    ),
    condition: fc.oneof(
      depth,
      one('b', 'TRUE', '(n IS NULL)', '(s IS NOT NULL)'),
      ...[integer, number, text, date, time].map((value) =>
        infix(value, one('=', '<>', '<', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'), value),
      ),
      infix(integer, one('=', '<', '>'), fc.oneof(number, decimal)),
      infix(date, one('=', '<', '>'), time),
      ...[integer, text, date, number].map((value) =>
        fc
          .tuple(value, one('IN', 'NOT IN'), value, value, one('', ', NULL'))
          .map(([a, op, b, c, d]) => `(${a} ${op} (${b}, ${c}${d}))`),
      ),
      ...[integer, text, time].map((value) =>
        fc
          .tuple(value, one('BETWEEN', 'NOT BETWEEN'), value, value)
          .map(([a, op, b, c]) => `(${a} ${op} ${b} AND ${c})`),
      ),
      fc
        .tuple(
          text,
          one('LIKE', 'ILIKE', 'NOT LIKE', 'NOT ILIKE'),
          fc.oneof(likes, text),
          one('', "ESCAPE '!'"),
        )
        .map((parts) => `(${parts.join(' ')})`),
      call(one('regexp_matches', 'regexp_full_match'), text, patterns, one("''", "'i'", "'s'")),
      call(one('starts_with', 'ends_with', 'contains'), text, text),
      fc.oneof(text, odd).map((a) => `TRY_CAST(${a} AS BOOLEAN)`),
      integer.map((a) => `CAST(${a} AS BOOLEAN)`),
      infix(condition, one('AND', 'OR', '=', '<>'), condition),
      condition.map((a) => `(NOT ${a})`),
      fc
        .tuple(condition, one('IS TRUE', 'IS NOT TRUE', 'IS FALSE', 'IS NULL', 'IS NOT FALSE'))
        .map(([a, b]) => `((${a}) ${b})`),
    ),
  };
});
