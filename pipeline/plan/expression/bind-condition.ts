import type { ColumnType } from '../../protocol/job.ts';
import type { ComparisonOperator, Expression, Literal } from './ast.ts';
import { cast, ValueBinder } from './bind-value.ts';
import {
  Order,
  Truth,
  type BoundValue,
  type Condition,
  type ScalarOperand,
  type TextOperand,
} from './bound.ts';
import { castLiteral, literalText } from './literals.ts';
import { expressionError } from './lexer.ts';
import { commonType, shown, typeOf, type Value } from './value.ts';

const ORDERS: Readonly<Record<ComparisonOperator, number>> = {
  '=': Order.equal,
  '<>': Order.less | Order.greater,
  '<': Order.less,
  '<=': Order.less | Order.equal,
  '>': Order.greater,
  '>=': Order.greater | Order.equal,
};

/** Kinds that are conditions whatever they hold. */
const CONDITIONS = new Set<Expression['kind']>([
  ...(['and', 'or', 'not', 'compare', 'between', 'in', 'like', 'is-null'] as const),
  ...(['is-truth', 'distinct'] as const),
]);

/** Binds conditions, and with `ValueBinder` the values in them. */
export class ConditionBinder extends ValueBinder {
  condition(node: Expression): Condition {
    switch (node.kind) {
      case 'and':
      case 'or':
        return { kind: node.kind, operands: node.operands.map((item) => this.condition(item)) };
      case 'not':
        return { kind: 'not', operand: this.condition(node.operand) };
      case 'is-null':
        return this.isNull(node.operand);
      case 'compare': {
        const left = this.value(node.left);
        return this.compare(ORDERS[node.operator], left, this.value(node.right), node.at);
      }
      case 'between': {
        const low = this.value(node.low);
        const high = this.value(node.high);
        return this.sharing(this.value(node.operand), (operand) => {
          const atLeast = this.compare(ORDERS['>='], operand, low, node.at);
          const atMost = this.compare(ORDERS['<='], operand, high, node.at);
          return { kind: 'and', operands: [atLeast, atMost] };
        });
      }
      case 'is-truth': {
        const operand = this.condition(node.operand);
        return { kind: 'is-truth', operand, value: node.value };
      }
      case 'distinct':
        return this.distinct(node);
      case 'in':
        return this.isIn(
          this.value(node.operand),
          node.values.map((item) => this.value(item)),
          node.at,
        );
      case 'like':
        return this.like(node);
      default:
        return this.truth(this.value(node));
    }
  }

  /** A value in the place of a condition. */
  private truth(value: Value): Condition {
    if (typeOf(value) === 'null') return { kind: 'constant', value: Truth.unknown };
    if (typeOf(value) !== 'boolean') {
      throw expressionError(
        `${shown(value, this.columns)} is not a condition`,
        value.at,
        'a condition',
      );
    }
    if (value.kind === 'computed') return { kind: 'truth-value', value: value.value };
    const yes: Literal = { kind: 'literal', type: 'boolean', text: 'true', at: value.at };
    return this.compare(Order.equal, value, yes, value.at);
  }

  private isNull(node: Expression): Condition {
    if (CONDITIONS.has(node.kind)) return { kind: 'unknown', operand: this.condition(node) };
    const value = this.value(node);
    if (value.kind === 'literal') {
      return { kind: 'constant', value: value.type === 'null' ? Truth.yes : Truth.no };
    }
    if (value.kind === 'computed') return { kind: 'null-value', value: value.value };
    return { kind: 'null-field', column: value.column };
  }

  private isIn(operand: Value, values: readonly Value[], at: number): Condition {
    const isText =
      operand.kind !== 'literal' &&
      operand.type === 'string' &&
      values.every((value) => value.kind === 'literal' && ['string', 'null'].includes(value.type));
    if (isText) {
      const literals = values.filter((value): value is Literal => value.kind === 'literal');
      return {
        kind: 'text-in',
        operand: this.text(operand),
        values: literals
          .filter((value) => value.type !== 'null')
          .map((value) => encode(value.text)),
        hasNull: literals.some((value) => value.type === 'null'),
      };
    }
    return this.sharing(operand, (subject) => {
      const operands = values.map((value) => this.compare(Order.equal, subject, value, at));
      return { kind: 'or', operands };
    });
  }

  private like(node: Extract<Expression, { kind: 'like' }>): Condition {
    const operand = this.value(node.operand);
    const pattern = this.value(node.pattern);
    if (typeOf(pattern) === 'null' || typeOf(operand) === 'null') {
      return { kind: 'constant', value: Truth.unknown };
    }
    for (const side of [operand, pattern]) {
      if (side.type === 'string') continue;
      throw expressionError(`${shown(side, this.columns)} is not a text`, side.at, 'a text');
    }
    const { ignoreCase, escape } = node;
    if (pattern.kind !== 'literal') {
      const options = `${ignoreCase ? 'i' : 'c'}${escape}`;
      const text: Literal = { kind: 'literal', type: 'string', text: options, at: node.at };
      const value = this.call('like pattern', 'LIKE', [operand, pattern, text], node.at);
      return { kind: 'truth-value', value };
    }
    if (escape !== '' && endsWithEscape(pattern.text, escape)) {
      const message = 'The pattern ends with its escape character';
      throw expressionError(message, pattern.at, 'a character behind it');
    }
    return { kind: 'like', operand: this.text(operand), pattern: pattern.text, ignoreCase, escape };
  }

  protected equality(left: Value, right: Value, at: number): Condition {
    return this.compare(Order.equal, left, right, at);
  }

  /** NULL and NULL are not distinct. */
  private distinct({ left, right, at }: Extract<Expression, { kind: 'distinct' }>): Condition {
    const wanted = this.value(right);
    if (typeOf(wanted) === 'null') return { kind: 'not', operand: this.isNull(left) };
    if (typeOf(this.value(left)) === 'null') return { kind: 'not', operand: this.isNull(right) };
    const mine = this.shared(this.value(left));
    const other = wanted.kind === 'literal' ? wanted : this.shared(wanted);
    const equal = this.compare(Order.equal, mine, other, at);
    const same: Condition = { kind: 'is-truth', operand: equal, value: true };
    if (other.kind === 'literal') return wrapped(mine.value, { kind: 'not', operand: same });
    const nulls: Condition = {
      kind: 'and',
      operands: [mine.value, other.value].map((value) => ({ kind: 'null-value', value })),
    };
    const operand: Condition = { kind: 'or', operands: [same, nulls] };
    return wrapped(mine.value, wrapped(other.value, { kind: 'not', operand }));
  }

  /** A condition on a value that it reads several times: computed once. */
  private sharing(value: Value, make: (value: Value) => Condition): Condition {
    if (value.kind !== 'computed') return make(value);
    const shared = this.shared(value);
    return wrapped(shared.value, make(shared));
  }

  private compare(orders: number, left: Value, right: Value, at: number): Condition {
    const leftType = typeOf(left);
    const rightType = typeOf(right);
    if (leftType === 'null' || rightType === 'null') {
      return { kind: 'constant', value: Truth.unknown };
    }
    const type = commonType(left, right);
    if (type === null) {
      const message = `${shown(left, this.columns)} cannot be compared with ${shown(right, this.columns)}`;
      throw expressionError(message, at, 'values of one type');
    }
    if (type === 'string') {
      return { kind: 'compare-text', orders, left: this.text(left), right: this.text(right) };
    }
    return {
      kind: 'compare-scalar',
      orders,
      left: this.scalar(left, type),
      right: this.scalar(right, type),
      exact: type !== 'number',
    };
  }

  private text(value: Value): TextOperand {
    if (value.kind === 'field') return { kind: 'field', column: value.column };
    if (value.kind === 'computed') return { kind: 'value', value: value.value };
    return { kind: 'text', bytes: encode(literalText(value)) };
  }

  private scalar(value: Value, type: Exclude<ColumnType, 'string'>): ScalarOperand {
    if (value.kind === 'literal') return castLiteral(value, type);
    if (value.kind === 'computed') {
      const isText = value.type === 'string';
      return { kind: 'value', value: isText ? cast(value.value, type, false) : value.value };
    }
    const as = value.type === 'string' ? type : value.type;
    return { kind: 'load', load: this.load(value.column, as) };
  }
}

function wrapped(shared: BoundValue, operand: Condition): Condition {
  return shared.kind === 'shared' ? { kind: 'shared', shared, operand } : operand;
}

function endsWithEscape(pattern: string, escape: string): boolean {
  let escapes = 0;
  while (pattern.at(-1 - escapes) === escape) escapes++;
  return escapes % 2 === 1;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
