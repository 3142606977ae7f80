import type { Expression } from './ast.ts';
import { Power } from './precedence.ts';
import type { TokenReader } from './token-reader.ts';

/** A call, under the name of the function that its spelling means. */
export interface CallArguments {
  readonly name: string;
  readonly args: Expression[];
}

type Parse = (power: number) => Expression;

/** Reads the arguments of a call up to the closing parenthesis. Some functions have spellings with
 *  words between them, as in standard SQL. Throws SluiceError with `details: {at, expected}`. */
export function readCallArguments(name: string, reader: TokenReader, parse: Parse): CallArguments {
  if (name === 'extract') return readExtract(reader, parse);
  if (reader.isSymbol(')')) return { name, args: [] };
  if (name === 'trim') return readTrim(reader, parse);
  const first = parse(name === 'position' ? Power.predicate : Power.none);
  if (name === 'position' && reader.takeWord('in'))
    return { name, args: [parse(Power.none), first] };
  if (name.startsWith('substr') && reader.takeWord('from')) {
    const args = [first, parse(Power.none)];
    return { name, args: reader.takeWord('for') ? [...args, parse(Power.none)] : args };
  }
  const args = [first];
  while (reader.takeSymbol(',')) args.push(parse(Power.none));
  return { name, args };
}

/** `extract(year FROM x)` is `date_part('year', x)`. */
function readExtract(reader: TokenReader, parse: Parse): CallArguments {
  const { kind, text, start: at } = reader.peek();
  if (kind !== 'name' && kind !== 'string') throw reader.unexpected(reader.peek(), 'such as year');
  reader.next();
  reader.expectWord('from');
  const unit: Expression = { kind: 'literal', type: 'string', text, at };
  return { name: 'date_part', args: [unit, parse(Power.none)] };
}

const SIDES: Readonly<Record<string, string>> = {
  ...{ both: 'trim', leading: 'ltrim', trailing: 'rtrim' },
};

/** `trim(LEADING 'x' FROM y)` is `ltrim(y, 'x')`. */
function readTrim(reader: TokenReader, parse: Parse): CallArguments {
  const word = reader.peek();
  const side = word.kind === 'name' ? SIDES[word.text.toLowerCase()] : undefined;
  // A column may be called so.
  const isSide = side !== undefined && reader.peek(1).kind !== 'symbol';
  if (isSide) reader.next();
  const name = isSide ? side : 'trim';
  if (reader.takeWord('from')) return { name, args: [parse(Power.none)] };
  const first = parse(Power.none);
  if (reader.takeWord('from')) return { name, args: [parse(Power.none), first] };
  return { name, args: reader.takeSymbol(',') ? [first, parse(Power.none)] : [first] };
}
