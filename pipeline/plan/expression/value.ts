import type { Column, ColumnType } from '../../protocol/job.ts';
import type { Literal } from './ast.ts';
import type { BoundValue } from './bound.ts';

/** A value before its type is agreed with what it meets. */
export type Value =
  | {
      readonly kind: 'field';
      readonly column: number;
      readonly type: ColumnType;
      readonly at: number;
    }
  | {
      readonly kind: 'computed';
      readonly value: BoundValue;
      readonly type: ColumnType;
      readonly at: number;
    }
  | Literal;

export type TypeName = ColumnType | 'decimal' | 'double' | 'text literal' | 'null';

export function typeOf(value: Value): TypeName {
  if (value.kind !== 'literal') return value.type;
  return value.type === 'string' ? 'text literal' : value.type;
}

/** The type both sides are compared in; null when there is none. */
export function commonType(left: Value, right: Value): ColumnType | null {
  const types = [typeOf(left), typeOf(right)];
  const stated = types.filter((type) => type !== 'text literal');
  if (stated.length === 0) return 'string';
  const others = stated.filter((type) => type !== 'string');
  if (others.length === 0) return 'string';
  const isText = others.length < stated.length;
  if (isText && left.kind !== 'literal' && right.kind !== 'literal') return null;
  if (isText && others.includes('integer')) return 'number';
  if (others.every((type) => type === 'boolean')) return 'boolean';
  if (others.every((type) => type === 'date')) return 'date';
  if (others.every((type) => type === 'date' || type === 'datetime')) return 'datetime';
  if (others.every((type) => type === 'integer' || type === 'decimal' || type === 'boolean')) {
    return others.includes('decimal') && isText ? 'number' : 'integer';
  }
  const isNumeric = (type: TypeName): boolean =>
    ['integer', 'decimal', 'double', 'number', 'boolean'].includes(type);
  return others.every(isNumeric) ? 'number' : null;
}

/** The one type that values take side by side, as in CASE; null when there is none. */
export function resultType(values: readonly Value[]): ColumnType | null {
  const types = new Set<ColumnType>();
  for (const value of values) {
    const type = typeOf(value);
    if (type === 'decimal' || type === 'double') types.add('number');
    else if (type !== 'null' && type !== 'text literal') types.add(type);
  }
  const [first] = types;
  if (first === undefined) return 'string';
  if (types.size === 1) return first;
  if (types.size === 2 && types.has('integer') && types.has('number')) return 'number';
  if (types.size === 2 && types.has('date') && types.has('datetime')) return 'datetime';
  return null;
}

export function shown(value: Value, columns: readonly Column[]): string {
  if (value.kind === 'field') {
    const name = JSON.stringify(columns[value.column]?.name ?? '');
    return `The ${value.type} column ${name}`;
  }
  if (value.kind === 'computed') return `A value of type ${value.type}`;
  return value.type === 'string' ? `the text '${value.text}'` : `the ${value.type} ${value.text}`;
}
