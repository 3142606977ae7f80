import type { BoundValue, ConstantValue } from '../plan/expression/bound.ts';
import { castKernel } from './cast.ts';
import { kernelOf } from './functions/kernels.ts';
import type { Kernel } from './functions/kernel.ts';
import { TextVector, ValueVector, type Vector } from './vectors.ts';

type Constant = Extract<BoundValue, { kind: 'constant' }>;

/** A value in which calls and casts of constants are constants. What fails stays a call, and fails
 *  for each record. */
export function foldConstants(value: BoundValue): BoundValue {
  if (value.kind === 'call') {
    const args = value.args.map(foldConstants);
    return foldCall(kernelOf(value.signature), args, value) ?? { ...value, args };
  }
  if (value.kind === 'cast') {
    const operand = foldConstants(value.operand);
    const kernel = castKernel(operand.type, value.type, value.isTry);
    if (operand.kind === 'constant' && kernel === null) return { ...operand, type: value.type };
    return foldCall(kernel, [operand], value) ?? { ...value, operand };
  }
  return value;
}

function foldCall(
  kernel: Kernel | null,
  args: readonly BoundValue[],
  value: Extract<BoundValue, { kind: 'call' | 'cast' }>,
): Constant | null {
  if (kernel === null || !args.every((arg) => arg.kind === 'constant')) return null;
  const takesNull = value.kind === 'call' && value.takesNull;
  const { type } = value;
  if (!takesNull && args.some((arg) => arg.value === null)) {
    return { kind: 'constant', type, value: null };
  }
  const out = vectorOf(type);
  let isFault = false;
  kernel(args.map(vectorOfConstant), Uint32Array.of(0), 1, out, {
    note: () => {
      isFault = true;
    },
  });
  return isFault ? null : { kind: 'constant', type, value: firstOf(out) };
}

function vectorOf(type: BoundValue['type']): Vector {
  const vector = type === 'string' ? new TextVector() : new ValueVector();
  vector.reserve(1, new Uint8Array(0));
  return vector;
}

function vectorOfConstant({ type, value }: Constant): Vector {
  const vector = vectorOf(type);
  if (value === null) return vector;
  if (vector instanceof TextVector) {
    vector.set(0, String(value));
    return vector;
  }
  vector.valid[0] = 1;
  vector.values[0] = Number(value);
  if (typeof value === 'bigint') vector.exact.set(0, value);
  return vector;
}

function firstOf(vector: Vector): ConstantValue {
  if (vector.valid[0] === 0) return null;
  if (vector instanceof TextVector) return vector.textAt(0);
  return vector.exact.get(0) ?? vector.values[0]!;
}
