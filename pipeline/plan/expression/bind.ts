import type { Column, ColumnType } from '../../protocol/job.ts';
import { findColumn } from '../columns.ts';
import type { ComparisonOperator, Expression, Literal } from './ast.ts';
import {
  Order,
  Truth,
  type BoundCondition,
  type Condition,
  type Load,
  type ScalarOperand,
  type TextOperand,
} from './bound.ts';
import { castLiteral, literalText } from './literals.ts';
import { expressionError } from './lexer.ts';

const ORDERS: Readonly<Record<ComparisonOperator, number>> = {
  '=': Order.equal,
  '<>': Order.less | Order.greater,
  '<': Order.less,
  '<=': Order.less | Order.equal,
  '>': Order.greater,
  '>=': Order.greater | Order.equal,
};

/**
 * Resolves names and checks types, by DuckDB's rules with two differences: a text column compared
 * with a number, time or boolean literal is cast to the literal's type, and a text literal with a
 * fraction does not cast to an integer. Throws SluiceError with `details: {at, expected}`.
 */
export function bindCondition(ast: Expression, columns: readonly Column[]): BoundCondition {
  const binder = new Binder(columns);
  const condition = binder.condition(ast);
  return { condition, loads: binder.loads };
}

/** A value before its type is agreed with what it is compared to. */
type Value =
  | {
      readonly kind: 'field';
      readonly column: number;
      readonly type: ColumnType;
      readonly at: number;
    }
  | Literal;

type TypeName = ColumnType | 'decimal' | 'double' | 'text literal' | 'null';

class Binder {
  readonly loads: Load[] = [];
  private readonly columns: readonly Column[];

  constructor(columns: readonly Column[]) {
    this.columns = columns;
  }

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
        const operand = this.value(node.operand);
        const low = this.value(node.low);
        const high = this.value(node.high);
        const atLeast = this.compare(ORDERS['>='], operand, low, node.at);
        const atMost = this.compare(ORDERS['<='], operand, high, node.at);
        return { kind: 'and', operands: [atLeast, atMost] };
      }
      case 'in':
        return this.isIn(
          this.value(node.operand),
          node.values.map((item) => this.value(item)),
          node.at,
        );
      case 'like':
        return this.like(node);
      case 'column':
      case 'literal':
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
    const yes: Literal = { kind: 'literal', type: 'boolean', text: 'true', at: value.at };
    return this.compare(Order.equal, value, yes, value.at);
  }

  private isNull(node: Expression): Condition {
    if (node.kind !== 'column' && node.kind !== 'literal') {
      return { kind: 'unknown', operand: this.condition(node) };
    }
    const value = this.value(node);
    if (value.kind === 'literal') {
      return { kind: 'constant', value: value.type === 'null' ? Truth.yes : Truth.no };
    }
    return { kind: 'null-field', column: value.column };
  }

  private isIn(operand: Value, values: readonly Value[], at: number): Condition {
    const isText =
      operand.kind === 'field' &&
      operand.type === 'string' &&
      values.every((value) => value.kind === 'literal' && ['string', 'null'].includes(value.type));
    if (isText) {
      const literals = values.filter((value): value is Literal => value.kind === 'literal');
      return {
        kind: 'text-in',
        column: operand.column,
        values: literals
          .filter((value) => value.type !== 'null')
          .map((value) => encode(value.text)),
        hasNull: literals.some((value) => value.type === 'null'),
      };
    }
    const operands = values.map((value) => this.compare(Order.equal, operand, value, at));
    return { kind: 'or', operands };
  }

  private like(node: Extract<Expression, { kind: 'like' }>): Condition {
    const operand = this.value(node.operand);
    const pattern = this.value(node.pattern);
    if (typeOf(pattern) === 'null' || typeOf(operand) === 'null') {
      return { kind: 'constant', value: Truth.unknown };
    }
    if (pattern.kind !== 'literal' || pattern.type !== 'string') {
      throw expressionError('LIKE needs a text as pattern', pattern.at, "a text such as 'A%'");
    }
    if (operand.kind !== 'field' || operand.type !== 'string') {
      const message = `${shown(operand, this.columns)} is not a text column`;
      throw expressionError(message, operand.at, 'a text column');
    }
    const { ignoreCase } = node;
    return { kind: 'like', column: operand.column, pattern: pattern.text, ignoreCase };
  }

  private value(node: Expression): Value {
    if (node.kind === 'literal') return node;
    if (node.kind !== 'column') {
      const message = 'A condition is compared with a value: not supported yet';
      throw expressionError(message, node.at, 'a column or a literal', 'plan-unsupported');
    }
    const found = findColumn(this.columns, node.name);
    if (!('position' in found)) throw expressionError(found.message, node.at, found.expected);
    const type = this.columns[found.position]?.type ?? 'string';
    return { kind: 'field', column: found.position, type, at: node.at };
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
    return { kind: 'text', bytes: encode(literalText(value)) };
  }

  private scalar(value: Value, type: Exclude<ColumnType, 'string'>): ScalarOperand {
    if (value.kind === 'literal') return castLiteral(value, type);
    const as = value.type === 'string' ? type : value.type;
    return { kind: 'load', load: this.load(value.column, as) };
  }

  private load(column: number, as: Load['as']): number {
    const known = this.loads.findIndex((load) => load.column === column && load.as === as);
    if (known >= 0) return known;
    this.loads.push({ column, as });
    return this.loads.length - 1;
  }
}

function typeOf(value: Value): TypeName {
  if (value.kind === 'field') return value.type;
  return value.type === 'string' ? 'text literal' : value.type;
}

/** The type both sides are compared in; null when there is none. */
function commonType(left: Value, right: Value): ColumnType | null {
  const types = [typeOf(left), typeOf(right)];
  const stated = types.filter((type) => type !== 'text literal');
  if (stated.length === 0) return 'string';
  const others = stated.filter((type) => type !== 'string');
  if (others.length === 0) return 'string';
  const isTextColumn = others.length < stated.length;
  if (isTextColumn && left.kind === 'field' && right.kind === 'field') return null;
  if (isTextColumn && others.includes('integer')) return 'number';
  if (others.every((type) => type === 'boolean')) return 'boolean';
  if (others.every((type) => type === 'date')) return 'date';
  if (others.every((type) => type === 'date' || type === 'datetime')) return 'datetime';
  if (others.every((type) => type === 'integer' || type === 'decimal' || type === 'boolean')) {
    return others.includes('decimal') && isTextColumn ? 'number' : 'integer';
  }
  const isNumeric = (type: TypeName): boolean =>
    ['integer', 'decimal', 'double', 'number', 'boolean'].includes(type);
  return others.every(isNumeric) ? 'number' : null;
}

function shown(value: Value, columns: readonly Column[]): string {
  if (value.kind === 'field') {
    const name = JSON.stringify(columns[value.column]?.name ?? '');
    return `The ${value.type} column ${name}`;
  }
  return value.type === 'string' ? `the text '${value.text}'` : `the ${value.type} ${value.text}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
