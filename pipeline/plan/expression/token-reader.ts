import { expressionError, tokenize, type Token } from './lexer.ts';

/** Goes through the tokens of a text, and says what was wrong with one. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private readonly text: string;
  private readonly what: string;
  private position = 0;

  /** `what` the text is, for messages: an expression, a statement. */
  constructor(text: string, what = 'expression') {
    this.tokens = tokenize(text);
    this.text = text;
    this.what = what;
  }

  /** What was read from the token at `start` to here, without comments, a blank for each gap. */
  textFrom(start: number): string {
    let first = this.position;
    while (first > 0 && (this.tokens[first - 1]?.start ?? 0) >= start) first -= 1;
    let text = '';
    for (let at = first; at < this.position; at += 1) {
      const { start: from, end } = this.tokens[at] as Token;
      if (at > first && this.tokens[at - 1]?.end !== from) text += ' ';
      text += this.text.slice(from, end);
    }
    return text;
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.position + ahead, this.tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }

  isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text.toLowerCase() === word;
  }

  takeWord(word: string): boolean {
    const found = this.isWord(word);
    if (found) this.next();
    return found;
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.unexpected(this.peek(), word.toUpperCase());
  }

  isSymbol(symbol: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  takeSymbol(symbol: string): boolean {
    const found = this.isSymbol(symbol);
    if (found) this.next();
    return found;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected(this.peek(), symbol);
  }

  unexpected(token: Token, expected: string): Error {
    const message =
      token.kind === 'end' ? `The ${this.what} ends too early` : `Unexpected ${describe(token)}`;
    return expressionError(message, token.start, expected);
  }

  unsupported(
    what: string,
    at: number,
    expected = 'operators, functions, CASE, CAST, columns and literals',
  ): Error {
    return expressionError(`${what} is not supported yet`, at, expected, 'plan-unsupported');
  }
}

function describe(token: Token): string {
  return token.kind === 'string' ? `string '${token.text}'` : JSON.stringify(token.text);
}
