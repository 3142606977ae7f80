import { exactOf } from '../../values/exact-sum.ts';
import { parseDecimal, type DecimalParts } from '../../values/number.ts';
import type { DecimalType } from './ast.ts';
import type { BoundValue } from './bound.ts';
import type { Value } from './value.ts';

/**
 * Exact decimals within an expression: a whole number, and how many of its digits stand behind the
 * point. They come of decimal literals and of casts to DECIMAL; with each other and with integers
 * they add and multiply exactly, to 38 digits as in DuckDB. All else takes them for numbers.
 */
export interface Decimal {
  readonly unscaled: BoundValue;
  readonly scale: number;
}

/** Digits behind the point; with more an expression is one of doubles. */
const SCALE_MAX = 38;

const FROM_DECIMAL = 'from decimal(integer, integer)';

type Bind = (value: Value) => BoundValue;

/** `left operator right`, or a function of decimals; null where it is none of them alone. */
export function decimalCall(name: string, args: readonly Value[], bind: Bind): Decimal | null {
  if (!args.some(isDecimal)) return null;
  if (name === 'round' && args.length === 2) return rounded(args, bind);
  const [left, right] = args.map((arg) => decimalOf(arg, bind));
  if (left == null || right === null) return null;
  if (right === undefined) return ofOne(name, left);
  switch (name) {
    case '+':
    case '-':
    case '%':
    case 'mod': {
      const scale = Math.max(left.scale, right.scale);
      const operator = name === 'mod' ? '%' : name;
      return made(operator, [upscaled(left, scale), upscaled(right, scale)], scale);
    }
    case '*':
      return made(name, [left.unscaled, right.unscaled], left.scale + right.scale);
    default:
      return null;
  }
}

/** A cast to DECIMAL(precision, scale), which rounds halves away from zero. */
export function castDecimal(operand: BoundValue, type: DecimalType, isTry: boolean): Decimal {
  const { precision, scale } = type;
  const args = [operand, constant(precision), constant(scale)];
  const name = isTry ? 'try decimal' : 'to decimal';
  return { unscaled: call(`${name}(${operand.type}, integer, integer)`, args), scale };
}

/** A decimal as the double next to it. */
export function numberOf({ unscaled, scale }: Decimal): BoundValue {
  return {
    ...{ kind: 'call', signature: FROM_DECIMAL, type: 'number' },
    ...{ args: [unscaled, constant(scale)], takesNull: false },
  };
}

/** A decimal as text, with all the digits of its scale. */
export function decimalText({ unscaled, scale }: Decimal): BoundValue {
  return {
    ...{ kind: 'call', signature: 'decimal text(integer, integer)', type: 'string' },
    ...{ args: [unscaled, constant(scale)], takesNull: false },
  };
}

/** A decimal as the integer next to it, halves away from zero. */
export function decimalInteger({ unscaled, scale }: Decimal): BoundValue {
  const whole = call('decimal round(integer, integer)', [unscaled, constant(scale)]);
  return call('decimal integer(integer)', [whole]);
}

/** What a value is as a decimal; null when it is none and no integer. */
export function decimalOf(value: Value, bind: Bind): Decimal | null {
  const known = value.kind === 'computed' ? knownDecimal(value.value) : null;
  if (known !== null) return known;
  if (value.kind === 'literal' && value.type === 'decimal') {
    const bytes = new TextEncoder().encode(value.text);
    const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
    if (!parseDecimal(bytes, 0, bytes.length, parts)) return null;
    const { mantissa, scale } = exactOf(parts);
    const digits = /\.(\d*)/.exec(value.text)?.[1]?.length ?? 0;
    if (digits > SCALE_MAX) return null;
    return { unscaled: constant(mantissa * 10n ** BigInt(digits - scale)), scale: digits };
  }
  return value.type === 'integer' ? { unscaled: bind(value), scale: 0 } : null;
}

/** Whether a value is known exactly, beyond the double next to it. */
export function isDecimal(value: Value): boolean {
  if (value.kind === 'literal') return value.type === 'decimal';
  return value.kind === 'computed' && knownDecimal(value.value) !== null;
}

/** The decimal that a value was made of. */
function knownDecimal(value: BoundValue): Decimal | null {
  if (value.kind !== 'call' || value.signature !== FROM_DECIMAL) return null;
  const [unscaled, scale] = value.args;
  if (unscaled === undefined || scale?.kind !== 'constant') return null;
  return { unscaled, scale: Number(scale.value) };
}

function ofOne(name: string, { unscaled, scale }: Decimal): Decimal | null {
  switch (name) {
    case 'negate':
    case 'abs':
      return made(name, [unscaled], scale);
    case 'round':
    case 'floor':
    case 'ceil':
    case 'ceiling':
      return made(name === 'ceiling' ? 'ceil' : name, [unscaled, constant(scale)], 0);
    default:
      return null;
  }
}

/** Digits that are no literal leave it to doubles. */
function rounded([value, digits]: readonly Value[], bind: Bind): Decimal | null {
  const decimal = value === undefined ? null : decimalOf(value, bind);
  if (decimal === null || digits?.kind !== 'literal' || digits.type !== 'integer') return null;
  const wanted = Number(digits.text);
  if (wanted >= decimal.scale) return decimal;
  if (wanted < 0) return null;
  return made('round', [decimal.unscaled, constant(decimal.scale - wanted)], wanted);
}

function upscaled({ unscaled, scale }: Decimal, to: number): BoundValue {
  if (scale === to) return unscaled;
  const factor = 10n ** BigInt(to - scale);
  if (unscaled.kind === 'constant' && unscaled.value !== null) {
    return constant(BigInt(unscaled.value) * factor);
  }
  return call('decimal *(integer, integer)', [unscaled, constant(factor)]);
}

function made(name: string, args: readonly BoundValue[], scale: number): Decimal | null {
  if (scale > SCALE_MAX) return null;
  const parameters = args.map(() => 'integer').join(', ');
  return { unscaled: call(`decimal ${name}(${parameters})`, args), scale };
}

function call(signature: string, args: readonly BoundValue[]): BoundValue {
  return { kind: 'call', signature, args, type: 'integer', takesNull: false };
}

function constant(value: number | bigint): BoundValue {
  const small = Number(value);
  return { kind: 'constant', type: 'integer', value: Number.isSafeInteger(small) ? small : value };
}
