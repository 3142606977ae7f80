import { parseBoolean } from '../../values/boolean.ts';
import { exactOf, type ExactDecimal } from '../../values/exact-sum.ts';
import { parseDecimal, parseDouble, parseInteger, type DecimalParts } from '../../values/number.ts';
import { parseDate, parseTimestamp } from '../../values/timestamp.ts';
import type { Literal } from './ast.ts';
import type { ColumnType } from '../../protocol/job.ts';
import type { BoundValue, ScalarLiteral } from './bound.ts';
import { expressionError } from './lexer.ts';

const DAY_MICROS = 86_400_000_000;

/**
 * A literal as a value of `type`, the type of a comparison. 'integer' stands for exact numbers: its
 * literals keep every digit. Throws where the literal does not cast.
 */
export function castLiteral(literal: Literal, type: Exclude<ColumnType, 'string'>): ScalarLiteral {
  const bytes = new TextEncoder().encode(literal.text);
  const end = bytes.length;
  if (literal.type === 'boolean') return plain(literal.text === 'true' ? 1 : 0);
  switch (type) {
    case 'boolean':
      return checked(literal, parseBoolean(bytes, 0, end), 'boolean');
    case 'date':
    case 'datetime':
      return castTime(literal, bytes, type);
    case 'number': {
      const value = parseDouble(bytes, 0, end);
      return checked(literal, Number.isNaN(value) ? null : value, 'number');
    }
    case 'integer': {
      const isText = literal.type === 'string';
      if (isText && parseInteger(bytes, 0, end) === null) return checked(literal, null, 'integer');
      const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
      if (!parseDecimal(bytes, 0, end, parts)) return checked(literal, null, 'number');
      return exactScalar(parseDouble(bytes, 0, end), exactOf(parts));
    }
  }
}

/** A literal as a constant of `type`, or of its own type. Decimals are doubles. */
export function constantOf(literal: Literal, wanted: ColumnType | null): BoundValue {
  const isDecimal = literal.type === 'decimal' || literal.type === 'double';
  const own = isDecimal ? 'number' : literal.type === 'null' ? 'string' : literal.type;
  const type = wanted ?? own;
  if (literal.type === 'null') return { kind: 'constant', type, value: null };
  if (type === 'string') return { kind: 'constant', type, value: literal.text };
  const { value, whole } = castLiteral(literal, type);
  if (type === 'number') return { kind: 'constant', type, value };
  if (type === 'integer' && BigInt.asIntN(64, whole) !== whole) {
    throw expressionError(`${literal.text} has more than 64 bits`, literal.at, 'an integer');
  }
  return { kind: 'constant', type, value: Number.isSafeInteger(value) ? value : whole };
}

/** A literal of a number's token, sign included. */
export function numberLiteral(text: string, at: number): Literal {
  const type = /e/i.test(text) ? 'double' : text.includes('.') ? 'decimal' : 'integer';
  return { kind: 'literal', type, text, at };
}

/** Text of a literal that stands where a text is compared. */
export function literalText(literal: Literal): string {
  return literal.text;
}

function castTime(literal: Literal, bytes: Uint8Array, type: 'date' | 'datetime'): ScalarLiteral {
  if (type === 'date' || literal.type === 'date') {
    const days = parseDate(bytes, 0, bytes.length);
    return checked(literal, days === null ? null : days * DAY_MICROS, 'date');
  }
  const micros = parseTimestamp(bytes, 0, bytes.length);
  if (typeof micros === 'bigint')
    return exactScalar(Number(micros), { mantissa: micros, scale: 0 });
  return checked(literal, micros, 'datetime');
}

function checked(literal: Literal, value: number | boolean | null, type: string): ScalarLiteral {
  if (value === null) {
    const article = type === 'integer' ? 'an' : 'a';
    const message = `'${literal.text}' is not ${article} ${type}`;
    throw expressionError(message, literal.at, `${article} ${type}`);
  }
  return plain(Number(value));
}

function plain(value: number): ScalarLiteral {
  const whole = Math.floor(value);
  return { kind: 'scalar', value: value + 0, whole: BigInt(whole), hasFraction: whole !== value };
}

function exactScalar(value: number, { mantissa, scale }: ExactDecimal): ScalarLiteral {
  const unit = 10n ** BigInt(scale);
  const rest = ((mantissa % unit) + unit) % unit;
  return { kind: 'scalar', value, whole: (mantissa - rest) / unit, hasFraction: rest !== 0n };
}
