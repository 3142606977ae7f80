import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import type { InputCell } from './input-cell.ts';

/** What one measure knows of every group. Slots are group numbers. */
export interface MeasureState {
  /** One more than the greatest position of a record that it holds; left out where it holds none. */
  readonly positionsEnd?: number;
  /** Makes slots `[0, count)` exist. */
  reserve(count: number): void;
  /** Takes the value that the cell holds; NULL counts for `count(*)`, `first` and `last` only.
   *  `position` is that of the record among all that were aggregated. */
  add(group: number, cell: InputCell, position: number): void;
  write(group: number, writer: ByteWriter): void;
  /** Takes what `write` wrote of the same group in another partial, whose records come behind
   *  `offset` others. */
  merge(group: number, reader: ByteReader, offset: number): void;
  /** Canonical text of the measure; null for NULL. */
  text(group: number): string | Uint8Array | null;
}

/** What else of a record a measure reads. */
export interface OrderCells {
  readonly order: readonly InputCell[];
  /** Of FILTER, where NULL values count; null without. */
  readonly filter: InputCell | null;
}
