import {
  appendField,
  appendRecord,
  clearRecordIndex,
  createRecordIndex,
} from '../parsing/record-index.ts';
import { RFC_4180, type Dialect } from '../parsing/dialect.ts';
import type { FieldSlice } from '../values/field-slice.ts';
import type { Batch } from './batch.ts';
import { CellReader } from './cell-reader.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';

const QUOTE = 0x22;

/** Shows some columns of a batch, computed or not, as a batch of fields: one without a byte is NULL, and
 *  quoted is what else would be taken for something else. */
export class RenderedCells {
  readonly dialect: Dialect = RFC_4180;
  private readonly readers: readonly CellReader[];
  private readonly index = createRecordIndex();
  private bytes = new Uint8Array(0);

  constructor(view: ColumnView, sources: readonly number[], context: ChunkContext) {
    this.readers = sources.map((source) => new CellReader(view, source, context));
  }

  /** Valid until the next call. */
  render(batch: Batch): Batch {
    const { index } = this;
    clearRecordIndex(index);
    const { selectedCount } = batch;
    let end = 0;
    for (let i = 0; i < selectedCount; i++) {
      const record = batch.selection[i]!;
      const recordStart = end;
      for (const reader of this.readers) {
        const start = end;
        if (!reader.isNull(batch, record)) end = this.append(end, reader.slice);
        appendField(index, start, end);
      }
      appendRecord(index, recordStart, end, batch.index.recordLines[record]!, 0);
    }
    const selection = Uint32Array.from({ length: selectedCount }, (_, record) => record);
    const { bytes, dialect } = this;
    return { bytes, dialect, index, selection, selectedCount };
  }

  private append(at: number, { bytes, start, end }: FieldSlice): number {
    const size = end - start;
    this.reserve(at, 2 * size + 2);
    if (size > 0 && bytes[start] !== QUOTE) {
      this.bytes.set(bytes.subarray(start, end), at);
      return at + size;
    }
    let to = at;
    this.bytes[to++] = QUOTE;
    for (let i = start; i < end; i++) {
      this.bytes[to++] = bytes[i]!;
      if (bytes[i] === QUOTE) this.bytes[to++] = QUOTE;
    }
    this.bytes[to++] = QUOTE;
    return to;
  }

  private reserve(at: number, size: number): void {
    if (at + size <= this.bytes.length) return;
    const grown = new Uint8Array((at + size) * 2 + 1024);
    grown.set(this.bytes.subarray(0, at));
    this.bytes = grown;
  }
}
