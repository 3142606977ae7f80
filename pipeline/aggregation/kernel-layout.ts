import type { ColumnType } from '../protocol/job.ts';
import type { AggregateShape, AggregateSpec } from './shape.ts';

/** As in `assembly/aggregate/frame.ts`, `group-table.ts` and `encode-groups.ts`. */
export const KERNEL_TYPES: Readonly<Record<ColumnType, number>> = {
  string: 0,
  integer: 1,
  number: 2,
  boolean: 3,
  date: 4,
  datetime: 5,
};
const KEEPS_SUM = 1;
const KEEPS_BOUNDS = 2;
const COUNT_ALL = 0;
const MEASURES: Readonly<Record<string, { readonly kind: number; readonly keeps: number }>> = {
  count: { kind: 1, keeps: 0 },
  sum: { kind: 2, keeps: KEEPS_SUM },
  avg: { kind: 2, keeps: KEEPS_SUM },
  min: { kind: 3, keeps: KEEPS_BOUNDS },
  max: { kind: 4, keeps: KEEPS_BOUNDS },
};
const GROUP_HEAD_BYTES = 32;
const STATE_HEAD_BYTES = 8;
const SUM_BYTES = 16;
const BOUNDS_BYTES = 16;

/** Four words of the kernel's memory. */
type Words = readonly [number, number, number, number];

/** An aggregate as the kernel has it. */
export interface KernelLayout {
  /** Position, type, 0, 0. */
  readonly keyColumns: readonly Words[];
  /** Position, type, what is kept, where in a group. Measures of one column share one. */
  readonly measured: readonly Words[];
  /** Kind, type, what is kept of the measured column, where in a group. */
  readonly measures: readonly Words[];
  readonly groupBytes: number;
}

interface MeasuredColumn {
  readonly column: number;
  readonly type: ColumnType;
  keeps: number;
}

/** Null when there is a measure that the kernel does not know: of booleans, or bounds of texts. */
export function kernelLayout(spec: AggregateSpec, shape: AggregateShape): KernelLayout | null {
  const measured: MeasuredColumn[] = [];
  for (const [i, { column, function: name, distinct }] of spec.measures.entries()) {
    if (distinct === true) return null;
    const type = shape.measures[i]?.type ?? null;
    if (column === null || type === null) continue;
    const known = MEASURES[name];
    if (known === undefined || type === 'boolean') return null;
    if (type === 'string' && known.keeps !== 0) return null;
    const same = measured.find((other) => other.column === column && other.type === type);
    if (same === undefined) measured.push({ column, type, keeps: known.keeps });
    else same.keeps |= known.keeps;
  }
  let groupBytes = GROUP_HEAD_BYTES;
  const columns = measured.map(({ column, type, keeps }): Words => {
    const offset = groupBytes;
    groupBytes += STATE_HEAD_BYTES;
    if ((keeps & KEEPS_SUM) !== 0) groupBytes += SUM_BYTES;
    if ((keeps & KEEPS_BOUNDS) !== 0) groupBytes += BOUNDS_BYTES;
    return [column, KERNEL_TYPES[type], keeps, offset];
  });
  const measures = spec.measures.map(({ column, function: name }, i): Words => {
    const type = shape.measures[i]?.type ?? null;
    const at = measured.findIndex((other) => other.column === column && other.type === type);
    const [, code, keeps, offset] = columns[at] ?? [0, 0, 0, 0];
    return [at < 0 ? COUNT_ALL : MEASURES[name]!.kind, code, keeps, offset];
  });
  const keyColumns = spec.by.map((column, i): Words => [
    column,
    KERNEL_TYPES[shape.keyTypes[i]!],
    0,
    0,
  ]);
  return { keyColumns, measured: columns, measures, groupBytes: alignGroup(groupBytes) };
}

/** So that a group lies in as few cache lines as it can, of 64 bytes each. */
function alignGroup(groupBytes: number): number {
  return Math.ceil(groupBytes / 32) * 32;
}
