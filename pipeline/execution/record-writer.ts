import type { Batch } from './batch.ts';
import type { OutputBuffer } from './output-buffer.ts';
import type { RecordBuffer } from './record-buffer.ts';

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

/** Writes the selected records of a batch, each to be found. */
export function writeEach(writer: RecordWriter, batch: Batch, out: RecordBuffer): void {
  if (writer.writeEach !== undefined) {
    writer.writeEach(batch, out);
    return;
  }
  for (let i = 0; i < batch.selectedCount; i++) {
    writer.writeRecord(batch, batch.selection[i]!, out);
    out.endRecord();
  }
}
