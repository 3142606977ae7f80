import type { Expression } from '../expression/ast.ts';
import { expressionError, type Token } from '../expression/lexer.ts';
import { parseExpressionAt, type ExpressionExtension } from '../expression/parser.ts';
import { TokenReader } from '../expression/token-reader.ts';
import { isAggregate } from '../aggregate-names.ts';
import { parseMeasureAt } from '../measure.ts';
import { isBareAlias, REFUSED_CALLS, type Refusal } from './keywords.ts';
import type { Query, QueryMeasure } from './statement.ts';

const MEASURE_COUNT_MAX = 10_000;
const KEY_COUNT_MAX = 1000;

/** Reads what every clause of a statement is made of: names, expressions, aggregates, SELECTs. */
export class ClauseReader {
  readonly reader: TokenReader;
  /** Reads a SELECT within the statement. */
  readonly query: () => Query;
  /** Of the SELECT being read; null where no aggregate may stand. */
  private measures: QueryMeasure[] | null = null;
  private measureCount = 0;
  private readonly extension: ExpressionExtension = {
    call: (_reader, callee) => this.call(callee),
  };

  constructor(text: string, query: () => Query) {
    this.reader = new TokenReader(text, 'statement');
    this.query = query;
  }

  /** Runs `read`, and gives the aggregates that stand in what it reads, SELECTs within left out. */
  collecting<Result>(read: () => Result): { result: Result; measures: readonly QueryMeasure[] } {
    const outer = this.measures;
    const measures: QueryMeasure[] = [];
    this.measures = measures;
    const result = read();
    this.measures = outer;
    return { result, measures };
  }

  expression(): Expression {
    return parseExpressionAt(this.reader, this.extension);
  }

  /** Keys of GROUP BY, ORDER BY or DISTINCT ON. */
  keys<Key>(read: () => Key): Key[] {
    const list = [read()];
    while (this.reader.takeSymbol(',')) {
      if (list.length === KEY_COUNT_MAX) {
        const { start } = this.reader.peek();
        throw expressionError('There are too many keys', start, `at most ${String(KEY_COUNT_MAX)}`);
      }
      list.push(read());
    }
    return list;
  }

  /** A name after AS, or one that stands by itself and is no keyword. */
  alias(): string | null {
    const isNamed = this.reader.takeWord('as');
    const token = this.reader.peek();
    const isName = token.kind === 'quoted-name' || token.kind === 'name';
    if (isNamed && !isName) throw this.reader.unexpected(token, 'a name');
    if (!isName || (!isNamed && token.kind === 'name' && !isBareAlias(token.text))) return null;
    this.reader.next();
    return token.text;
  }

  name(expected: string): Token {
    const token = this.reader.next();
    if (token.kind === 'name' || token.kind === 'quoted-name') return token;
    throw this.reader.unexpected(token, expected);
  }

  /** `(a, b)`, or none. */
  nameList(expected: string): Token[] {
    if (!this.reader.takeSymbol('(')) return [];
    const names = [this.name(expected)];
    while (this.reader.takeSymbol(',')) names.push(this.name(expected));
    this.reader.expectSymbol(')');
    return names;
  }

  /** What `refusals` has of the word that follows, if anything, is refused. */
  refuse(refusals: Readonly<Record<string, Refusal>>, token = this.reader.peek()): void {
    const word = token.kind === 'name' ? token.text.toLowerCase() : '';
    const refusal = Object.hasOwn(refusals, word) ? refusals[word] : undefined;
    if (refusal === undefined) return;
    const [what, instead] = refusal;
    throw this.reader.unsupported(what, token.start, instead);
  }

  /** Reads an aggregate and leaves a column in its place; null for a function. */
  private call(callee: Token): Expression | null {
    this.refuse(REFUSED_CALLS, callee);
    if (!isAggregate(callee.text)) return null;
    const measures = this.measures;
    if (measures === null) {
      const message = 'An aggregate stands in an aggregate';
      throw expressionError(message, callee.start, 'a column or an expression of columns');
    }
    this.measures = null;
    const plan = parseMeasureAt(this.reader, callee, this.extension);
    this.measures = measures;
    if (this.reader.isWord('over')) {
      const instead = 'GROUP BY; a total of all records is a job of its own';
      throw this.reader.unsupported('A window', this.reader.peek().start, instead);
    }
    this.measureCount += 1;
    if (this.measureCount > MEASURE_COUNT_MAX) {
      const expected = `at most ${String(MEASURE_COUNT_MAX)}`;
      throw expressionError('The statement has too many aggregates', callee.start, expected);
    }
    const name = `\u0000measure ${String(this.measureCount)}`;
    measures.push({ name, plan, at: callee.start });
    return { kind: 'column', name, at: callee.start };
  }
}
