import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import type { ColumnType } from '../protocol/job.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureShape } from './shape.ts';
import { compareValues } from './value-counts.ts';

/** A value of a record that a measure keeps: of a text its bytes. */
export type Held = number | bigint | Uint8Array | null;

export function heldOf(cell: InputCell): Held {
  if (cell.isNull) return null;
  if (cell.type !== 'string') return cell.scalar;
  const { bytes, start, end } = cell.slice;
  return bytes.slice(start, end);
}

export function writeHeld(writer: ByteWriter, value: Held): void {
  writer.byte(value === null ? 0 : 1);
  if (value instanceof Uint8Array) writer.block(value);
  else if (value !== null) writer.scalar(value);
}

export function readHeld(reader: ByteReader, type: ColumnType): Held {
  if (reader.byte() === 0) return null;
  return type === 'string' ? reader.block().slice() : reader.scalar();
}

/** Compares what two records are ordered by, as ORDER BY says. */
export function compareHeld(
  order: NonNullable<MeasureShape['order']>,
  left: readonly Held[],
  right: readonly Held[],
): number {
  for (const [i, { desc, nulls }] of order.entries()) {
    const a = left[i] ?? null;
    const b = right[i] ?? null;
    if (a === null || b === null) {
      if (a === b) continue;
      return (a === null) === (nulls === 'first') ? -1 : 1;
    }
    const difference = compareValues(a, b);
    if (difference !== 0) return desc ? -difference : difference;
  }
  return 0;
}
