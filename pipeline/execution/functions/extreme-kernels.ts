import { copyCell, type Kernel } from './kernel.ts';
import type { TextVector, ValueVector, Vector } from '../vectors.ts';

const TYPES = ['integer', 'number', 'date', 'datetime', 'boolean', 'string'] as const;

/** GREATEST and LEAST, by signature: NULL arguments do not count. */
export const EXTREME_KERNELS: Readonly<Record<string, Kernel>> = Object.fromEntries(
  TYPES.flatMap((type) => {
    const order = type === 'string' ? compareTexts : compareValues;
    return [
      [`greatest(${type})`, extreme(order, 1)],
      [`least(${type})`, extreme(order, -1)],
    ];
  }),
);

type Order = (left: Vector, right: Vector, record: number) => number;

function extreme(order: Order, sign: 1 | -1): Kernel {
  return (args, records, count, out) => {
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      let best: Vector | null = null;
      for (const arg of args) {
        if (arg.valid[record] === 0) continue;
        if (best === null || order(arg, best, record) * sign > 0) best = arg;
      }
      if (best === null) out.valid[record] = 0;
      else copyCell(best, record, out);
    }
  };
}

function compareTexts(left: Vector, right: Vector, record: number): number {
  const slices = [left as TextVector, right as TextVector].map((text) =>
    text.bytesOf(record).subarray(text.starts[record], text.ends[record]),
  );
  return Buffer.compare(slices[0]!, slices[1]!);
}

/** NaN is greater than every number, as in DuckDB. */
function compareValues(left: Vector, right: Vector, record: number): number {
  const a = left as ValueVector;
  const b = right as ValueVector;
  const x = a.values[record]!;
  const y = b.values[record]!;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  if (x !== y || (a.exact.size === 0 && b.exact.size === 0)) return x - y;
  const difference = a.exactAt(record) - b.exactAt(record);
  return difference < 0n ? -1 : Number(difference > 0n);
}
