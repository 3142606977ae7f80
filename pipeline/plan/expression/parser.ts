import type { Expression } from './ast.ts';
import { readCallArguments } from './call-arguments.ts';
import { DepthLimit } from './depth-limit.ts';
import { functionNames } from './functions.ts';
import { zoned } from './impure.ts';
import { readInterval } from './interval.ts';
import { expressionError, type Token } from './lexer.ts';
import { numberLiteral } from './literals.ts';
import { BINARIES, COMPARISONS, Power, RESERVED } from './precedence.ts';
import { TokenReader } from './token-reader.ts';
import { readTypeName } from './type-name.ts';
import { unknownFunction } from './unknown-function.ts';

/**
 * Pratt parser of SQL expressions, precedence as in PostgreSQL and DuckDB: OR < AND < NOT < IS <
 * comparison < BETWEEN, IN, LIKE < || < + - < * / // % < ^ < sign < ::. What SQL has and Sluice has
 * not yet is refused by name ('plan-unsupported'), what is not SQL by place ('plan-invalid').
 */

/** What a statement has in its expressions beyond those of a step. */
export interface ExpressionExtension {
  /** Reads a call of `callee`, whose `(` is next; null leaves it to the parser. */
  readonly call: (reader: TokenReader, callee: Token) => Expression | null;
}

/** What takes the place of a subquery within an expression. */
const INSTEAD_OF_SUBQUERY = 'a subquery in FROM, or a SEMI or ANTI JOIN with a lookup file';

/** Parses a whole text. Throws SluiceError with `details: {at, expected}`. */
export function parseExpression(text: string): Expression {
  return new Parser(new TokenReader(text)).parseAll();
}

/** Parses what stands at the reader's place, and leaves what follows. With an extension columns may
 *  be named with their table. */
export function parseExpressionAt(
  reader: TokenReader,
  extension: ExpressionExtension | null = null,
): Expression {
  return new Parser(reader, extension).parse(Power.none);
}

class Parser {
  private readonly reader: TokenReader;
  private readonly extension: ExpressionExtension | null;
  private readonly depth = new DepthLimit();

  constructor(reader: TokenReader, extension: ExpressionExtension | null = null) {
    this.reader = reader;
    this.extension = extension;
  }

  parseAll(): Expression {
    const expression = this.parse(Power.none);
    const rest = this.reader.peek();
    if (rest.kind !== 'end') throw this.reader.unexpected(rest, 'an operator or the end');
    return expression;
  }

  parse(power: number): Expression {
    this.depth.enter(this.reader.peek().start);
    let left = this.parsePrefix();
    for (;;) {
      const next = this.parseInfix(left, power);
      if (next === undefined) break;
      left = next;
    }
    this.depth.leave();
    return left;
  }

  private parsePrefix(): Expression {
    const token = this.reader.next();
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
      this.refuseSubquery();
      const inner = this.parse(Power.none);
      this.reader.expectSymbol(')');
      return inner;
    }
    if (token.text === '-' || token.text === '+') {
      const number = this.reader.peek();
      if (number.kind !== 'number') return this.parseSigned(token);
      this.reader.next();
      const sign = token.text === '-' ? '-' : '';
      return this.made(numberLiteral(sign + number.text, token.start));
    }
    throw this.reader.unexpected(token, 'a value or a column');
  }

  private parseSigned(sign: Token): Expression {
    const operand = this.parse(Power.sign);
    if (sign.text === '+') return operand;
    return this.made({ kind: 'negate', operand, at: sign.start }, operand);
  }

  private parseNamed(token: Token): Expression {
    const word = token.text.toLowerCase();
    const following = this.reader.peek();
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
      this.reader.next();
      const type = word === 'date' ? 'date' : 'datetime';
      return this.made({ kind: 'literal', type, text: following.text, at: token.start });
    }
    if (word === 'case') return this.parseCase(token.start);
    if (word === 'exists') {
      throw this.reader.unsupported('EXISTS', token.start, INSTEAD_OF_SUBQUERY);
    }
    if (word === 'interval' && ['number', 'string'].includes(following.kind)) {
      return this.made(readInterval(this.reader, token.start));
    }
    if (following.kind === 'symbol' && following.text === '(') {
      if (word === 'cast' || word === 'try_cast') return this.parseCast(word, token.start);
      if (!RESERVED.has(word)) {
        const own = this.extension?.call(this.reader, token) ?? null;
        return own === null ? this.parseCall(word, token.start) : this.made(own);
      }
    }
    if (following.kind === 'string') {
      if (word === 'timestamptz') throw zoned('TIMESTAMPTZ', token.start);
      throw this.reader.unsupported(`${token.text} '...'`, token.start);
    }
    if (RESERVED.has(word)) {
      const expected = `a value or a column; one that is called so is "${token.text}"`;
      throw this.reader.unexpected(token, expected);
    }
    return this.parseColumn(token);
  }

  private parseCase(at: number): Expression {
    const operand = this.reader.isWord('when') ? null : this.parse(Power.none);
    const branches: { when: Expression; then: Expression }[] = [];
    const children: Expression[] = operand === null ? [] : [operand];
    while (this.reader.takeWord('when')) {
      const when = this.parse(Power.none);
      this.reader.expectWord('then');
      const then = this.parse(Power.none);
      branches.push({ when, then });
      children.push(when, then);
    }
    if (branches.length === 0) throw this.reader.unexpected(this.reader.peek(), 'WHEN');
    const otherwise = this.reader.takeWord('else') ? this.parse(Power.none) : null;
    if (otherwise !== null) children.push(otherwise);
    this.reader.expectWord('end');
    return this.depth.made({ kind: 'case', operand, branches, otherwise, at }, children);
  }

  private parseCast(word: string, at: number): Expression {
    this.reader.expectSymbol('(');
    const operand = this.parse(Power.none);
    this.reader.expectWord('as');
    const type = readTypeName(this.reader);
    this.reader.expectSymbol(')');
    return this.made({ kind: 'cast', operand, type, isTry: word === 'try_cast', at }, operand);
  }

  private parseCall(name: string, at: number): Expression {
    this.reader.expectSymbol('(');
    const isStar = this.reader.isSymbol('*');
    if (isStar && !functionNames().includes(name)) throw unknownFunction(name, at);
    if (this.reader.isWord('distinct'))
      throw this.reader.unsupported('DISTINCT', this.reader.peek().start);
    const call = readCallArguments(name, this.reader, (power) => this.parse(power));
    this.reader.expectSymbol(')');
    if (this.reader.isWord('over')) throw this.reader.unsupported('OVER', this.reader.peek().start);
    return this.depth.made({ kind: 'call', ...call, at }, call.args);
  }

  private parseColumn(token: Token): Expression {
    const following = this.reader.peek();
    if (this.extension !== null && this.reader.takeSymbol('.')) return this.parseQualified(token);
    if (following.kind === 'symbol' && (following.text === '.' || following.text === '[')) {
      throw this.reader.unsupported('A name with parts', following.start);
    }
    return this.made({ kind: 'column', name: token.text, at: token.start });
  }

  private parseQualified(table: Token): Expression {
    const name = this.reader.next();
    if (name.kind !== 'name' && name.kind !== 'quoted-name') {
      throw this.reader.unexpected(name, 'the name of a column');
    }
    const following = this.reader.peek();
    if (following.kind === 'symbol' && (following.text === '.' || following.text === '[')) {
      throw this.reader.unsupported('A name of more than two parts', following.start);
    }
    return this.made({ kind: 'column', name: name.text, table: table.text, at: table.start });
  }

  private refuseSubquery(): void {
    if (!this.reader.isWord('select') && !this.reader.isWord('with')) return;
    const { start } = this.reader.peek();
    throw this.reader.unsupported('A subquery in an expression', start, INSTEAD_OF_SUBQUERY);
  }

  /** Continues `left` with the operator that follows, if it binds tighter than `power`. */
  private parseInfix(left: Expression, power: number): Expression | undefined {
    const token = this.reader.peek();
    if (token.kind === 'symbol') return this.parseOperator(left, token, power);
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
        throw this.reader.unsupported(token.text.toUpperCase(), token.start);
      case 'not':
      case 'in':
      case 'between':
      case 'like':
      case 'ilike':
        return power < Power.predicate ? this.parsePredicate(left) : undefined;
      case 'similar':
      case 'glob':
      case 'collate':
        throw this.reader.unsupported(token.text.toUpperCase(), token.start);
      case 'at':
        this.refuseTimeZone(token);
        return undefined;
      default:
        return undefined;
    }
  }

  private refuseTimeZone({ start }: Token): void {
    const [time, zone] = [this.reader.peek(1), this.reader.peek(2)].map(({ text }) => text);
    if (time?.toLowerCase() !== 'time' || zone?.toLowerCase() !== 'zone') return;
    throw zoned('AT TIME ZONE', start);
  }

  private parseOperator(left: Expression, token: Token, power: number): Expression | undefined {
    if (token.text === ')' || token.text === ',') return undefined;
    const at = token.start;
    if (token.text === '::') {
      this.reader.next();
      const type = readTypeName(this.reader);
      return this.made({ kind: 'cast', operand: left, type, isTry: false, at }, left);
    }
    const binary = Object.hasOwn(BINARIES, token.text) ? BINARIES[token.text] : undefined;
    if (binary === undefined) return this.parseComparison(left, token, power);
    if (power >= binary.power) return undefined;
    this.reader.next();
    const right = this.parse(binary.power);
    const { operator } = binary;
    return this.made({ kind: 'binary', operator, left, right, at }, left, right);
  }

  private parseComparison(left: Expression, token: Token, power: number): Expression | undefined {
    const operator = COMPARISONS[token.text];
    if (operator === undefined) {
      if (token.text === ';') throw this.reader.unexpected(token, 'an operator or the end');
      throw this.reader.unsupported(`The operator ${token.text}`, token.start);
    }
    if (power >= Power.comparison) return undefined;
    this.reader.next();
    const right = this.parse(Power.comparison);
    const following = this.reader.peek();
    if (following.kind === 'symbol' && COMPARISONS[following.text] !== undefined) {
      throw this.reader.unexpected(following, 'AND or OR: comparisons do not chain');
    }
    const node: Expression = { kind: 'compare', operator, left, right, at: token.start };
    return this.made(node, left, right);
  }

  /** AND and OR take all their operands into one node, so that long lists stay flat. */
  private parseLogical(kind: 'and' | 'or', first: Expression, power: number): Expression {
    const operands = [first];
    const at = this.reader.peek().start;
    while (this.reader.isWord(kind)) {
      this.reader.next();
      operands.push(this.parse(power));
    }
    return this.depth.made({ kind, operands, at }, operands);
  }

  private parseIs(left: Expression): Expression {
    const at = this.reader.next().start;
    const negated = this.reader.takeWord('not');
    const token = this.reader.next();
    const word = token.kind === 'name' ? token.text.toLowerCase() : '';
    if (word === 'distinct') {
      this.reader.expectWord('from');
      const right = this.parse(Power.is);
      return this.negate(
        negated,
        this.made({ kind: 'distinct', left, right, at }, left, right),
        at,
      );
    }
    if (word === 'true' || word === 'false') {
      const value = word === 'true';
      return this.negate(
        negated,
        this.made({ kind: 'is-truth', operand: left, value, at }, left),
        at,
      );
    }
    if (word !== 'null' && word !== 'unknown') throw this.reader.unexpected(token, 'NULL');
    return this.negate(negated, this.made({ kind: 'is-null', operand: left, at }, left), at);
  }

  private parsePredicate(left: Expression): Expression {
    const at = this.reader.peek().start;
    const negated = this.reader.takeWord('not');
    const token = this.reader.next();
    const word = token.kind === 'name' ? token.text.toLowerCase() : '';
    switch (word) {
      case 'in':
        return this.negate(negated, this.parseIn(left, at), at);
      case 'between': {
        if (this.reader.isWord('symmetric'))
          throw this.reader.unsupported('SYMMETRIC', this.reader.peek().start);
        const low = this.parse(Power.predicate);
        if (!this.reader.takeWord('and')) throw this.reader.unexpected(this.reader.peek(), 'AND');
        const high = this.parse(Power.predicate);
        const node: Expression = { kind: 'between', operand: left, low, high, at };
        return this.negate(negated, this.made(node, left, low, high), at);
      }
      case 'like':
      case 'ilike': {
        const pattern = this.parse(Power.predicate);
        const escape = this.reader.takeWord('escape') ? this.parseEscape() : '';
        const ignoreCase = word === 'ilike';
        const node: Expression = { kind: 'like', operand: left, pattern, ignoreCase, escape, at };
        return this.negate(negated, this.made(node, left, pattern), at);
      }
      default:
        throw this.reader.unexpected(token, 'IN, BETWEEN, LIKE or ILIKE');
    }
  }

  private parseEscape(): string {
    const token = this.reader.next();
    if (token.kind === 'string' && /^[\0-\x7f]?$/.test(token.text)) return token.text;
    throw this.reader.unexpected(token, "one character such as '!', or ''");
  }

  private parseIn(operand: Expression, at: number): Expression {
    this.reader.expectSymbol('(');
    this.refuseSubquery();
    const values = [this.parse(Power.none)];
    while (this.reader.peek().kind === 'symbol' && this.reader.peek().text === ',') {
      this.reader.next();
      values.push(this.parse(Power.none));
    }
    this.reader.expectSymbol(')');
    return this.depth.made({ kind: 'in', operand, values, at }, [operand, ...values]);
  }

  private negate(negated: boolean, operand: Expression, at: number): Expression {
    return negated ? this.made({ kind: 'not', operand, at }, operand) : operand;
  }

  private made(node: Expression, ...children: readonly Expression[]): Expression {
    return this.depth.made(node, children);
  }
}
