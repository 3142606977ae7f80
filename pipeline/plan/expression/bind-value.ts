import type { Column, ColumnType } from '../../protocol/job.ts';
import { findColumn } from '../columns.ts';
import type { CaseExpression, Expression, Interval, Literal } from './ast.ts';
import type { BoundValue, Condition, Load, SharedValue } from './bound.ts';
import {
  castDecimal,
  decimalCall,
  decimalInteger,
  decimalOf,
  decimalText,
  isDecimal,
  numberOf,
} from './bind-decimal.ts';
import { partOf, signaturesOf } from './functions.ts';
import type { ParameterType, Signature } from './functions.ts';
import { impureFunction } from './impure.ts';
import { expressionError } from './lexer.ts';
import { constantOf } from './literals.ts';
import { DATE_PARTS } from './date-parts.ts';
import { checkPattern, checkTimeFormat } from './check-pattern.ts';
import { unknownFunction } from './unknown-function.ts';
import { resultType, shown, typeOf, type Value } from './value.ts';

/** COALESCE nests, and nothing that walks an expression may overflow the stack. */
const COALESCE_ARGUMENTS_MAX = 100;

/** Binds expressions that give values; conditions are the other half, in `bind-condition.ts`. */
export abstract class ValueBinder {
  readonly loads: Load[] = [];
  protected readonly columns: readonly Column[];

  constructor(columns: readonly Column[]) {
    this.columns = columns;
  }

  abstract condition(node: Expression): Condition;
  protected abstract equality(left: Value, right: Value, at: number): Condition;

  /** Columns and literals as they are, so that their type may yet follow what they meet. */
  value(node: Expression): Value {
    if (node.kind === 'literal') return node;
    if (node.kind === 'column') {
      const column = this.position(node.name, node.at);
      return { kind: 'field', column, type: this.columns[column]?.type ?? 'string', at: node.at };
    }
    const value = this.computed(node);
    return { kind: 'computed', value, type: value.type, at: node.at };
  }

  bound(node: Expression): BoundValue {
    return this.own(this.value(node));
  }

  protected shared(value: Value): Value & { readonly kind: 'computed' } {
    const own = this.own(value);
    const shared: SharedValue = { kind: 'shared', value: own, type: own.type };
    return { kind: 'computed', value: shared, type: own.type, at: value.at };
  }

  protected load(column: number, as: Load['as']): number {
    const known = this.loads.findIndex((load) => load.column === column && load.as === as);
    if (known >= 0) return known;
    this.loads.push({ column, as });
    return this.loads.length - 1;
  }

  /** A value in the type that it has by itself. */
  private own(value: Value): BoundValue {
    if (value.kind === 'computed') return value.value;
    if (value.kind === 'literal') return constantOf(value, null);
    const { column, type } = value;
    if (type === 'string') return { kind: 'text', column, type };
    return { kind: 'load', load: this.load(column, type), type };
  }

  /** `value` as `type`, which its own type converts to by itself. */
  private coerced(value: Value, type: ParameterType): BoundValue {
    if (type === 'any') return this.textOf(value);
    if (value.kind === 'literal') return constantOf(value, type);
    return this.own(value);
  }

  private textOf(value: Value): BoundValue {
    const own = this.own(value);
    if (own.type === 'string') return own;
    const decimal = decimalOf(value, () => own);
    return decimal === null || decimal.scale === 0
      ? cast(own, 'string', false)
      : decimalText(decimal);
  }

  private computed(node: Exclude<Expression, { kind: 'literal' | 'column' }>): BoundValue {
    switch (node.kind) {
      case 'cell':
        return { kind: 'text', column: this.position(node.name, node.at), type: 'string' };
      case 'interval':
        throw expressionError('An interval stands alone', node.at, 'a time + or - an interval');
      case 'negate':
        return this.call('negate', '-', [this.value(node.operand)], node.at);
      case 'binary': {
        const { left, right, operator, at } = node;
        if (right.kind === 'interval' && (operator === '+' || operator === '-')) {
          return this.addInterval(left, right, operator === '+' ? 1 : -1, at);
        }
        if (left.kind === 'interval' && operator === '+') {
          return this.addInterval(right, left, 1, at);
        }
        const name = operator === '^' ? 'power' : operator;
        return this.call(name, operator, [this.value(left), this.value(right)], at);
      }
      case 'call':
        return this.named(node);
      case 'case':
        return this.cases(node);
      case 'cast':
        return this.cast(node);
      default:
        return { kind: 'condition', condition: this.condition(node), type: 'boolean' };
    }
  }

  private position(name: string, at: number): number {
    const found = findColumn(this.columns, name);
    if ('position' in found) return found.position;
    throw impureFunction(name, at) ?? expressionError(found.message, at, found.expected);
  }

  private addInterval(time: Expression, span: Interval, sign: number, at: number): BoundValue {
    const constant = (value: number): Value => ({
      ...{ kind: 'literal', type: 'integer', text: String(sign * value), at: span.at },
    });
    const args = [this.value(time), constant(span.months), constant(span.micros)];
    return this.call('add interval', sign > 0 ? '+' : '-', args, at);
  }

  private named({ name, args: nodes, at }: Extract<Expression, { kind: 'call' }>): BoundValue {
    const args = nodes.map((node) => this.value(node));
    if (name === 'coalesce' || name === 'ifnull') return this.coalesce(name, args, at);
    if (name === 'nullif') return this.nullIf(args, at);
    const part = partOf(name);
    if (part !== undefined && args.length === 1) {
      const unit: Literal = { kind: 'literal', type: 'string', text: part, at };
      return this.call('date_part', name, [unit, ...args], at);
    }
    if (
      ['date_part', 'date_trunc', 'date_diff', 'datepart', 'datetrunc', 'datediff'].includes(name)
    ) {
      args[0] = datePart(args[0], at);
    }
    if (name.startsWith('regexp_')) checkPattern(name, args);
    if (name === 'strftime' || name === 'strptime') checkTimeFormat(name, args);
    return this.call(name, name, args, at);
  }

  protected call(name: string, label: string, args: readonly Value[], at: number): BoundValue {
    const decimal = decimalCall(name, args, (value) => this.own(value));
    if (decimal !== null) return numberOf(decimal);
    const signatures = signaturesOf(name);
    if (signatures === undefined) throw unknownFunction(name, at);
    let best: Signature | undefined;
    let bestCost = Infinity;
    for (const signature of signatures) {
      const cost = costOf(signature, args);
      if (cost < bestCost) {
        best = signature;
        bestCost = cost;
      }
    }
    if (best === undefined) throw this.noSignature(label, signatures, args, at);
    const { key: signature, result: type, takesNull } = best;
    const bound = args.map((arg, i) => this.coerced(arg, parameterAt(best, i)));
    return { kind: 'call', signature, args: bound, type, takesNull };
  }

  private noSignature(
    label: string,
    signatures: readonly Signature[],
    args: readonly Value[],
    at: number,
  ): Error {
    // A part of a date is called by its name: what it is a part of is its one argument.
    const first = partOf(label) === undefined ? 0 : 1;
    const given = args.map((arg) => (typeOf(arg) === 'text literal' ? 'text' : typeOf(arg)));
    const message = `${label} does not take (${given.slice(first).join(', ')})`;
    const lists = signatures.map(({ parameters }) => parameters.slice(first));
    const wanted = signatures.map(({ key }, i) =>
      first === 0 ? key.slice(key.indexOf('(')) : `(${lists[i]?.join(', ') ?? ''})`,
    );
    const culprit = args.find((arg) => arg.kind === 'field' && arg.type === 'string');
    const other = lists.flat().includes('number') ? 'number' : 'date';
    const isOther = culprit !== undefined && lists.flat().some((type) => type !== 'string');
    const hint = isOther ? `; CAST(x AS ${other}) makes a ${other} of a text` : '';
    return expressionError(message, at, `${wanted.join(' or ')}${hint}`);
  }

  private coalesce(name: string, args: readonly Value[], at: number): BoundValue {
    const least = name === 'ifnull' ? 2 : 1;
    const most = name === 'ifnull' ? 2 : COALESCE_ARGUMENTS_MAX;
    if (args.length < least || args.length > most) {
      const expected = `${String(least)} to ${String(most)} values`;
      throw expressionError(`${name} does not take ${String(args.length)} values`, at, expected);
    }
    const type = this.agreed(args, name, at);
    return args.reduceRight<BoundValue | null>((otherwise, arg) => {
      const value = this.coerced(arg, type);
      if (otherwise === null) return value;
      const shared: SharedValue = { kind: 'shared', value, type };
      const when: Condition = { kind: 'not', operand: { kind: 'null-value', value: shared } };
      return { kind: 'case', shared, branches: [{ when, then: shared }], otherwise, type };
    }, null) as BoundValue;
  }

  private nullIf(args: readonly Value[], at: number): BoundValue {
    const [left, right] = args;
    if (left === undefined || right === undefined || args.length > 2) {
      throw expressionError(`nullif does not take ${String(args.length)} values`, at, '2 values');
    }
    const { value: shared, type } = this.shared(left);
    const when = this.equality({ kind: 'computed', value: shared, type, at: left.at }, right, at);
    const then: BoundValue = { kind: 'constant', type, value: null };
    return {
      kind: 'case',
      shared: shared as SharedValue,
      branches: [{ when, then }],
      otherwise: shared,
      type,
    };
  }

  private cases({ operand, branches, otherwise, at }: CaseExpression): BoundValue {
    const subject = operand === null ? null : this.shared(this.value(operand));
    const parts = branches.map(({ when, then }) => ({
      when:
        subject === null ? this.condition(when) : this.equality(subject, this.value(when), when.at),
      then: this.value(then),
    }));
    const last = otherwise === null ? null : this.value(otherwise);
    const results = parts.map(({ then }) => then);
    const type = this.agreed(last === null ? results : [...results, last], 'CASE', at);
    return {
      kind: 'case',
      shared: subject === null ? null : (subject.value as SharedValue),
      branches: parts.map(({ when, then }) => ({ when, then: this.coerced(then, type) })),
      otherwise: last === null ? null : this.coerced(last, type),
      type,
    };
  }

  private agreed(values: readonly Value[], what: string, at: number): ColumnType {
    const type = resultType(values);
    if (type !== null) return type;
    const types = [...new Set(values.map(typeOf))].join(', ');
    throw expressionError(`${what} gives values of several types: ${types}`, at, 'one type');
  }

  private cast({ operand, type, isTry, at }: Extract<Expression, { kind: 'cast' }>): BoundValue {
    const value = this.value(operand);
    if (typeOf(value) === 'null') {
      return { kind: 'constant', type: typeof type === 'string' ? type : 'number', value: null };
    }
    const own = this.own(value);
    const target = typeof type === 'string' ? type : 'number';
    if (own.type === type) return own;
    if (!casts(own.type, target)) {
      const message = `${shown(value, this.columns)} does not cast to ${target}`;
      throw expressionError(message, at, 'another type, or a cast to string first');
    }
    const decimal = isDecimal(value) ? decimalOf(value, () => own) : null;
    if (typeof type !== 'string') {
      const exact = decimal === null ? own : decimalText(decimal);
      return numberOf(castDecimal(exact, type, isTry));
    }
    if (decimal === null || (type !== 'string' && type !== 'integer'))
      return cast(own, type, isTry);
    return type === 'string' ? decimalText(decimal) : decimalInteger(decimal);
  }
}

export function cast(operand: BoundValue, type: ColumnType, isTry: boolean): BoundValue {
  return { kind: 'cast', operand, type, isTry };
}

function casts(from: ColumnType, to: ColumnType): boolean {
  if (from === 'string' || to === 'string') return true;
  const isTime = (type: ColumnType): boolean => type === 'date' || type === 'datetime';
  return isTime(from) === isTime(to);
}

function parameterAt(signature: Signature, index: number): ParameterType {
  const { parameters } = signature;
  return parameters[Math.min(index, parameters.length - 1)] ?? 'any';
}

/** How many arguments have to be converted; Infinity when the signature does not take them. */
function costOf(signature: Signature, args: readonly Value[]): number {
  const { parameters, isVariadic } = signature;
  if (args.length < parameters.length) return Infinity;
  if (args.length > parameters.length && !isVariadic) return Infinity;
  return args.reduce((cost, arg, i) => cost + conversionCost(arg, parameterAt(signature, i)), 0);
}

function conversionCost(value: Value, to: ParameterType): number {
  const from = typeOf(value);
  if (from === to || from === 'null' || to === 'any') return 0;
  if (from === 'text literal') return to === 'string' ? 0 : 10;
  if (from === 'date' && to === 'datetime') return 1;
  if (to === 'number' && ['integer', 'decimal', 'double'].includes(from)) return 1;
  return Infinity;
}

function datePart(value: Value | undefined, at: number): Literal {
  if (value?.kind === 'literal' && value.type === 'string') {
    const folded = value.text.toLowerCase();
    const part = DATE_PARTS.find((name) => name === folded || `${name}s` === folded);
    if (part !== undefined) return { ...value, text: part };
  }
  const parts = DATE_PARTS.join(', ');
  throw expressionError('A part of a date stands first', value?.at ?? at, `a text: ${parts}`);
}
