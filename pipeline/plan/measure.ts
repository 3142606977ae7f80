import { expressionError, tokenize, type Token } from './expression/lexer.ts';
import type { Measure, MeasureFunction } from './schema.ts';
import { suggestion } from './suggest.ts';

const FUNCTIONS: readonly MeasureFunction[] = ['count', 'sum', 'min', 'max', 'avg'];
const LATER = (
  'approx_count_distinct stddev stddev_samp stddev_pop variance var_samp var_pop median ' +
  'quantile_cont approx_quantile first last any_value bool_and bool_or string_agg mode list'
).split(' ');
const EXPECTED = 'count(*), count(x), sum(x), min(x), max(x) or avg(x)';

/** Parses `sum(amount)`. Throws SluiceError with `details: {at, expected}`. */
export function parseMeasure(name: string, text: string): Measure {
  const tokens = tokenize(text);
  const [callee, open, argument, close, end] = tokens;
  if (callee === undefined || callee.kind !== 'name') throw unexpected(callee, text);
  const word = callee.text.toLowerCase();
  const fn = FUNCTIONS.find((candidate) => candidate === word);
  if (fn === undefined) throw unknownFunction(callee);
  if (!isSymbol(open, '(')) throw unexpected(open, text);
  if (argument?.kind === 'name' && argument.text.toLowerCase() === 'distinct') {
    throw notYet(`${word}(DISTINCT ...)`, argument.start);
  }
  if (isSymbol(argument, '*') || (isSymbol(argument, ')') && fn === 'count')) {
    if (fn !== 'count') throw unexpected(argument, text);
    const last = isSymbol(argument, '*') ? close : argument;
    if (!isSymbol(last, ')')) throw unexpected(last, text);
    checkEnd(tokens[tokens.indexOf(last as Token) + 1], text);
    return { name, function: 'count', column: null };
  }
  if (argument?.kind !== 'name' && argument?.kind !== 'quoted-name')
    throw unexpected(argument, text);
  if (!isSymbol(close, ')')) {
    if (close === undefined || close.kind === 'end') throw unexpected(close, text);
    throw notYet('An expression in an aggregate function', close.start);
  }
  checkEnd(end, text);
  return { name, function: fn, column: argument.text };
}

function checkEnd(token: Token | undefined, text: string): void {
  if (token === undefined || token.kind === 'end') return;
  if (token.kind === 'name' && token.text.toLowerCase() === 'filter') {
    throw notYet('FILTER (WHERE ...)', token.start);
  }
  if (token.kind === 'symbol' && '+-*/%'.includes(token.text)) {
    throw notYet('Arithmetic on aggregates', token.start);
  }
  throw unexpected(token, text);
}

function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.text === symbol;
}

function unknownFunction(callee: Token): Error {
  if (LATER.includes(callee.text.toLowerCase())) {
    return notYet(`The aggregate function ${callee.text}`, callee.start);
  }
  const hint = suggestion(callee.text, FUNCTIONS);
  const message = `${JSON.stringify(callee.text)} is not an aggregate function.${hint}`;
  return expressionError(message, callee.start, EXPECTED);
}

function unexpected(token: Token | undefined, text: string): Error {
  if (token === undefined || token.kind === 'end') {
    return expressionError('The measure ends too early', text.length, EXPECTED);
  }
  return expressionError(`Unexpected ${JSON.stringify(token.text)}`, token.start, EXPECTED);
}

function notYet(what: string, at: number): Error {
  return expressionError(`${what} is not supported yet`, at, EXPECTED, 'plan-unsupported');
}
