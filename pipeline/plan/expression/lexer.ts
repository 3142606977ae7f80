import { SluiceError, type ErrorCode } from '../../errors.ts';

/** Splits an SQL expression into tokens. Offsets are UTF-16 units, half-open. */

export type TokenKind = 'name' | 'quoted-name' | 'string' | 'number' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Names as written, quoted names and strings without quotes, numbers without `_`. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What is wrong with an expression, and where; becomes a PlanIssue. */
export function expressionError(
  message: string,
  at: number,
  expected: string,
  code: ErrorCode = 'plan-invalid',
): SluiceError {
  return new SluiceError(code, message, { details: { at, expected } });
}

const SYMBOLS = [
  '<=>', '->>', '<>', '!=', '<=', '>=', '==', '||', '::', '->', '**', '//', '<<', '>>', '!~', '~~',
  '(', ')', ',', '=', '<', '>', '+', '-', '*', '/', '%', '^', '.', '[', ']', '{', '}', ':', '~',
  '&', '|', '?', '@', '!', '$', '#', ';',
]; // prettier-ignore

const SPACE = /[\s\u00a0\ufeff]*/y;
const NAME = /[\p{L}_][\p{L}\p{M}\p{N}_$]*/uy;
const NUMBER = /(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;

/** All tokens of `text`, an 'end' token last. Throws 'plan-invalid' with `details.at`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = skipBlank(text, 0);
  while (position < text.length) {
    const token = readToken(text, position);
    tokens.push(token);
    position = skipBlank(text, token.end);
  }
  tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
  return tokens;
}

function readToken(text: string, start: number): Token {
  const first = text[start];
  if (first === "'") return readQuoted(text, start, 'string');
  if (first === '"') return readQuoted(text, start, 'quoted-name');
  const name = match(NAME, text, start);
  if (name !== '') return { kind: 'name', text: name, start, end: start + name.length };
  const number = match(NUMBER, text, start);
  if (number !== '') return readNumber(text, number, start);
  const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, start));
  if (symbol !== undefined) {
    return { kind: 'symbol', text: symbol, start, end: start + symbol.length };
  }
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  throw expressionError(
    `Unexpected character ${JSON.stringify(character)}`,
    start,
    'an expression',
  );
}

function readNumber(text: string, number: string, start: number): Token {
  const end = start + number.length;
  if (match(NAME, text, end) !== '') {
    throw expressionError(
      `A number is followed by letters: ${text.slice(start, end + 1)}`,
      end,
      'an operator; column names that start with a digit stand in double quotes',
    );
  }
  return { kind: 'number', text: number.replaceAll('_', ''), start, end };
}

/** A quote inside is written twice. */
function readQuoted(text: string, start: number, kind: 'string' | 'quoted-name'): Token {
  const quote = kind === 'string' ? "'" : '"';
  let value = '';
  let from = start + 1;
  for (;;) {
    const close = text.indexOf(quote, from);
    if (close < 0) {
      const what = kind === 'string' ? 'string' : 'quoted name';
      throw expressionError(`The ${what} is not closed`, start, `a closing ${quote}`);
    }
    value += text.slice(from, close);
    if (text[close + 1] !== quote) {
      if (kind === 'quoted-name' && value === '') {
        throw expressionError('A quoted name is empty', start, 'a column name');
      }
      return { kind, text: value, start, end: close + 1 };
    }
    value += quote;
    from = close + 2;
  }
}

/** Past white space, `-- comments` and block comments. */
function skipBlank(text: string, start: number): number {
  let position = start;
  for (;;) {
    position += match(SPACE, text, position).length;
    if (text.startsWith('--', position)) {
      const end = text.indexOf('\n', position);
      position = end < 0 ? text.length : end + 1;
    } else if (text.startsWith('/*', position)) {
      position = commentEnd(text, position);
    } else {
      return position;
    }
  }
}

const COMMENT_MARK = /\/\*|\*\//g;

/** Behind a block comment, which may hold others. */
function commentEnd(text: string, start: number): number {
  COMMENT_MARK.lastIndex = start;
  for (let depth = 0; ;) {
    const mark = COMMENT_MARK.exec(text);
    if (mark === null) throw expressionError('The comment is not closed', start, 'a closing */');
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.index + 2;
  }
}

function match(pattern: RegExp, text: string, position: number): string {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? '';
}
