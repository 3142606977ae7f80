import { EntryWriter, NO_KEY } from '../exchange/entry-writer.ts';
import { KeyArena } from '../exchange/key-arena.ts';
import { orderByKey } from '../exchange/order-by-key.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import type { OperatorSink } from './operator.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import type { RecordWriter } from './record-writer.ts';
import type { SortKeys } from './sort-keys.ts';

/** A sorted run. */
export class SortSink implements RecordSink {
  private readonly keys: SortKeys;
  private readonly limit: number;
  private readonly writer: RecordWriter;
  private readonly blockBytes: number;
  private readonly arena = new KeyArena();
  private readonly buffer = new RecordBuffer();
  private begun: Uint8Array | null = null;

  constructor(keys: SortKeys, take: number, writer: RecordWriter, { blockBytes }: ExchangeLimits) {
    this.keys = keys;
    this.limit = take;
    this.writer = writer;
    this.blockBytes = blockBytes;
  }

  prepare(batch: Batch, sink: OperatorSink): void {
    this.keys.load(batch, sink);
  }

  take(batch: Batch): void {
    const { keys, arena, buffer, writer } = this;
    if (this.begun !== batch.bytes) writer.begin(batch.bytes);
    this.begun = batch.bytes;
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = batch.selection[i]!;
      keys.append(batch, record, arena);
      arena.endKey();
      writer.writeRecord(batch, record, buffer);
      buffer.endRecord();
    }
  }

  get length(): number {
    return this.buffer.length;
  }

  finish(): SinkOutput {
    const { arena, buffer } = this;
    const { bytes, starts, count } = arena;
    const order = orderByKey(bytes, starts, starts.subarray(1), count);
    const records = Math.min(count, this.limit);
    const entries = new EntryWriter(this.blockBytes);
    for (let i = 0; i < records; i++) {
      const at = order[i]!;
      const start = buffer.startOf(at);
      entries.add(bytes, starts[at]!, starts[at + 1]!, buffer.bytes, start, buffer.ends[at]!);
    }
    const last = order[records - 1];
    const lastKey = last === undefined ? NO_KEY : bytes.subarray(starts[last], starts[last + 1]);
    const { output, index } = entries.finish(lastKey);
    return { output, exchange: index, records, deduplicated: 0 };
  }
}
