import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import type { InputCell } from './input-cell.ts';

/** What one measure knows of every group. Slots are group numbers. */
export interface MeasureState {
  /** Makes slots `[0, count)` exist. */
  reserve(count: number): void;
  /** Takes the value that the cell holds; NULL counts for `count(*)` only. */
  add(group: number, cell: InputCell): void;
  write(group: number, writer: ByteWriter): void;
  /** Takes what `write` wrote of the same group in another partial. */
  merge(group: number, reader: ByteReader): void;
  /** Canonical text of the measure; null for NULL. */
  text(group: number): string | Uint8Array | null;
}
