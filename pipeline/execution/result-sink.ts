import type { Batch } from './batch.ts';
import { OutputBuffer } from './output-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import type { RecordWriter } from './record-writer.ts';

/** The output of the last wave. */
export class ResultSink implements RecordSink {
  private readonly writer: RecordWriter;
  private readonly output = new OutputBuffer();
  private begun: Uint8Array | null = null;
  private records = 0;

  constructor(writer: RecordWriter) {
    this.writer = writer;
  }

  prepare(): void {
    // Writing needs nothing that could fail.
  }

  take(batch: Batch): void {
    if (this.begun !== batch.bytes) this.writer.begin(batch.bytes);
    this.begun = batch.bytes;
    this.writer.write(batch, this.output);
    this.records += batch.selectedCount;
  }

  get length(): number {
    return this.output.length;
  }

  finish(): SinkOutput {
    const { records } = this;
    return { output: this.output.finish(), exchange: new Uint8Array(0), records, deduplicated: 0 };
  }
}
