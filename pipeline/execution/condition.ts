import { Order, Truth, type Condition, type TextOperand } from '../plan/expression/bound.ts';
import type { FieldSlice } from '../values/field-slice.ts';
import type { Batch } from './batch.ts';
import {
  compareBytes,
  compareLiterals,
  compareToLiteral,
  compareWhole,
  mirrored,
} from './comparison.ts';
import type { ChunkContext } from './context.ts';
import { FieldReader } from './field-reader.ts';
import { LikePattern } from './like.ts';
import type { ValueVector } from './typed-values.ts';

/**
 * Evaluates a condition for `count` records of a batch, whose positions are in `records`. `out[i]`
 * becomes the truth of `records[i]`.
 */
export type Evaluator = (
  batch: Batch,
  records: Uint32Array,
  count: number,
  out: Uint8Array,
) => void;

/** What evaluators read besides the batch. Field positions are those of the context's columns. */
export interface EvaluatorScope {
  readonly context: ChunkContext;
  /** By number of the load. */
  readonly vectors: readonly ValueVector[];
  /** Input column of each of the expression's columns. */
  readonly sources: readonly number[];
}

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
    case 'null-field':
      return createFieldTest(condition.column, scope, null, Truth.yes);
    case 'like': {
      const pattern = new LikePattern(condition.pattern, condition.ignoreCase);
      const test = (slice: FieldSlice): number =>
        pattern.matches(slice.bytes, slice.start, slice.end) ? Truth.yes : Truth.no;
      return createFieldTest(condition.column, scope, test, Truth.unknown);
    }
    case 'text-in': {
      const test = membership(condition.values, condition.hasNull ? Truth.unknown : Truth.no);
      return createFieldTest(condition.column, scope, test, Truth.unknown);
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

/** Tests one field's text; `nullTruth` is the answer for NULL. Without a test the rest is false. */
function createFieldTest(
  column: number,
  scope: EvaluatorScope,
  test: ((slice: FieldSlice) => number) | null,
  nullTruth: number,
): Evaluator {
  const reader = new FieldReader(scope.context);
  const { slice } = reader;
  const source = scope.sources[column]!;
  return (batch, records, count, out) => {
    const { recordFields, fieldStarts, fieldEnds } = batch.index;
    for (let i = 0; i < count; i++) {
      const field = recordFields[records[i]!]! + source;
      const isNull = reader.isNull(batch.bytes, fieldStarts[field]!, fieldEnds[field]!);
      if (isNull) out[i] = nullTruth;
      else out[i] = test === null ? Truth.no : test(slice);
    }
  };
}

/** Membership in a list of texts, by length first. */
function membership(
  values: readonly Uint8Array[],
  otherwise: number,
): (slice: FieldSlice) => number {
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
  if (left.kind === 'text' && right.kind === 'field') {
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
    const test = ({ bytes, start, end }: FieldSlice): number => {
      if (isEquality && end - start !== length) return Truth.no;
      return (orders & compareBytes(bytes, start, end, other, 0, length)) !== 0
        ? Truth.yes
        : Truth.no;
    };
    return createFieldTest(left.column, scope, test, Truth.unknown);
  }
  return createFieldComparison(orders, left.column, right.column, scope);
}

function createFieldComparison(
  orders: number,
  left: number,
  right: number,
  scope: EvaluatorScope,
): Evaluator {
  const mine = new FieldReader(scope.context);
  const other = new FieldReader(scope.context);
  const leftSource = scope.sources[left]!;
  const rightSource = scope.sources[right]!;
  return ({ bytes, index }, records, count, out) => {
    for (let i = 0; i < count; i++) {
      const first = index.recordFields[records[i]!]!;
      const a = first + leftSource;
      const b = first + rightSource;
      const isNull =
        mine.isNull(bytes, index.fieldStarts[a]!, index.fieldEnds[a]!) ||
        other.isNull(bytes, index.fieldStarts[b]!, index.fieldEnds[b]!);
      out[i] = isNull ? Truth.unknown : (orders & compareSlices(mine, other)) !== 0 ? 1 : 0;
    }
  };
}

function compareSlices({ slice: left }: FieldReader, { slice: right }: FieldReader): number {
  return compareBytes(left.bytes, left.start, left.end, right.bytes, right.start, right.end);
}

function createScalarComparison(
  comparison: Extract<Condition, { kind: 'compare-scalar' }>,
  scope: EvaluatorScope,
): Evaluator {
  const { orders, left, right, exact } = comparison;
  if (left.kind === 'scalar') {
    if (right.kind === 'load') {
      const swapped = { ...comparison, orders: mirrored(orders), left: right, right: left };
      return createScalarComparison(swapped, scope);
    }
    const order = compareLiterals(left, right);
    const value = (orders & order) !== 0 ? Truth.yes : Truth.no;
    return createEvaluator({ kind: 'constant', value }, scope);
  }
  const vector = scope.vectors[left.load]!;
  if (right.kind === 'scalar') {
    const { value, hasFraction } = right;
    return (_batch, records, count, out) => {
      const { values, valid } = vector;
      for (let i = 0; i < count; i++) {
        const record = records[i]!;
        const mine = values[record]!;
        let order: number = mine < value ? Order.less : mine > value ? Order.greater : Order.equal;
        if (order === Order.equal && exact && (hasFraction || vector.exact.size > 0)) {
          order = compareToLiteral(vector.exactAt(record), right);
        }
        out[i] = valid[record] === 0 ? Truth.unknown : (orders & order) !== 0 ? 1 : 0;
      }
    };
  }
  const other = scope.vectors[right.load]!;
  return (_batch, records, count, out) => {
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const a = vector.values[record]!;
      const b = other.values[record]!;
      let order: number = a < b ? Order.less : a > b ? Order.greater : Order.equal;
      if (order === Order.equal && exact && vector.exact.size > 0) {
        order = compareWhole(vector.exactAt(record), other.exactAt(record));
      }
      const known = (vector.valid[record]! & other.valid[record]!) === 1;
      out[i] = !known ? Truth.unknown : (orders & order) !== 0 ? 1 : 0;
    }
  };
}
