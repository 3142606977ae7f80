import type { Expression } from './expression/ast.ts';
import { expressionError, type Token } from './expression/lexer.ts';
import { parseExpressionAt, type ExpressionExtension } from './expression/parser.ts';
import { TokenReader } from './expression/token-reader.ts';
import type { MeasurePlan } from './step.ts';
import { suggestion } from './suggest.ts';

const FUNCTIONS: Readonly<Record<string, MeasurePlan['function']>> = {
  ...{ count: 'count', sum: 'sum', min: 'min', max: 'max', avg: 'avg', mean: 'avg' },
  ...{ stddev: 'stddev_samp', stddev_samp: 'stddev_samp', stddev_pop: 'stddev_pop' },
  ...{ variance: 'var_samp', var_samp: 'var_samp', var_pop: 'var_pop' },
  ...{ bool_and: 'bool_and', bool_or: 'bool_or' },
};
const LATER = (
  'approx_count_distinct median quantile_cont approx_quantile first last any_value string_agg ' +
  'mode list'
).split(' ');
const EXPECTED = 'count(*), count(x), sum(x), min(x), max(x), avg(x), stddev_samp(x), bool_and(x)';

/** Parses `sum(amount) FILTER (WHERE paid)`. Throws SluiceError with `details: {at, expected}`. */
export function parseMeasure(name: string, text: string): MeasurePlan {
  const reader = new TokenReader(text, 'measure');
  const callee = reader.next();
  if (callee.kind !== 'name') throw reader.unexpected(callee, EXPECTED);
  const measure = parseMeasureAt(reader, callee, null);
  checkEnd(reader);
  return { ...measure, name };
}

/** Whether a name is that of an aggregate function, built or not. */
export function isAggregate(name: string): boolean {
  const word = name.toLowerCase();
  return Object.hasOwn(FUNCTIONS, word) || LATER.includes(word);
}

/** Parses a measure whose name, `callee`, has been read, and leaves what follows. It is named ''. */
export function parseMeasureAt(
  reader: TokenReader,
  callee: Token,
  extension: ExpressionExtension | null,
): MeasurePlan {
  const word = callee.text.toLowerCase();
  const fn = Object.hasOwn(FUNCTIONS, word) ? FUNCTIONS[word] : undefined;
  if (fn === undefined) throw unknownFunction(callee);
  if (!reader.takeSymbol('(')) throw reader.unexpected(reader.peek(), EXPECTED);
  if (reader.isWord('distinct')) throw notYet(`${word}(DISTINCT ...)`, reader.peek().start);
  const argument = readArgument(reader, fn, extension);
  if (reader.isWord('order')) throw notYet('ORDER BY in an aggregate', reader.peek().start);
  if (!reader.takeSymbol(')')) throw reader.unexpected(reader.peek(), EXPECTED);
  const filter = readFilter(reader, extension);
  return { name: '', text: reader.textFrom(callee.start), function: fn, argument, filter };
}

function readArgument(
  reader: TokenReader,
  fn: string,
  extension: ExpressionExtension | null,
): Expression | null {
  if (fn === 'count' && (reader.takeSymbol('*') || reader.isSymbol(')'))) return null;
  const token = reader.peek();
  const isMissing = token.kind === 'symbol' && [')', '*', ','].includes(token.text);
  if (isMissing || token.kind === 'end') throw reader.unexpected(token, EXPECTED);
  return parseExpressionAt(reader, extension);
}

function readFilter(
  reader: TokenReader,
  extension: ExpressionExtension | null,
): Expression | null {
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
  if (LATER.includes(callee.text.toLowerCase())) {
    return notYet(`The aggregate function ${callee.text}`, callee.start);
  }
  const hint = suggestion(callee.text, Object.keys(FUNCTIONS));
  const message = `${JSON.stringify(callee.text)} is not an aggregate function.${hint}`;
  return expressionError(message, callee.start, EXPECTED);
}

function notYet(what: string, at: number): Error {
  return expressionError(`${what} is not supported yet`, at, EXPECTED, 'plan-unsupported');
}
