import {
  appendField,
  appendRecord,
  clearRecordIndex,
  createRecordIndex,
} from '../parsing/record-index.ts';
import { RFC_4180, type Dialect } from '../parsing/dialect.ts';
import type { Batch } from './batch.ts';
import { CellReader } from './cell-reader.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';

const encoder = new TextEncoder();

/** Shows some columns of a batch, computed or not, as a batch of fields that need no quotes. */
export class RenderedCells {
  readonly dialect: Dialect = { ...RFC_4180, quote: '', escape: '' };
  readonly nullstr: readonly string[];
  private readonly readers: readonly CellReader[];
  private readonly index = createRecordIndex();
  private readonly nullBytes: Uint8Array;
  private bytes = new Uint8Array(0);

  constructor(view: ColumnView, sources: readonly number[], context: ChunkContext) {
    this.readers = sources.map((source) => new CellReader(view, source, context));
    this.nullstr = context.nullstr.length === 0 ? [''] : context.nullstr;
    this.nullBytes = encoder.encode(this.nullstr[0]);
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
        const isNull = reader.isNull(batch, record);
        const start = end;
        end = isNull
          ? this.append(end, this.nullBytes, 0, this.nullBytes.length)
          : this.append(end, reader.slice.bytes, reader.slice.start, reader.slice.end);
        appendField(index, start, end);
      }
      appendRecord(index, recordStart, end, batch.index.recordLines[record]!, 0);
    }
    const selection = Uint32Array.from({ length: selectedCount }, (_, record) => record);
    const { bytes, dialect } = this;
    return { bytes, lastingBytes: bytes, dialect, index, selection, selectedCount };
  }

  private append(at: number, from: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (at + size > this.bytes.length) {
      const grown = new Uint8Array((at + size) * 2 + 1024);
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    this.bytes.set(from.subarray(start, end), at);
    return at + size;
  }
}
