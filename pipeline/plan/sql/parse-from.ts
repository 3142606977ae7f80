import { expressionError } from '../expression/lexer.ts';
import { REFUSED_RELATIONS, type Refusal } from './keywords.ts';
import type { ClauseReader } from './clause-reader.ts';
import type { Join, Relation } from './statement.ts';

const EXPECTED = 'input, a common table, or a SELECT in parentheses';

/** FROM and the joins behind it. */
export function parseFrom(clauses: ClauseReader): {
  readonly from: Relation;
  readonly joins: readonly Join[];
} {
  const { reader } = clauses;
  const token = reader.peek();
  if (!reader.takeWord('from')) {
    if (token.kind !== 'end') throw reader.unexpected(token, 'a comma or FROM');
    throw expressionError('The statement has no FROM', token.start, 'FROM input');
  }
  const from = parseRelation(clauses);
  const joins: Join[] = [];
  for (;;) {
    const join = parseJoin(clauses);
    if (join === null) return { from, joins };
    joins.push(join);
  }
}

function parseRelation(clauses: ClauseReader): Relation {
  const { reader } = clauses;
  const token = reader.next();
  const at = token.start;
  if (token.kind === 'string') {
    throw expressionError(
      'A file in FROM is not read',
      at,
      'FROM input: the file that the job is given',
    );
  }
  if (token.kind === 'symbol' && token.text === '(') {
    const inner = reader.peek();
    clauses.refuse(REFUSED_RELATIONS);
    if (!['select', 'with', 'from', '('].includes(inner.text.toLowerCase())) {
      throw reader.unexpected(inner, 'SELECT');
    }
    const query = clauses.query();
    reader.expectSymbol(')');
    return { kind: 'subquery', query, ...parseAliases(clauses), at };
  }
  if (token.kind !== 'name' && token.kind !== 'quoted-name') {
    throw reader.unexpected(token, EXPECTED);
  }
  clauses.refuse(REFUSED_RELATIONS, token);
  if (reader.isSymbol('(')) {
    throw reader.unsupported('A table function', at, 'FROM input; `read` in the plan says how');
  }
  if (reader.isSymbol('.')) {
    throw reader.unsupported('A table of a schema', reader.peek().start, 'FROM input');
  }
  return { kind: 'table', name: token.text, ...parseAliases(clauses), at };
}

function parseAliases(clauses: ClauseReader): {
  readonly alias: string | null;
  readonly columns: readonly string[];
} {
  const alias = clauses.alias();
  if (alias === null) return { alias, columns: [] };
  return { alias, columns: clauses.nameList('the name of a column').map(({ text }) => text) };
}

/** How to get what a join of another kind gives. */
const REFUSED_JOINS: Readonly<Record<string, Refusal>> = {
  right: ['RIGHT JOIN', 'LEFT JOIN, with the larger file as the input'],
  full: ['FULL JOIN', 'LEFT JOIN, and an ANTI JOIN the other way round as a second job'],
  cross: ['CROSS JOIN', 'JOIN lookup ON'],
  natural: ['NATURAL JOIN', 'JOIN lookup USING (...)'],
  asof: ['ASOF JOIN', 'JOIN lookup ON equal columns'],
  positional: ['POSITIONAL JOIN', 'JOIN lookup ON equal columns'],
  tablesample: ['TABLESAMPLE', 'the step sample of a plan'],
};

function parseJoin(clauses: ClauseReader): Join | null {
  const { reader } = clauses;
  const at = reader.peek().start;
  if (reader.isSymbol(',')) {
    throw reader.unsupported('A list of tables', at, 'JOIN lookup ON equal columns');
  }
  clauses.refuse(REFUSED_JOINS);
  let how: Join['how'] = 'inner';
  if (reader.takeWord('left')) {
    reader.takeWord('outer');
    how = 'left';
  } else if (reader.takeWord('semi')) {
    how = 'semi';
  } else if (reader.takeWord('anti')) {
    how = 'anti';
  } else {
    if (!reader.isWord('inner') && !reader.isWord('join')) return null;
    reader.takeWord('inner');
  }
  reader.expectWord('join');
  const lookup = parseLookup(clauses);
  const alias = clauses.alias();
  return { how, lookup, alias, ...parseCondition(clauses), at };
}

/** `countries`, `countries.csv`, "countries.csv" or 'countries.csv'. */
function parseLookup(clauses: ClauseReader): string {
  const { reader } = clauses;
  const token = reader.next();
  if (token.kind === 'symbol' && token.text === '(') {
    const instead = 'a lookup file';
    throw reader.unsupported('A subquery in JOIN', token.start, instead);
  }
  if (!['name', 'quoted-name', 'string'].includes(token.kind) || token.text === '') {
    throw reader.unexpected(token, 'the name of a lookup file');
  }
  clauses.refuse(REFUSED_RELATIONS, token);
  let name = token.text;
  while (reader.takeSymbol('.')) name += `.${clauses.name('the rest of a file name').text}`;
  return name;
}

function parseCondition(clauses: ClauseReader): Pick<Join, 'on' | 'using'> {
  const { reader } = clauses;
  if (reader.takeWord('on')) return { on: clauses.expression(), using: [] };
  const token = reader.peek();
  if (!reader.takeWord('using')) throw reader.unexpected(token, 'ON or USING (...)');
  const using = clauses.nameList('the name of a column');
  if (using.length === 0) throw reader.unexpected(reader.peek(), '(');
  return { on: null, using: using.map(({ text, start }) => ({ name: text, at: start })) };
}
