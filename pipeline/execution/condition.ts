import {
  Order,
  Truth,
  type BoundValue,
  type Condition,
  type ScalarOperand,
  type TextOperand,
} from '../plan/expression/bound.ts';
import type { Batch } from './batch.ts';
import {
  compareBytes,
  compareDoubles,
  compareLiterals,
  compareToLiteral,
  compareWhole,
  mirrored,
} from './comparison.ts';
import { CellReader } from './cell-reader.ts';
import { LikePattern } from './like.ts';
import type { Evaluator, EvaluatorScope } from './evaluator.ts';
import { createValueNode, sharedNode, type ValueNode } from './value-node.ts';
import type { TextVector, ValueVector } from './vectors.ts';

/** Builds the evaluator of a condition: no code is generated, closures over the parts are. */
export function createEvaluator(condition: Condition, scope: EvaluatorScope): Evaluator {
  switch (condition.kind) {
    case 'constant':
      return (_batch, _records, count, out) => {
        out.fill(condition.value, 0, count);
      };
    case 'and':
      return createLogical(condition.operands, scope, Truth.no);
    case 'or':
      return createLogical(condition.operands, scope, Truth.yes);
    case 'not': {
      const operand = createEvaluator(condition.operand, scope);
      return mapped(operand, [Truth.yes, Truth.no, Truth.unknown]);
    }
    case 'unknown': {
      const operand = createEvaluator(condition.operand, scope);
      return mapped(operand, [Truth.no, Truth.no, Truth.yes]);
    }
    case 'is-truth': {
      const operand = createEvaluator(condition.operand, scope);
      const { value } = condition;
      return mapped(
        operand,
        value ? [Truth.no, Truth.yes, Truth.no] : [Truth.yes, Truth.no, Truth.no],
      );
    }
    case 'shared': {
      const shared = sharedNode(condition.shared, scope);
      const operand = createEvaluator(condition.operand, scope);
      return (batch, records, count, out) => {
        shared.evaluate(batch, records, count);
        operand(batch, records, count, out);
      };
    }
    case 'truth-value':
      return createValueTest(condition.value, scope, false);
    case 'null-value':
      return createValueTest(condition.value, scope, true);
    case 'null-field':
      return createTextTest({ kind: 'field', column: condition.column }, scope, null, Truth.yes);
    case 'like': {
      const pattern = new LikePattern(condition.pattern, condition.ignoreCase, condition.escape);
      const test = (slice: Slice): number =>
        pattern.matches(slice.bytes, slice.start, slice.end) ? Truth.yes : Truth.no;
      return createTextTest(condition.operand, scope, test, Truth.unknown);
    }
    case 'text-in': {
      const test = membership(condition.values, condition.hasNull ? Truth.unknown : Truth.no);
      return createTextTest(condition.operand, scope, test, Truth.unknown);
    }
    case 'compare-text':
      return createTextComparison(condition.orders, condition.left, condition.right, scope);
    case 'compare-scalar':
      return createScalarComparison(condition, scope);
  }
}

function mapped(operand: Evaluator, table: readonly number[]): Evaluator {
  return (batch, records, count, out) => {
    operand(batch, records, count, out);
    for (let i = 0; i < count; i++) out[i] = table[out[i]!]!;
  };
}

/** AND and OR: each operand sees only the records that those before it left open. */
function createLogical(
  operands: readonly Condition[],
  scope: EvaluatorScope,
  deciding: number,
): Evaluator {
  const evaluators = operands.map((operand) => createEvaluator(operand, scope));
  let open = new Uint32Array(0);
  let places = new Uint32Array(0);
  let truths = new Uint8Array(0);
  return (batch, records, count, out) => {
    if (open.length < count) {
      open = new Uint32Array(count);
      places = new Uint32Array(count);
      truths = new Uint8Array(count);
    }
    evaluators[0]!(batch, records, count, out);
    for (let e = 1; e < evaluators.length; e++) {
      let openCount = 0;
      for (let i = 0; i < count; i++) {
        if (out[i] === deciding) continue;
        places[openCount] = i;
        open[openCount++] = records[i]!;
      }
      if (openCount === 0) return;
      evaluators[e]!(batch, open, openCount, truths);
      for (let k = 0; k < openCount; k++) {
        const truth = truths[k]!;
        const place = places[k]!;
        if (truth === deciding || out[place] !== Truth.unknown) out[place] = truth;
      }
    }
  };
}

/** Tests one text; `nullTruth` is the answer for NULL. Without a test the rest is false. */
function createTextTest(
  operand: TextOperand,
  scope: EvaluatorScope,
  test: ((slice: Slice) => number) | null,
  nullTruth: number,
): Evaluator {
  if (operand.kind === 'value') return createComputedTest(operand.value, scope, test, nullTruth);
  if (operand.kind === 'text') {
    const { bytes } = operand;
    const value = test?.({ bytes, start: 0, end: bytes.length }) ?? Truth.no;
    return (_batch, _records, count, out) => {
      out.fill(value, 0, count);
    };
  }
  const reader = new CellReader(scope.view, scope.view.sources[operand.column]!, scope.context);
  const { slice } = reader;
  if (reader.vector !== null) {
    return (batch, records, count, out) => {
      for (let i = 0; i < count; i++) {
        if (reader.isNull(batch, records[i]!)) out[i] = nullTruth;
        else out[i] = test === null ? Truth.no : test(slice);
      }
    };
  }
  const source = scope.view.sources[operand.column]!;
  return ({ bytes, index }, records, count, out) => {
    const { recordFields, fieldStarts, fieldEnds } = index;
    for (let i = 0; i < count; i++) {
      const field = recordFields[records[i]!]! + source;
      const isNull = reader.isNullField(bytes, fieldStarts[field]!, fieldEnds[field]!);
      if (isNull) out[i] = nullTruth;
      else out[i] = test === null ? Truth.no : test(slice);
    }
  };
}

function createComputedTest(
  value: BoundValue,
  scope: EvaluatorScope,
  test: ((slice: Slice) => number) | null,
  nullTruth: number,
): Evaluator {
  const node = createValueNode(value, scope);
  const slice: Slice = { bytes: new Uint8Array(0), start: 0, end: 0 };
  return (batch, records, count, out) => {
    const vector = node.evaluate(batch, records, count) as TextVector;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      slice.bytes = vector.bytesOf(record);
      slice.start = vector.starts[record]!;
      slice.end = vector.ends[record]!;
      if (vector.valid[record] === 0) out[i] = nullTruth;
      else out[i] = test === null ? Truth.no : test(slice);
    }
  };
}

/** Whether a value is NULL, or the truth that it is. */
function createValueTest(value: BoundValue, scope: EvaluatorScope, isNullTest: boolean): Evaluator {
  const node = createValueNode(value, scope);
  return (batch, records, count, out) => {
    const vector = node.evaluate(batch, records, count);
    const { valid } = vector;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      if (isNullTest) out[i] = valid[record] === 0 ? Truth.yes : Truth.no;
      else out[i] = valid[record] === 0 ? Truth.unknown : (vector as ValueVector).values[record]!;
    }
  };
}

/** A window on a text. */
interface Slice {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** Membership in a list of texts, by length first. */
function membership(values: readonly Uint8Array[], otherwise: number): (slice: Slice) => number {
  const byLength = new Map<number, Uint8Array[]>();
  for (const value of values) {
    const list = byLength.get(value.length) ?? [];
    list.push(value);
    byLength.set(value.length, list);
  }
  for (const list of byLength.values()) list.sort((left, right) => Buffer.compare(left, right));
  return ({ bytes, start, end }) => {
    const list = byLength.get(end - start);
    if (list === undefined) return otherwise;
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareBytes(bytes, start, end, list[middle]!, 0, end - start);
      if (order === Order.equal) return Truth.yes;
      if (order === Order.less) high = middle;
      else low = middle + 1;
    }
    return otherwise;
  };
}

function createTextComparison(
  orders: number,
  left: TextOperand,
  right: TextOperand,
  scope: EvaluatorScope,
): Evaluator {
  if (left.kind === 'text' && right.kind !== 'text') {
    return createTextComparison(mirrored(orders), right, left, scope);
  }
  if (left.kind === 'text') {
    const other = right.kind === 'text' ? right.bytes : left.bytes;
    const order = compareBytes(left.bytes, 0, left.bytes.length, other, 0, other.length);
    const value = (orders & order) !== 0 ? Truth.yes : Truth.no;
    return createEvaluator({ kind: 'constant', value }, scope);
  }
  if (right.kind === 'text') {
    const other = right.bytes;
    const length = other.length;
    const isEquality = orders === Order.equal;
    const test = ({ bytes, start, end }: Slice): number => {
      if (isEquality && end - start !== length) return Truth.no;
      return (orders & compareBytes(bytes, start, end, other, 0, length)) !== 0
        ? Truth.yes
        : Truth.no;
    };
    return createTextTest(left, scope, test, Truth.unknown);
  }
  const sides = [left, right].map((side) => createValueNode(textValue(side), scope));
  return createTextPair(orders, sides[0]!, sides[1]!);
}

function createTextPair(orders: number, left: ValueNode, right: ValueNode): Evaluator {
  return (batch, records, count, out) => {
    const a = left.evaluate(batch, records, count) as TextVector;
    const b = right.evaluate(batch, records, count) as TextVector;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      if ((a.valid[record]! & b.valid[record]!) === 0) {
        out[i] = Truth.unknown;
        continue;
      }
      const order = compareBytes(
        ...([a.bytesOf(record), a.starts[record]!, a.ends[record]!] as const),
        ...([b.bytesOf(record), b.starts[record]!, b.ends[record]!] as const),
      );
      out[i] = (orders & order) !== 0 ? Truth.yes : Truth.no;
    }
  };
}

function textValue(operand: Exclude<TextOperand, { kind: 'text' }>): BoundValue {
  if (operand.kind === 'value') return operand.value;
  return { kind: 'text', column: operand.column, type: 'string' };
}

function createScalarComparison(
  comparison: Extract<Condition, { kind: 'compare-scalar' }>,
  scope: EvaluatorScope,
): Evaluator {
  const { orders, left, right, exact } = comparison;
  if (left.kind === 'scalar') {
    if (right.kind !== 'scalar') {
      const swapped = { ...comparison, orders: mirrored(orders), left: right, right: left };
      return createScalarComparison(swapped, scope);
    }
    const order = compareLiterals(left, right);
    const value = (orders & order) !== 0 ? Truth.yes : Truth.no;
    return createEvaluator({ kind: 'constant', value }, scope);
  }
  const mine = scalarVector(left, scope);
  if (right.kind === 'scalar') {
    const { value, hasFraction } = right;
    return (batch, records, count, out) => {
      const vector = mine(batch, records, count);
      const { values, valid } = vector;
      for (let i = 0; i < count; i++) {
        const record = records[i]!;
        const own = values[record]!;
        let order = compareDoubles(own, value);
        if (order === Order.equal && exact && (hasFraction || vector.exact.size > 0)) {
          order = compareToLiteral(vector.exactAt(record), right);
        }
        out[i] = valid[record] === 0 ? Truth.unknown : (orders & order) !== 0 ? 1 : 0;
      }
    };
  }
  const others = scalarVector(right, scope);
  return (batch, records, count, out) => {
    const vector = mine(batch, records, count);
    const other = others(batch, records, count);
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const a = vector.values[record]!;
      const b = other.values[record]!;
      let order = compareDoubles(a, b);
      if (order === Order.equal && exact && vector.exact.size > 0) {
        order = compareWhole(vector.exactAt(record), other.exactAt(record));
      }
      const known = (vector.valid[record]! & other.valid[record]!) === 1;
      out[i] = !known ? Truth.unknown : (orders & order) !== 0 ? 1 : 0;
    }
  };
}

/** What gives an operand's values of a batch. */
function scalarVector(
  operand: Exclude<ScalarOperand, { kind: 'scalar' }>,
  scope: EvaluatorScope,
): (batch: Batch, records: Uint32Array, count: number) => ValueVector {
  if (operand.kind === 'load') {
    const vector = scope.vectors[operand.load]!;
    return () => vector;
  }
  const node = createValueNode(operand.value, scope);
  return (batch, records, count) => node.evaluate(batch, records, count) as ValueVector;
}
