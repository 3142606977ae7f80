import type { Batch } from './batch.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { RecordBuffer } from './record-buffer.ts';

/** Writes the selected records of batches in one output format. */
export interface RecordWriter {
  /** Called once for each buffer of records, before its batches. */
  begin(bytes: Uint8Array): void;
  write(batch: Batch, out: OutputBuffer): void;
  /** Writes one record of a batch, selected or not. */
  writeRecord(batch: Batch, record: number, out: OutputBuffer): void;
  /** Writes the selected records, each to be found; where many are written sooner than one by one. */
  writeEach?(batch: Batch, out: RecordBuffer): void;
}

/** The records of batches as they are written, each to be found. */
export class WrittenRecords {
  readonly buffer: RecordBuffer;
  private readonly writer: RecordWriter;
  private begun: Uint8Array | null = null;

  /** Into a buffer of its own when none is given, which is empty. */
  constructor(writer: RecordWriter, buffer = new RecordBuffer()) {
    this.writer = writer;
    this.buffer = buffer;
  }

  /** Writes the selected records. */
  take(batch: Batch): void {
    const { writer, buffer } = this;
    if (this.begun !== batch.bytes) {
      writer.begin(batch.bytes);
      buffer.expect(batch.bytes.length);
    }
    this.begun = batch.bytes;
    if (writer.writeEach !== undefined) {
      writer.writeEach(batch, buffer);
      return;
    }
    for (let i = 0; i < batch.selectedCount; i++) {
      writer.writeRecord(batch, batch.selection[i]!, buffer);
      buffer.endRecord();
    }
  }
}
