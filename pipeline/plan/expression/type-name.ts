import type { ColumnType } from '../../protocol/job.ts';
import type { DecimalType } from './ast.ts';
import { zoned } from './impure.ts';
import type { TokenReader } from './token-reader.ts';

/** SQL's names of Sluice's types, and Sluice's own. An integer has 64 bits whatever its name. */
const TYPES: Readonly<Record<string, ColumnType>> = {
  ...{ integer: 'integer', int: 'integer', bigint: 'integer', int8: 'integer', long: 'integer' },
  ...{ number: 'number', double: 'number', float8: 'number' },
  ...{ string: 'string', varchar: 'string', text: 'string', char: 'string', bpchar: 'string' },
  ...{ boolean: 'boolean', bool: 'boolean', logical: 'boolean' },
  ...{ date: 'date', timestamp: 'datetime', datetime: 'datetime' },
};

const LATER = new Set(
  (
    'tinyint smallint hugeint int1 int2 int4 int16 int32 int64 int128 utinyint usmallint uinteger ' +
    'ubigint uhugeint short signed float real float4 time interval ' +
    'timestamp_s timestamp_ms timestamp_ns blob bytea uuid json bit struct map list array enum union'
  ).split(' '),
);

export const TYPE_NAMES = 'integer, number, string, boolean, date or datetime';
const DECIMAL_DIGITS_MAX = 38;

/** The type of a name; undefined when there is none. */
export function typeNamed(name: string): ColumnType | undefined {
  const folded = name.toLowerCase();
  return Object.hasOwn(TYPES, folded) ? TYPES[folded] : undefined;
}

/** Reads a type's name. */
export function readTypeName(reader: TokenReader): ColumnType | DecimalType {
  const token = reader.next();
  if (token.kind !== 'name') throw reader.unexpected(token, `a type: ${TYPE_NAMES}`);
  if (['decimal', 'numeric', 'dec'].includes(token.text.toLowerCase())) return readDecimal(reader);
  const type = typeNamed(token.text);
  if (type === undefined) {
    if (token.text.toLowerCase() === 'timestamptz') throw zoned('TIMESTAMPTZ', token.start);
    if (LATER.has(token.text.toLowerCase())) {
      throw reader.unsupported(`The type ${token.text.toUpperCase()}`, token.start);
    }
    throw reader.unexpected(token, `a type: ${TYPE_NAMES}`);
  }
  if (token.text.toLowerCase() === 'double') reader.takeWord('precision');
  if (type === 'datetime' && reader.isWord('with')) {
    throw zoned('WITH TIME ZONE', reader.peek().start);
  }
  if (type === 'datetime' && reader.isWord('without')) {
    throw reader.unsupported('WITHOUT TIME ZONE', reader.peek().start, 'TIMESTAMP alone');
  }
  // As in DuckDB, a text is as long as it is.
  if (type === 'string' && reader.takeSymbol('(')) {
    const length = reader.next();
    if (!/^\d+$/.test(length.text)) throw reader.unexpected(length, 'a number of characters');
    reader.expectSymbol(')');
  }
  if (reader.isSymbol('(') || reader.isSymbol('[')) {
    throw reader.unsupported('A type with a size', reader.peek().start);
  }
  return type;
}

/** DuckDB's defaults: DECIMAL is DECIMAL(18, 3), and DECIMAL(p) is DECIMAL(p, 0). */
function readDecimal(reader: TokenReader): DecimalType {
  if (!reader.takeSymbol('(')) return { precision: 18, scale: 3 };
  const size = (least: number, most: number): number => {
    const token = reader.next();
    const value = /^\d{1,2}$/.test(token.text) ? Number(token.text) : -1;
    if (token.kind === 'number' && value >= least && value <= most) return value;
    throw reader.unexpected(token, `${String(least)} to ${String(most)}`);
  };
  const precision = size(1, DECIMAL_DIGITS_MAX);
  const scale = reader.takeSymbol(',') ? size(0, precision) : 0;
  reader.expectSymbol(')');
  return { precision, scale };
}
