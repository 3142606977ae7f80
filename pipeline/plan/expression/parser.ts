import type { ComparisonOperator, Expression, Literal } from './ast.ts';
import { expressionError, tokenize, type Token } from './lexer.ts';

/**
 * Pratt parser of SQL conditions, precedence as in PostgreSQL and DuckDB:
 * OR < AND < NOT < IS < comparison < BETWEEN, IN, LIKE. What SQL has and Sluice has not yet is
 * refused by name ('plan-unsupported'), what is not SQL by place ('plan-invalid').
 */

const Power = { none: 0, or: 1, and: 2, not: 3, is: 4, comparison: 5, predicate: 6 } as const;

/** Deeper nesting is refused, so that nothing that walks an expression overflows the stack. */
const EXPRESSION_DEPTH_MAX = 200;

const COMPARISONS: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '==': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

const RESERVED = new Set(
  (
    'and or not in between is null like ilike true false case when then else end select from where ' +
    'group order by having limit offset union join on using as distinct all any some exists cast ' +
    'asc desc with into collate similar glob isnull notnull'
  ).split(' '),
);

/** Parses a whole text. Throws SluiceError with `details: {at, expected}`. */
export function parseExpression(text: string): Expression {
  return new Parser(text).parseAll();
}

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;
  private depth = 0;
  /** Height of each node made, for `EXPRESSION_DEPTH_MAX`. */
  private readonly heights = new WeakMap<Expression, number>();

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  parseAll(): Expression {
    const expression = this.parse(Power.none);
    const rest = this.peek();
    if (rest.kind !== 'end') throw this.unexpected(rest, 'an operator or the end');
    return expression;
  }

  private parse(power: number): Expression {
    this.depth += 1;
    if (this.depth > EXPRESSION_DEPTH_MAX) throw this.tooDeep(this.peek().start);
    let left = this.parsePrefix();
    for (;;) {
      const next = this.parseInfix(left, power);
      if (next === undefined) break;
      left = next;
    }
    this.depth -= 1;
    return left;
  }

  private parsePrefix(): Expression {
    const token = this.next();
    switch (token.kind) {
      case 'number':
        return this.made(numberLiteral(token.text, token.start));
      case 'string':
        return this.made({ kind: 'literal', type: 'string', text: token.text, at: token.start });
      case 'quoted-name':
        return this.parseColumn(token);
      case 'name':
        return this.parseNamed(token);
      case 'symbol':
        return this.parseSymbol(token);
      case 'end':
        throw expressionError('The expression ends too early', token.start, 'a value or a column');
    }
  }

  private parseSymbol(token: Token): Expression {
    if (token.text === '(') {
      if (this.isWord('select')) throw this.unsupported('A subquery', this.peek().start);
      const inner = this.parse(Power.none);
      this.expectSymbol(')');
      return inner;
    }
    if (token.text === '-' || token.text === '+') {
      const number = this.peek();
      if (number.kind !== 'number') throw this.unsupported('Arithmetic', token.start);
      this.next();
      const sign = token.text === '-' ? '-' : '';
      return this.made(numberLiteral(sign + number.text, token.start));
    }
    throw this.unexpected(token, 'a value or a column');
  }

  private parseNamed(token: Token): Expression {
    const word = token.text.toLowerCase();
    const following = this.peek();
    if (word === 'not') {
      const operand = this.parse(Power.not);
      return this.made({ kind: 'not', operand, at: token.start }, operand);
    }
    if (word === 'true' || word === 'false') {
      return this.made({ kind: 'literal', type: 'boolean', text: word, at: token.start });
    }
    if (word === 'null') {
      return this.made({ kind: 'literal', type: 'null', text: '', at: token.start });
    }
    if ((word === 'date' || word === 'timestamp') && following.kind === 'string') {
      this.next();
      const type = word === 'date' ? 'date' : 'datetime';
      return this.made({ kind: 'literal', type, text: following.text, at: token.start });
    }
    if (word === 'case' || word === 'exists') {
      throw this.unsupported(word.toUpperCase(), token.start);
    }
    if (following.kind === 'symbol' && following.text === '(') {
      throw this.unsupported(`The function ${token.text}`, token.start);
    }
    if (following.kind === 'string') {
      throw this.unsupported(`${token.text} '...'`, token.start);
    }
    if (RESERVED.has(word)) throw this.unexpected(token, 'a value or a column');
    return this.parseColumn(token);
  }

  private parseColumn(token: Token): Expression {
    const following = this.peek();
    if (following.kind === 'symbol' && (following.text === '.' || following.text === '[')) {
      throw this.unsupported('A name with parts', following.start);
    }
    return this.made({ kind: 'column', name: token.text, at: token.start });
  }

  /** Continues `left` with the operator that follows, if it binds tighter than `power`. */
  private parseInfix(left: Expression, power: number): Expression | undefined {
    const token = this.peek();
    if (token.kind === 'symbol') return this.parseComparison(left, token, power);
    if (token.kind !== 'name') return undefined;
    switch (token.text.toLowerCase()) {
      case 'or':
        return power < Power.or ? this.parseLogical('or', left, Power.or) : undefined;
      case 'and':
        return power < Power.and ? this.parseLogical('and', left, Power.and) : undefined;
      case 'is':
        return power < Power.is ? this.parseIs(left) : undefined;
      case 'isnull':
      case 'notnull':
        throw this.unsupported(token.text.toUpperCase(), token.start);
      case 'not':
      case 'in':
      case 'between':
      case 'like':
      case 'ilike':
        return power < Power.predicate ? this.parsePredicate(left) : undefined;
      case 'similar':
      case 'glob':
      case 'collate':
        throw this.unsupported(token.text.toUpperCase(), token.start);
      default:
        return undefined;
    }
  }

  private parseComparison(left: Expression, token: Token, power: number): Expression | undefined {
    if (token.text === ')' || token.text === ',') return undefined;
    const operator = COMPARISONS[token.text];
    if (operator === undefined) {
      if (token.text === ';') throw this.unexpected(token, 'an operator or the end');
      throw this.unsupported(`The operator ${token.text}`, token.start);
    }
    if (power >= Power.comparison) return undefined;
    this.next();
    const right = this.parse(Power.comparison);
    const following = this.peek();
    if (following.kind === 'symbol' && COMPARISONS[following.text] !== undefined) {
      throw this.unexpected(following, 'AND or OR: comparisons do not chain');
    }
    const node: Expression = { kind: 'compare', operator, left, right, at: token.start };
    return this.made(node, left, right);
  }

  /** AND and OR take all their operands into one node, so that long lists stay flat. */
  private parseLogical(kind: 'and' | 'or', first: Expression, power: number): Expression {
    const operands = [first];
    const at = this.peek().start;
    while (this.isWord(kind)) {
      this.next();
      operands.push(this.parse(power));
    }
    return this.made({ kind, operands, at }, ...operands);
  }

  private parseIs(left: Expression): Expression {
    const at = this.next().start;
    const negated = this.takeWord('not');
    const token = this.next();
    const word = token.kind === 'name' ? token.text.toLowerCase() : '';
    if (['distinct', 'true', 'false', 'unknown'].includes(word)) {
      throw this.unsupported(`IS ${negated ? 'NOT ' : ''}${word.toUpperCase()}`, token.start);
    }
    if (word !== 'null') throw this.unexpected(token, 'NULL');
    return this.negate(negated, this.made({ kind: 'is-null', operand: left, at }, left), at);
  }

  private parsePredicate(left: Expression): Expression {
    const at = this.peek().start;
    const negated = this.takeWord('not');
    const token = this.next();
    const word = token.kind === 'name' ? token.text.toLowerCase() : '';
    switch (word) {
      case 'in':
        return this.negate(negated, this.parseIn(left, at), at);
      case 'between': {
        if (this.isWord('symmetric')) throw this.unsupported('SYMMETRIC', this.peek().start);
        const low = this.parse(Power.predicate);
        if (!this.takeWord('and')) throw this.unexpected(this.peek(), 'AND');
        const high = this.parse(Power.predicate);
        const node: Expression = { kind: 'between', operand: left, low, high, at };
        return this.negate(negated, this.made(node, left, low, high), at);
      }
      case 'like':
      case 'ilike': {
        const pattern = this.parse(Power.predicate);
        if (this.isWord('escape')) throw this.unsupported('ESCAPE', this.peek().start);
        const ignoreCase = word === 'ilike';
        const node: Expression = { kind: 'like', operand: left, pattern, ignoreCase, at };
        return this.negate(negated, this.made(node, left, pattern), at);
      }
      default:
        throw this.unexpected(token, 'IN, BETWEEN, LIKE or ILIKE');
    }
  }

  private parseIn(operand: Expression, at: number): Expression {
    this.expectSymbol('(');
    if (this.isWord('select')) throw this.unsupported('A subquery', this.peek().start);
    const values = [this.parse(Power.none)];
    while (this.peek().kind === 'symbol' && this.peek().text === ',') {
      this.next();
      values.push(this.parse(Power.none));
    }
    this.expectSymbol(')');
    return this.made({ kind: 'in', operand, values, at }, operand, ...values);
  }

  private negate(negated: boolean, operand: Expression, at: number): Expression {
    return negated ? this.made({ kind: 'not', operand, at }, operand) : operand;
  }

  private made(node: Expression, ...children: readonly Expression[]): Expression {
    let height = 1;
    for (const child of children) height = Math.max(height, 1 + (this.heights.get(child) ?? 1));
    if (height > EXPRESSION_DEPTH_MAX) throw this.tooDeep(node.at);
    this.heights.set(node, height);
    return node;
  }

  private peek(): Token {
    return this.tokens[Math.min(this.position, this.tokens.length - 1)] as Token;
  }

  private next(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }

  private isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text.toLowerCase() === word;
  }

  private takeWord(word: string): boolean {
    const found = this.isWord(word);
    if (found) this.next();
    return found;
  }

  private expectSymbol(symbol: string): void {
    const token = this.next();
    if (token.kind !== 'symbol' || token.text !== symbol) throw this.unexpected(token, symbol);
  }

  private unexpected(token: Token, expected: string): Error {
    const message =
      token.kind === 'end' ? 'The expression ends too early' : `Unexpected ${describe(token)}`;
    return expressionError(message, token.start, expected);
  }

  private unsupported(what: string, at: number): Error {
    const expected = 'comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, columns and literals';
    return expressionError(`${what} is not supported yet`, at, expected, 'plan-unsupported');
  }

  private tooDeep(at: number): Error {
    const expected = `at most ${String(EXPRESSION_DEPTH_MAX)} levels`;
    return expressionError('The expression is nested too deeply', at, expected);
  }
}

function describe(token: Token): string {
  return token.kind === 'string' ? `string '${token.text}'` : JSON.stringify(token.text);
}

function numberLiteral(text: string, at: number): Literal {
  const type = /e/i.test(text) ? 'double' : text.includes('.') ? 'decimal' : 'integer';
  return { kind: 'literal', type, text, at };
}
