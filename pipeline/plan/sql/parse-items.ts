import { expressionError } from '../expression/lexer.ts';
import type { ClauseReader } from './clause-reader.ts';
import type { Named, SelectItem } from './statement.ts';

/** The list between SELECT and FROM. */
export function parseItems(clauses: ClauseReader): SelectItem[] {
  const { reader } = clauses;
  const items: SelectItem[] = [];
  do {
    // DuckDB lets a comma stand before FROM.
    if (items.length > 0 && reader.isWord('from')) break;
    items.push(parseItem(clauses));
  } while (reader.takeSymbol(','));
  return items;
}

function parseItem(clauses: ClauseReader): SelectItem {
  const { reader } = clauses;
  const at = reader.peek().start;
  if (reader.takeSymbol('*')) return parseStar(clauses, null, at);
  const isTable = reader.peek().kind === 'name' || reader.peek().kind === 'quoted-name';
  if (isTable && reader.peek(1).text === '.' && isStar(reader.peek(2))) {
    const table = reader.next().text;
    reader.next();
    reader.next();
    return parseStar(clauses, table, at);
  }
  const expression = clauses.expression();
  const text = reader.textFrom(at);
  return { kind: 'expression', expression, alias: clauses.alias(), text, at };
}

function isStar(token: { readonly kind: string; readonly text: string }): boolean {
  return token.kind === 'symbol' && token.text === '*';
}

function parseStar(clauses: ClauseReader, table: string | null, at: number): SelectItem {
  const { reader } = clauses;
  const follows = reader.peek();
  const word = follows.kind === 'name' ? follows.text.toLowerCase() : '';
  if (word === 'except' && reader.peek(1).text === '(') {
    throw reader.unsupported('* EXCEPT', follows.start, '* EXCLUDE (...)');
  }
  if (['like', 'ilike', 'not', 'similar', 'glob'].includes(word)) {
    throw reader.unsupported('A pattern of column names', follows.start, 'the columns by name');
  }
  const exclude = reader.takeWord('exclude') ? excluded(clauses) : [];
  const replace = reader.takeWord('replace')
    ? listed(clauses, () => {
        const expression = clauses.expression();
        reader.expectWord('as');
        return { ...named(clauses), expression };
      })
    : [];
  const rename = reader.takeWord('rename')
    ? listed(clauses, () => {
        const from = named(clauses);
        reader.expectWord('as');
        return { ...from, to: clauses.name('a name').text };
      })
    : [];
  const seen = new Set<string>();
  for (const { name, at: place } of [...exclude, ...replace]) {
    const folded = name.toLowerCase();
    if (seen.has(folded)) {
      throw expressionError(
        `The column ${JSON.stringify(name)} is named twice`,
        place,
        'each once',
      );
    }
    seen.add(folded);
  }
  return { kind: 'star', table, exclude, replace, rename, at };
}

function excluded(clauses: ClauseReader): Named[] {
  return listed(clauses, () => named(clauses));
}

/** In parentheses, or a single one without. */
function listed<Entry>(clauses: ClauseReader, read: () => Entry): Entry[] {
  const { reader } = clauses;
  if (!reader.takeSymbol('(')) return [read()];
  const entries = [read()];
  while (reader.takeSymbol(',')) entries.push(read());
  reader.expectSymbol(')');
  return entries;
}

function named(clauses: ClauseReader): Named {
  const { text, start } = clauses.name('the name of a column');
  return { name: text, at: start };
}
