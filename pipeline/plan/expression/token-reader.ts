import { expressionError, tokenize, type Token } from './lexer.ts';

/** Goes through the tokens of an expression, and says what was wrong with one. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
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
      token.kind === 'end' ? 'The expression ends too early' : `Unexpected ${describe(token)}`;
    return expressionError(message, token.start, expected);
  }

  unsupported(what: string, at: number): Error {
    const expected = 'operators, functions, CASE, CAST, columns and literals';
    return expressionError(`${what} is not supported yet`, at, expected, 'plan-unsupported');
  }
}

function describe(token: Token): string {
  return token.kind === 'string' ? `string '${token.text}'` : JSON.stringify(token.text);
}
