import { AGGREGATES, LATER_AGGREGATES } from './aggregate-names.ts';
import type { Expression } from './expression/ast.ts';
import { expressionError, type Token } from './expression/lexer.ts';
import { functionNames } from './expression/functions.ts';
import { parseExpressionAt, type ExpressionExtension } from './expression/parser.ts';
import { TokenReader } from './expression/token-reader.ts';
import type { MeasurePlan, Ordering } from './step.ts';
import { suggestion } from './suggest.ts';

const EXPECTED =
  'count(*), count(x), sum(x), min(x), max(x), avg(x), median(x), first(x), string_agg(x, sep)';

type Callable = MeasurePlan['function'];
const QUANTILES: readonly Callable[] = ['quantile_cont', 'quantile_disc', 'approx_quantile'];
/** What these give depends on the order of records. */
const ORDERED: readonly Callable[] = ['first', 'last', 'any_value', 'string_agg'];
/** DISTINCT changes nothing. */
const INDIFFERENT: readonly Callable[] = [
  ...(['min', 'max', 'bool_and', 'bool_or', 'approx_count_distinct'] as const),
];
const DISTINCT: readonly Callable[] = [
  ...(['count', 'sum', 'avg', 'quantile_cont', 'quantile_disc', 'string_agg'] as const),
];

/** Parses `sum(amount) FILTER (WHERE paid)`. Throws SluiceError with `details: {at, expected}`. */
export function parseMeasure(name: string, text: string): MeasurePlan {
  const reader = new TokenReader(text, 'measure');
  const callee = reader.next();
  if (callee.kind !== 'name') throw reader.unexpected(callee, EXPECTED);
  const measure = parseMeasureAt(reader, callee, null);
  checkEnd(reader);
  return { ...measure, name };
}

/** Parses a measure whose name, `callee`, has been read, and leaves what follows. It is named ''. */
export function parseMeasureAt(
  reader: TokenReader,
  callee: Token,
  extension: ExpressionExtension | null,
): MeasurePlan {
  const word = callee.text.toLowerCase();
  const fn = Object.hasOwn(AGGREGATES, word) ? AGGREGATES[word] : undefined;
  if (fn === undefined) throw unknownFunction(callee);
  if (!reader.takeSymbol('(')) throw reader.unexpected(reader.peek(), EXPECTED);
  const isDistinct = readDistinct(reader, fn, word);
  const argument = readArgument(reader, fn, isDistinct, extension);
  const parameter = readParameter(reader, fn, word);
  const order = readOrder(reader, fn, word, extension);
  if (!reader.takeSymbol(')')) throw reader.unexpected(reader.peek(), EXPECTED);
  if (isDistinct && order !== null) checkDistinctOrder(order, argument, callee);
  const filter = readFilter(reader, extension);
  return {
    ...{ name: '', text: reader.textFrom(callee.start), function: fn, argument, filter },
    ...(isDistinct ? { distinct: true } : {}),
    ...(parameter === null ? {} : { parameter }),
    ...(order === null ? {} : { order }),
  };
}

/** Whether DISTINCT stands there and changes anything. */
function readDistinct(reader: TokenReader, fn: Callable, word: string): boolean {
  const token = reader.peek();
  if (!reader.takeWord('distinct')) return false;
  if (INDIFFERENT.includes(fn)) return false;
  if (!DISTINCT.includes(fn)) throw notYet(`${word}(DISTINCT ...)`, token.start);
  return true;
}

/** The share of a quantile, the separator of string_agg. */
function readParameter(reader: TokenReader, fn: Callable, word: string): number | string | null {
  if (fn === 'string_agg') {
    if (!reader.takeSymbol(',')) return ',';
    const token = reader.next();
    if (token.kind === 'string') return token.text;
    throw reader.unexpected(token, "a separator, a text such as ', '");
  }
  if (!QUANTILES.includes(fn)) return null;
  if (word === 'median') return 0.5;
  reader.expectSymbol(',');
  const token = reader.next();
  const share = token.kind === 'number' ? Number(token.text) : NaN;
  if (share >= 0 && share <= 1) return share;
  throw reader.unexpected(token, 'a number from 0 to 1, such as 0.9');
}

/** ORDER BY within the parentheses: expressions, ASC or DESC, NULLS FIRST or LAST. */
function readOrder(
  reader: TokenReader,
  fn: Callable,
  word: string,
  extension: ExpressionExtension | null,
): NonNullable<MeasurePlan['order']> | null {
  const { start } = reader.peek();
  if (!reader.takeWord('order')) return null;
  reader.expectWord('by');
  if (!ORDERED.includes(fn)) {
    const names = ORDERED.join(', ');
    throw expressionError(`${word} has no order`, start, `ORDER BY in ${names}`);
  }
  const order: (Ordering & { readonly expression: Expression })[] = [];
  do {
    const expression = parseExpressionAt(reader, extension);
    const desc = reader.takeWord('desc');
    if (!desc) reader.takeWord('asc');
    let nulls: Ordering['nulls'] = 'last';
    if (reader.takeWord('nulls')) {
      if (reader.takeWord('first')) nulls = 'first';
      else reader.expectWord('last');
    }
    order.push({ expression, desc, nulls });
  } while (reader.takeSymbol(','));
  return order;
}

/** Values that count once have no other order than their own. */
function checkDistinctOrder(
  order: NonNullable<MeasurePlan['order']>,
  argument: Expression | null,
  callee: Token,
): void {
  const shape = (node: Expression | null | undefined): string =>
    JSON.stringify(node, (key, value: unknown) => (key === 'at' ? undefined : value));
  if (order.length === 1 && shape(order[0]?.expression) === shape(argument)) return;
  const message = `${callee.text}(DISTINCT x) is ordered by x`;
  throw expressionError(message, callee.start, 'ORDER BY the same expression');
}

/** The measure with each of its expressions replaced. */
export function mapMeasure(
  measure: MeasurePlan,
  replace: (expression: Expression) => Expression,
): MeasurePlan {
  const { argument, filter, order } = measure;
  return {
    ...measure,
    argument: argument === null ? null : replace(argument),
    filter: filter === null ? null : replace(filter),
    ...(order === undefined
      ? {}
      : { order: order.map((key) => ({ ...key, expression: replace(key.expression) })) }),
  };
}

function readArgument(
  reader: TokenReader,
  fn: string,
  isDistinct: boolean,
  extension: ExpressionExtension | null,
): Expression | null {
  const isOfRecords = fn === 'count' && !isDistinct;
  if (isOfRecords && (reader.takeSymbol('*') || reader.isSymbol(')'))) return null;
  const token = reader.peek();
  const isMissing = token.kind === 'symbol' && [')', '*', ','].includes(token.text);
  if (isMissing || token.kind === 'end') throw reader.unexpected(token, EXPECTED);
  return parseExpressionAt(reader, extension);
}

function readFilter(reader: TokenReader, extension: ExpressionExtension | null): Expression | null {
  if (!reader.takeWord('filter')) return null;
  reader.expectSymbol('(');
  reader.takeWord('where');
  const filter = parseExpressionAt(reader, extension);
  reader.expectSymbol(')');
  return filter;
}

function checkEnd(reader: TokenReader): void {
  const token = reader.peek();
  if (token.kind === 'end') return;
  if (token.kind === 'symbol' && '+-*/%'.includes(token.text)) {
    throw notYet('Arithmetic on aggregates', token.start);
  }
  if (token.kind === 'name' && token.text.toLowerCase() === 'over') {
    throw notYet('OVER', token.start);
  }
  throw reader.unexpected(token, EXPECTED);
}

function unknownFunction(callee: Token): Error {
  if (LATER_AGGREGATES.includes(callee.text.toLowerCase())) {
    return notYet(`The aggregate function ${callee.text}`, callee.start);
  }
  if (functionNames().includes(callee.text.toLowerCase())) {
    const message = `${callee.text} is a function of values: a measure is an aggregate alone`;
    return expressionError(
      message,
      callee.start,
      'an aggregate here, and the rest in a derive behind it',
    );
  }
  const hint = suggestion(callee.text, Object.keys(AGGREGATES));
  const message = `${JSON.stringify(callee.text)} is not an aggregate function.${hint}`;
  return expressionError(message, callee.start, EXPECTED);
}

function notYet(what: string, at: number): Error {
  return expressionError(`${what} is not supported yet`, at, EXPECTED, 'plan-unsupported');
}
