import { EntryWriter, NO_KEY } from '../exchange/entry-writer.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import type { RecordWriter } from './record-writer.ts';

/** Records in their order, no more than a limit may keep. */
export class OrderSink implements RecordSink {
  private left: number;
  private readonly writer: RecordWriter;
  private readonly entries: EntryWriter;
  private readonly scratch = new RecordBuffer();
  private begun: Uint8Array | null = null;
  private records = 0;

  constructor(take: number, writer: RecordWriter, { blockBytes }: ExchangeLimits) {
    this.left = take;
    this.writer = writer;
    this.entries = new EntryWriter(blockBytes);
  }

  prepare(): void {
    // There are no keys.
  }

  take(batch: Batch): void {
    const { scratch, entries, writer } = this;
    if (this.begun !== batch.bytes) writer.begin(batch.bytes);
    this.begun = batch.bytes;
    const count = Math.min(batch.selectedCount, this.left);
    for (let i = 0; i < count; i++) {
      scratch.clear();
      writer.writeRecord(batch, batch.selection[i]!, scratch);
      entries.add(NO_KEY, 0, 0, scratch.bytes, 0, scratch.position);
    }
    this.left -= count;
    this.records += count;
  }

  get length(): number {
    return this.entries.length;
  }

  finish(): SinkOutput {
    const { output, index } = this.entries.finish(NO_KEY);
    return { output, exchange: index, records: this.records, deduplicated: 0 };
  }
}
