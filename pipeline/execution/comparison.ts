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

/** Order of values whose doubles are equal, from their exact difference, less the residue. */
export function settleTie(difference: bigint, residue: number): number {
  if (difference !== 0n) return difference < 0n ? Order.less : Order.greater;
  return residue > 0 ? Order.less : residue < 0 ? Order.greater : Order.equal;
}

export function compareLiterals(left: ScalarLiteral, right: ScalarLiteral): number {
  if (left.value !== right.value) return left.value < right.value ? Order.less : Order.greater;
  return settleTie(0n, right.residue - left.residue);
}
