import type { ColumnType } from '../../protocol/job.ts';

/** What a parameter takes: a type, a value of any type as its text, or any as it is. */
export type ParameterType = ColumnType | 'any';

export interface Signature {
  /** As in the table, such as `round(number, integer)`; names the kernel. */
  readonly key: string;
  readonly parameters: readonly ParameterType[];
  /** The last parameter may come any number of times, once at the least. */
  readonly isVariadic: boolean;
  readonly result: ColumnType;
  /** Called with NULL arguments too; else a NULL argument makes NULL. */
  readonly takesNull: boolean;
}

/**
 * Every function: parameters and result of each signature, in the order in which they are tried.
 * `...` repeats the last parameter, `?` before the result lets NULL arguments in. Operators are
 * functions whose names are no names. Each has a kernel of the same key in execution/functions, and
 * an example in docs/plan.md.
 */
const TABLE: Readonly<Record<string, string>> = {
  '+': '(integer, integer) integer; (number, number) number; (date, integer) date; (integer, date) date',
  '-': '(integer, integer) integer; (number, number) number; (date, integer) date; (date, date) integer',
  '*': '(integer, integer) integer; (number, number) number',
  '/': '(number, number) number',
  '//': '(integer, integer) integer',
  '%': '(integer, integer) integer; (number, number) number',
  negate: '(integer) integer; (number) number',
  '||': '(any, any) string',
  'add interval': '(datetime, integer, integer) datetime',
  abs: '(integer) integer; (number) number',
  round: '(integer) integer; (number) number; (integer, integer) integer; (number, integer) number',
  floor: '(number) number',
  ceil: '(number) number',
  sign: '(number) integer',
  sqrt: '(number) number',
  power: '(number, number) number',
  exp: '(number) number',
  ln: '(number) number',
  log10: '(number) number',
  greatest:
    '(integer...) ?integer; (number...) ?number; (date...) ?date; (datetime...) ?datetime; ' +
    '(boolean...) ?boolean; (string...) ?string',
  least:
    '(integer...) ?integer; (number...) ?number; (date...) ?date; (datetime...) ?datetime; ' +
    '(boolean...) ?boolean; (string...) ?string',
  lower: '(string) string',
  upper: '(string) string',
  trim: '(string) string; (string, string) string',
  ltrim: '(string) string; (string, string) string',
  rtrim: '(string) string; (string, string) string',
  length: '(string) integer',
  substr: '(string, integer) string; (string, integer, integer) string',
  left: '(string, integer) string',
  right: '(string, integer) string',
  lpad: '(string, integer, string) string',
  rpad: '(string, integer, string) string',
  replace: '(string, string, string) string',
  split_part: '(string, string, integer) string',
  concat: '(any...) ?string',
  concat_ws: '(string, any...) ?string',
  starts_with: '(string, string) boolean',
  ends_with: '(string, string) boolean',
  contains: '(string, string) boolean',
  position: '(string, string) integer',
  reverse: '(string) string',
  regexp_matches: '(string, string) boolean; (string, string, string) boolean',
  regexp_full_match: '(string, string) boolean; (string, string, string) boolean',
  regexp_extract:
    '(string, string) string; (string, string, integer) string; (string, string, integer, string) string',
  regexp_replace: '(string, string, string) string; (string, string, string, string) string',
  'like pattern': '(string, string, string) boolean',
  md5: '(string) string',
  sha256: '(string) string',
  'title case': '(string) string',
  'split rest': '(string, string, integer) string',
  mask: '(string, integer) string',
  date_part: '(string, datetime) integer',
  date_trunc: '(string, datetime) datetime',
  date_diff: '(string, datetime, datetime) integer',
  make_date: '(integer, integer, integer) date',
  strftime: '(datetime, string) string',
  strptime: '(string, string) datetime',
};

/** Other names of functions. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{ ceiling: 'ceil', pow: 'power', log: 'log10', mod: '%', lcase: 'lower', ucase: 'upper' },
  ...{ len: 'length', char_length: 'length', character_length: 'length', substring: 'substr' },
  ...{ prefix: 'starts_with', suffix: 'ends_with', strpos: 'position', instr: 'position' },
  ...{ datepart: 'date_part', datetrunc: 'date_trunc', datediff: 'date_diff' },
};

/** Functions of one argument that are a part of a date. */
const PARTS: Readonly<Record<string, string>> = {
  ...{ year: 'year', quarter: 'quarter', month: 'month', week: 'week', day: 'day', hour: 'hour' },
  ...{ minute: 'minute', second: 'second', dayofweek: 'dow', dayofmonth: 'day' },
  ...{ dayofyear: 'doy', isodow: 'isodow', weekofyear: 'week' },
};

const SIGNATURES = new Map(
  Object.entries(TABLE).map(([name, text]) => [
    name,
    text.split('; ').map((signature) => readSignature(name, signature)),
  ]),
);

/** Signatures of a function by its name or another one; undefined when there is none. */
export function signaturesOf(name: string): readonly Signature[] | undefined {
  return SIGNATURES.get(Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name);
}

/** The part of a date that a function of this name gives. */
export function partOf(name: string): string | undefined {
  return Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
}

/** Names that people can call, without the operators and what is made by steps alone. */
export function functionNames(): string[] {
  const callable = [...SIGNATURES.keys()].filter((name) => /^\w+$/.test(name));
  const names = [...callable, ...Object.keys(ALIASES), ...Object.keys(PARTS)];
  return [...names, 'coalesce', 'ifnull', 'nullif', 'extract', 'cast', 'try_cast']
    .filter((name) => name !== 'negate' && name !== 'mask')
    .sort();
}

/** Keys of every signature, which are those of the kernels. */
export function signatureKeys(): string[] {
  return [...SIGNATURES.values()].flatMap((list) => list.map(({ key }) => key));
}

function readSignature(name: string, text: string): Signature {
  const close = text.lastIndexOf(')');
  const parameters = text.slice(1, close).replace('...', '').split(', ');
  const result = text.slice(close + 2);
  return {
    key: name + text.slice(0, close + 1).replace('...', ''),
    parameters: parameters as ParameterType[],
    isVariadic: text.includes('...'),
    result: result.replace('?', '') as ColumnType,
    takesNull: result.startsWith('?'),
  };
}
