import type { BoundValue, SharedValue } from '../plan/expression/bound.ts';
import type { ColumnType } from '../protocol/job.ts';
import type { Batch } from './batch.ts';
import { castKernel } from './cast.ts';
import { CellReader } from './cell-reader.ts';
import type { EvaluatorScope } from './evaluator.ts';
import { foldConstants } from './fold-constants.ts';
import { kernelOf } from './functions/kernels.ts';
import { copyCell, type Kernel } from './functions/kernel.ts';
import { TextVector, ValueVector, type Vector } from './vectors.ts';

/** Computes a value for `count` records of a batch, whose positions are in `records`. */
export interface ValueNode {
  evaluate(batch: Batch, records: Uint32Array, count: number): Vector;
}

/** Builds what computes a value: no code is generated, closures over the parts are. `target` is
 *  filled where the node fills a vector of its own. */
export function createValueNode(
  given: BoundValue,
  scope: EvaluatorScope,
  target: Vector = vectorOf(given.type),
): ValueNode {
  const value = foldConstants(given);
  switch (value.kind) {
    case 'text':
      return createTextNode(value.column, scope, target as TextVector);
    case 'load': {
      const vector = scope.vectors[value.load]!;
      return { evaluate: () => vector };
    }
    case 'constant':
      return createConstant(value, target);
    case 'call': {
      const args = value.args.map((arg) => createValueNode(arg, scope));
      return createCall(kernelOf(value.signature), args, value.takesNull, scope, target);
    }
    case 'cast': {
      const operand = createValueNode(value.operand, scope);
      const kernel = castKernel(value.operand.type, value.type, value.isTry);
      return kernel === null ? operand : createCall(kernel, [operand], false, scope, target);
    }
    case 'case':
      return createCase(value, scope, target);
    case 'condition':
      return createTruths(value, scope, target as ValueVector);
    case 'shared':
      return { evaluate: () => scope.shared.get(value)! };
  }
}

/** Computes a shared value; nodes below read it. */
export function sharedNode(shared: SharedValue, scope: EvaluatorScope): ValueNode {
  const node = createValueNode(shared.value, scope);
  return {
    evaluate(batch, records, count) {
      const vector = node.evaluate(batch, records, count);
      scope.shared.set(shared, vector);
      return vector;
    },
  };
}

function vectorOf(type: ColumnType): Vector {
  return type === 'string' ? new TextVector() : new ValueVector();
}

/** Makes a vector ready for a batch. */
export function openVector(vector: Vector, batch: Batch): void {
  vector.reserve(batch.index.recordCount, batch.bytes);
}

/** A column as text, fields without their quotes. */
function createTextNode(column: number, scope: EvaluatorScope, target: TextVector): ValueNode {
  const reader = new CellReader(scope.view, scope.view.sources[column]!, scope.context);
  const { slice, vector } = reader;
  if (vector instanceof TextVector) return { evaluate: () => vector };
  return {
    evaluate(batch, records, count) {
      openVector(target, batch);
      for (let i = 0; i < count; i++) {
        const record = records[i]!;
        if (reader.isNull(batch, record)) target.valid[record] = 0;
        else if (slice.bytes === batch.bytes) target.share(record, slice.start, slice.end);
        else target.copy(record, slice.bytes, slice.start, slice.end);
      }
      return target;
    },
  };
}

/** The same value for every record; filled when there are more records than ever before. */
function createConstant(
  { value }: Extract<BoundValue, { kind: 'constant' }>,
  target: Vector,
): ValueNode {
  let filled = -1;
  return {
    evaluate(batch) {
      const { recordCount } = batch.index;
      if (recordCount > filled) {
        openVector(target, batch);
        fill(target, value);
        filled = recordCount;
      }
      if (target instanceof TextVector) target.bytes = batch.bytes;
      return target;
    },
  };
}

function fill(target: Vector, value: Extract<BoundValue, { kind: 'constant' }>['value']): void {
  target.valid.fill(value === null ? 0 : 1);
  if (value === null) return;
  if (target instanceof TextVector) {
    if (target.valid.length === 0) return;
    target.set(0, String(value));
    target.constant = String(value);
    target.inArena.fill(1);
    target.starts.fill(target.starts[0]!);
    target.ends.fill(target.ends[0]!);
    return;
  }
  target.values.fill(Number(value));
  if (typeof value !== 'bigint') return;
  for (let record = 0; record < target.values.length; record++) target.exact.set(record, value);
}

/** A NULL argument makes NULL, and the kernel sees the other records only. */
function createCall(
  kernel: Kernel,
  args: readonly ValueNode[],
  takesNull: boolean,
  scope: EvaluatorScope,
  target: Vector,
): ValueNode {
  let open = new Uint32Array(0);
  return {
    evaluate(batch, records, count) {
      const vectors = args.map((arg) => arg.evaluate(batch, records, count));
      openVector(target, batch);
      if (takesNull) {
        kernel(vectors, records, count, target, scope.faults);
        return target;
      }
      if (open.length < count) open = new Uint32Array(count);
      let openCount = 0;
      for (let i = 0; i < count; i++) {
        const record = records[i]!;
        let valid = 1;
        for (let a = 0; a < vectors.length; a++) valid &= vectors[a]!.valid[record]!;
        target.valid[record] = valid;
        if (valid === 1) open[openCount++] = record;
      }
      kernel(vectors, open, openCount, target, scope.faults);
      return target;
    },
  };
}

/** Each branch is computed for the records that come to it. */
function createCase(
  value: Extract<BoundValue, { kind: 'case' }>,
  scope: EvaluatorScope,
  target: Vector,
): ValueNode {
  const shared = value.shared === null ? null : sharedNode(value.shared, scope);
  const branches = value.branches.map(({ when, then }) => ({
    when: scope.evaluatorOf(when),
    then: createValueNode(then, scope),
  }));
  const otherwise = value.otherwise === null ? null : createValueNode(value.otherwise, scope);
  return {
    evaluate(batch, records, count) {
      openVector(target, batch);
      shared?.evaluate(batch, records, count);
      let open = records.slice(0, count);
      let openCount = count;
      const truths = new Uint8Array(count);
      for (const { when, then } of branches) {
        if (openCount === 0) break;
        when(batch, open, openCount, truths);
        const taken = open.slice(0, openCount).filter((_, i) => truths[i] === 1);
        open = open.slice(0, openCount).filter((_, i) => truths[i] !== 1);
        openCount = open.length;
        if (taken.length > 0) copyCells(then.evaluate(batch, taken, taken.length), taken, target);
      }
      if (otherwise === null) for (const record of open) target.valid[record] = 0;
      else if (openCount > 0) copyCells(otherwise.evaluate(batch, open, openCount), open, target);
      return target;
    },
  };
}

function copyCells(from: Vector, records: Uint32Array, to: Vector): void {
  for (const record of records) copyCell(from, record, to);
}

function createTruths(
  { condition }: Extract<BoundValue, { kind: 'condition' }>,
  scope: EvaluatorScope,
  target: ValueVector,
): ValueNode {
  const evaluate = scope.evaluatorOf(condition);
  let truths = new Uint8Array(0);
  return {
    evaluate(batch, records, count) {
      if (truths.length < count) truths = new Uint8Array(count);
      evaluate(batch, records, count, truths);
      openVector(target, batch);
      for (let i = 0; i < count; i++) {
        target.valid[records[i]!] = truths[i] === 2 ? 0 : 1;
        target.values[records[i]!] = truths[i]!;
      }
      return target;
    },
  };
}
