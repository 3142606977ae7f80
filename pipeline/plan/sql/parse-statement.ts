import { expressionError, type Token } from '../expression/lexer.ts';
import type { TokenReader } from '../expression/token-reader.ts';
import { nearest } from '../suggest.ts';
import { ClauseReader } from './clause-reader.ts';
import { REFUSED_CLAUSES } from './keywords.ts';
import { parseFrom } from './parse-from.ts';
import { parseItems } from './parse-items.ts';
import type { CommonTable, OrderKey, Query } from './statement.ts';

/** Nested or one after another: more than people write, and few enough to compile at once. */
const SELECT_COUNT_MAX = 100;

/**
 * Parses a SELECT statement, DuckDB's spelling. Throws SluiceError with `details: {at, expected}`:
 * 'plan-unsupported' for what is SQL and not Sluice's, 'plan-invalid' for what is not SQL.
 */
export function parseStatement(text: string): Query {
  return new StatementParser(text).parseAll();
}

class StatementParser {
  private readonly clauses: ClauseReader;
  private readonly reader: TokenReader;
  private selectCount = 0;

  constructor(text: string) {
    this.clauses = new ClauseReader(text, () => this.parseQuery());
    this.reader = this.clauses.reader;
  }

  parseAll(): Query {
    const query = this.parseQuery();
    while (this.reader.takeSymbol(';'));
    const rest = this.reader.peek();
    if (rest.kind !== 'end') throw this.leftOver(rest, 'the end of the statement');
    return query;
  }

  /** WITH ..., and SELECT ... or FROM ..., or one in parentheses. */
  parseQuery(): Query {
    const ctes = this.parseCommonTables();
    const first = this.reader.peek();
    this.selectCount += 1;
    if (this.selectCount > SELECT_COUNT_MAX) {
      const expected = `at most ${String(SELECT_COUNT_MAX)}`;
      throw expressionError('The statement has too many SELECTs', first.start, expected);
    }
    if (this.reader.takeSymbol('(')) {
      const inner = this.parseQuery();
      this.reader.expectSymbol(')');
      return { ...inner, ctes: [...ctes, ...inner.ctes] };
    }
    const word = first.kind === 'name' ? first.text.toLowerCase() : '';
    if (word !== 'select' && word !== 'from') throw notSelect(this.reader, first);
    const { result, measures } = this.clauses.collecting(() => this.parseBlock(first.start));
    return { ...result, ctes, measures };
  }

  private parseCommonTables(): CommonTable[] {
    if (!this.reader.takeWord('with')) return [];
    if (this.reader.isWord('recursive')) {
      const { start } = this.reader.peek();
      throw this.reader.unsupported('WITH RECURSIVE', start, 'WITH name AS (SELECT ...)');
    }
    const tables: CommonTable[] = [];
    do {
      const name = this.clauses.name('the name of a common table');
      const columns = this.clauses.nameList('the name of a column').map(({ text }) => text);
      this.reader.expectWord('as');
      if (this.reader.takeWord('not')) this.reader.expectWord('materialized');
      else this.reader.takeWord('materialized');
      this.reader.expectSymbol('(');
      const query = this.parseQuery();
      this.reader.expectSymbol(')');
      tables.push({ name: name.text, columns, query, at: name.start });
    } while (this.reader.takeSymbol(','));
    return tables;
  }

  private parseBlock(at: number): Omit<Query, 'ctes' | 'measures'> {
    const { clauses, reader } = this;
    let source = reader.isWord('from') ? parseFrom(clauses) : null;
    const hasSelect = reader.takeWord('select');
    const distinct = hasSelect ? this.parseDistinct() : { isDistinct: false, distinctOn: [] };
    const items = hasSelect ? parseItems(clauses) : [star(at)];
    source ??= parseFrom(clauses);
    const where = reader.takeWord('where') ? clauses.expression() : null;
    const groupBy = this.parseGroupBy();
    const having = reader.takeWord('having') ? clauses.expression() : null;
    clauses.refuse(REFUSED_CLAUSES);
    const orderBy = this.parseOrderBy();
    const limits = this.parseLimits();
    clauses.refuse(REFUSED_CLAUSES);
    return { ...distinct, items, ...source, where, groupBy, having, orderBy, ...limits, at };
  }

  private parseDistinct(): Pick<Query, 'isDistinct' | 'distinctOn'> {
    if (this.reader.takeWord('all')) return { isDistinct: false, distinctOn: [] };
    if (!this.reader.takeWord('distinct')) return { isDistinct: false, distinctOn: [] };
    if (!this.reader.takeWord('on')) return { isDistinct: true, distinctOn: [] };
    this.reader.expectSymbol('(');
    const distinctOn = this.clauses.keys(() => this.clauses.expression());
    this.reader.expectSymbol(')');
    return { isDistinct: true, distinctOn };
  }

  private parseGroupBy(): Query['groupBy'] {
    if (!this.reader.takeWord('group')) return null;
    this.reader.expectWord('by');
    const { text, start } = this.reader.peek();
    const word = text.toLowerCase();
    if (['grouping', 'rollup', 'cube'].includes(word)) {
      throw this.reader.unsupported(word.toUpperCase(), start, 'one list of columns');
    }
    if (this.reader.takeWord('all')) return 'all';
    return this.clauses.keys(() => this.clauses.expression());
  }

  private parseOrderBy(): OrderKey[] {
    if (!this.reader.takeWord('order')) return [];
    this.reader.expectWord('by');
    return this.clauses.keys(() => {
      const at = this.reader.peek().start;
      const expression = this.reader.takeWord('all') ? null : this.clauses.expression();
      const desc = this.reader.takeWord('desc');
      if (!desc) this.reader.takeWord('asc');
      return { expression, desc, nulls: this.parseNulls(), at };
    });
  }

  /** Last by default whatever the direction, as in DuckDB. */
  private parseNulls(): OrderKey['nulls'] {
    if (!this.reader.takeWord('nulls')) return 'last';
    if (this.reader.takeWord('first')) return 'first';
    this.reader.expectWord('last');
    return 'last';
  }

  private parseLimits(): Pick<Query, 'limit' | 'offset' | 'limitAt'> {
    const limitAt = this.reader.peek().start;
    let limit: number | null | undefined;
    let offset: number | undefined;
    for (;;) {
      if (limit === undefined && this.reader.takeWord('limit')) {
        const isAll = this.reader.takeWord('all') || this.reader.takeWord('null');
        limit = isAll ? null : this.count('LIMIT');
      } else if (offset === undefined && this.reader.takeWord('offset')) {
        offset = this.count('OFFSET');
        if (!this.reader.takeWord('rows')) this.reader.takeWord('row');
      } else {
        return { limit: limit ?? null, offset: offset ?? 0, limitAt };
      }
    }
  }

  private count(clause: string): number {
    const token = this.reader.next();
    const value = Number(token.text);
    if (token.kind !== 'number' || !/^\d+$/.test(token.text) || !Number.isSafeInteger(value)) {
      throw this.reader.unexpected(token, `a whole number after ${clause}`);
    }
    const rest = this.reader.peek();
    if (rest.text === '%' || rest.text.toLowerCase() === 'percent') {
      throw this.reader.unsupported('A share of the records', rest.start, 'a number of records');
    }
    return value;
  }

  /** A word that was meant as a clause has been read as an alias. */
  private leftOver(token: Token, expected: string): Error {
    const before = this.reader.peek(-1);
    const meant = before.kind === 'name' ? nearest(before.text, CLAUSE_NAMES) : undefined;
    if (meant === undefined || CLAUSE_NAMES.includes(before.text.toUpperCase())) {
      return this.reader.unexpected(token, expected);
    }
    const message = `Unexpected ${JSON.stringify(token.text)} after ${before.text}.`;
    return expressionError(`${message} Did you mean ${meant}?`, before.start, expected);
  }
}

const CLAUSE_NAMES = ['FROM', 'WHERE', 'GROUP', 'HAVING', 'ORDER', 'LIMIT', 'OFFSET', 'JOIN'];

function star(at: number): Query['items'][number] {
  return { kind: 'star', table: null, exclude: [], replace: [], rename: [], at };
}

function notSelect(reader: TokenReader, token: Token): Error {
  const word = token.text.toLowerCase();
  const statements = 'insert update delete create drop alter copy merge truncate attach set pragma';
  if (token.kind === 'name' && statements.split(' ').includes(word)) {
    const instead = 'SELECT ... FROM input; the result is written by -o or downloaded';
    return reader.unsupported(word.toUpperCase(), token.start, instead);
  }
  const others: Readonly<Record<string, string>> = {
    ...{ values: 'VALUES', table: 'TABLE', describe: 'DESCRIBE', summarize: 'SUMMARIZE' },
    ...{ show: 'SHOW', explain: 'EXPLAIN' },
  };
  if (token.kind === 'name' && Object.hasOwn(others, word)) {
    return reader.unsupported(others[word] ?? '', token.start, 'SELECT ... FROM input');
  }
  return reader.unexpected(token, 'SELECT ... FROM input');
}
