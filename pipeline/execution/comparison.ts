import { Order, type ScalarLiteral } from '../plan/expression/bound.ts';

/** Order of two texts by their bytes, which for UTF-8 is the order of code points. */
export function compareBytes(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const leftLength = leftEnd - leftStart;
  const rightLength = rightEnd - rightStart;
  const length = leftLength < rightLength ? leftLength : rightLength;
  for (let i = 0; i < length; i++) {
    const difference = left[leftStart + i]! - right[rightStart + i]!;
    if (difference !== 0) return difference < 0 ? Order.less : Order.greater;
  }
  if (leftLength === rightLength) return Order.equal;
  return leftLength < rightLength ? Order.less : Order.greater;
}

/** The orders that hold when the sides change places. */
export function mirrored(orders: number): number {
  const less = (orders & Order.greater) !== 0 ? Order.less : 0;
  const greater = (orders & Order.less) !== 0 ? Order.greater : 0;
  return (orders & Order.equal) | less | greater;
}

/** Order of two doubles: a NaN equals a NaN and is greater than every number, as in DuckDB. */
export function compareDoubles(left: number, right: number): number {
  if (left < right) return Order.less;
  if (left > right) return Order.greater;
  if (left === right) return Order.equal;
  if (Number.isNaN(left)) return Number.isNaN(right) ? Order.equal : Order.greater;
  return Order.less;
}

/** Order of two whole numbers. */
export function compareWhole(left: bigint, right: bigint): number {
  return left < right ? Order.less : left > right ? Order.greater : Order.equal;
}

/** Order of a whole number and a literal whose doubles are equal. */
export function compareToLiteral(whole: bigint, literal: ScalarLiteral): number {
  const order = compareWhole(whole, literal.whole);
  return order === Order.equal && literal.hasFraction ? Order.less : order;
}

/** Literals that differ in their fractions only, beyond what a double holds, count as equal. */
export function compareLiterals(left: ScalarLiteral, right: ScalarLiteral): number {
  if (left.value !== right.value) return left.value < right.value ? Order.less : Order.greater;
  return compareWhole(left.whole, right.whole);
}
