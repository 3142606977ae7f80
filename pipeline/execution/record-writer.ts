import type { Batch } from './batch.ts';
import type { OutputBuffer } from './output-buffer.ts';

/** Writes the selected records of batches in one output format. */
export interface RecordWriter {
  /** Called once for each buffer of records, before its batches. */
  begin(bytes: Uint8Array): void;
  write(batch: Batch, out: OutputBuffer): void;
  /** Writes one record of a batch, selected or not. */
  writeRecord(batch: Batch, record: number, out: OutputBuffer): void;
}
