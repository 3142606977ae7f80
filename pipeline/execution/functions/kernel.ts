import { TextVector, type ValueVector, type Vector } from '../vectors.ts';

/**
 * Computes a function for `count` records, whose positions are in `records`: reads the arguments'
 * vectors and fills `out`, `valid` included. Unless its signature takes NULL it gets no record with
 * a NULL argument.
 */
export type Kernel = (
  args: readonly Vector[],
  records: Uint32Array,
  count: number,
  out: Vector,
  faults: FaultSink,
) => void;

/** Takes the records for which there is no value. */
export interface FaultSink {
  note(record: number, code: string, message: string): void;
}

/** Why there is no value for a record. */
export class ValueFault {
  readonly message: string;
  readonly code: string;

  constructor(message: string, code = 'expression-error') {
    this.message = message;
    this.code = code;
  }
}

/** An argument or a result of a function, as JavaScript has it: a bigint beyond 2^53 alone. */
export type Scalar = number | bigint | string | boolean;
export type Outcome = Scalar | null | ValueFault;

/** Which whole numbers a function may give, and the fault of others. */
export interface WholeRange {
  readonly min: bigint;
  readonly max: bigint;
  readonly fault: ValueFault;
}

export const OVERFLOW = new ValueFault('The result has more than 64 bits');
const INT64: WholeRange = { min: -(2n ** 63n), max: 2n ** 63n - 1n, fault: OVERFLOW };

/** A kernel of a function that takes one record's arguments; the one for all but the hottest. */
export function perRecord(fn: (...args: never[]) => Outcome, range = INT64): Kernel {
  const call = fn as (a?: Scalar, b?: Scalar, c?: Scalar, d?: Scalar) => Outcome;
  return (args, records, count, out, faults) => {
    const [a, b, c, d] = args;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const first = a === undefined ? undefined : scalarAt(a, record);
      const second = b === undefined ? undefined : scalarAt(b, record);
      const third = c === undefined ? undefined : scalarAt(c, record);
      const fourth = d === undefined ? undefined : scalarAt(d, record);
      put(out, record, call(first, second, third, fourth), faults, range);
    }
  };
}

/** A kernel of a function of doubles. */
export function ofDoubles(fn: (a: number, b: number) => number | ValueFault): Kernel {
  return (args, records, count, out, faults) => {
    const a = (args[0] as ValueVector).values;
    const b = ((args[1] ?? args[0]) as ValueVector).values;
    const { values, valid } = out as ValueVector;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const result = fn(a[record]!, b[record]!);
      if (typeof result === 'number') {
        valid[record] = 1;
        values[record] = result;
      } else putFault(out, record, result, faults);
    }
  };
}

/** A kernel of a function of whole numbers; those beyond 2^53 come and go as bigints. */
export function ofIntegers(
  fn: (a: number, b: number) => number | null | ValueFault,
  exactly: (a: bigint, b: bigint) => bigint | null | ValueFault,
  range = INT64,
): Kernel {
  return (args, records, count, out, faults) => {
    const left = args[0] as ValueVector;
    const right = (args[1] ?? args[0]) as ValueVector;
    const { values, valid } = out as ValueVector;
    const a = left.values;
    const b = right.values;
    const isPlain = left.exact.size === 0 && right.exact.size === 0;
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      if (isPlain || !(left.exact.has(record) || right.exact.has(record))) {
        const result = fn(a[record]!, b[record]!);
        if (typeof result === 'number' && result <= MAX_SAFE && result >= -MAX_SAFE) {
          valid[record] = 1;
          values[record] = result + 0;
          continue;
        }
        if (typeof result !== 'number') {
          put(out, record, result, faults);
          continue;
        }
      }
      put(out, record, exactly(left.exactAt(record), right.exactAt(record)), faults, range);
    }
  };
}

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export function scalarAt(vector: Vector, record: number): Scalar {
  if (vector instanceof TextVector) return vector.textAt(record);
  const exact = vector.exact.size > 0 ? vector.exact.get(record) : undefined;
  return exact ?? vector.values[record]!;
}

/** Makes a result the record's value. */
export function put(
  out: Vector,
  record: number,
  result: Outcome,
  faults: FaultSink,
  range = INT64,
): void {
  if (result === null) {
    out.valid[record] = 0;
  } else if (result instanceof ValueFault) {
    putFault(out, record, result, faults);
  } else if (out instanceof TextVector) {
    out.set(record, result as string);
  } else {
    out.valid[record] = 1;
    if (typeof result === 'bigint') putExact(out, record, result, faults, range);
    else out.values[record] = Number(result) + 0;
  }
}

export function putFault(out: Vector, record: number, fault: ValueFault, faults: FaultSink): void {
  out.valid[record] = 0;
  faults.note(record, fault.code, fault.message);
}

function putExact(
  out: ValueVector,
  record: number,
  value: bigint,
  faults: FaultSink,
  { min, max, fault }: WholeRange,
): void {
  if (value > max || value < min) {
    putFault(out, record, fault, faults);
    return;
  }
  const double = Number(value);
  out.values[record] = double;
  if (!Number.isSafeInteger(double)) out.exact.set(record, value);
}

/** Takes another vector's value over, NULL included. */
export function copyCell(from: Vector, record: number, to: Vector): void {
  to.valid[record] = from.valid[record]!;
  if (from.valid[record] === 0) return;
  if (to instanceof TextVector) {
    const text = from as TextVector;
    to.slice(record, text, text.starts[record]!, text.ends[record]!);
    return;
  }
  const value = from as ValueVector;
  to.values[record] = value.values[record]!;
  const exact = value.exact.size > 0 ? value.exact.get(record) : undefined;
  if (exact !== undefined) to.exact.set(record, exact);
}
