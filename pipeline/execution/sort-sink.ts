import type { EntryEngine } from '../exchange/entry-engine.ts';
import { KeyArena } from '../exchange/key-arena.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import type { OperatorSink } from './operator.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import { type RecordWriter, WrittenRecords } from './record-writer.ts';
import type { SortKernel } from './sort-kernel.ts';
import type { SortKeys } from './sort-keys.ts';

/** A sorted run. */
export class SortSink implements RecordSink {
  private readonly keys: SortKeys;
  private readonly kernel: SortKernel | null;
  private readonly limit: number;
  private readonly written: WrittenRecords;
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;
  private readonly arena = new KeyArena();
  /** Whether the keys of the batch at hand are made. */
  private isKeyed = false;

  constructor(
    keys: SortKeys,
    take: number,
    writer: RecordWriter,
    { blockBytes }: ExchangeLimits,
    engine: EntryEngine,
    kernel: SortKernel | null,
  ) {
    this.engine = engine;
    this.keys = keys;
    this.kernel = kernel;
    this.limit = take;
    this.written = new WrittenRecords(writer);
    this.blockBytes = blockBytes;
  }

  prepare(batch: Batch, sink: OperatorSink): void {
    this.isKeyed = this.kernel?.append(batch, this.arena) ?? false;
    if (!this.isKeyed) this.keys.load(batch, sink);
  }

  take(batch: Batch): void {
    const { keys, arena } = this;
    const count = this.isKeyed ? 0 : batch.selectedCount;
    for (let i = 0; i < count; i++) {
      const record = batch.selection[i]!;
      keys.append(batch, record, arena);
      arena.endKey();
    }
    this.written.take(batch);
  }

  get length(): number {
    return this.written.buffer.length;
  }

  finish(): SinkOutput {
    const { arena, engine, blockBytes } = this;
    const { buffer } = this.written;
    const { count } = arena;
    const records = Math.min(count, this.limit);
    const sorted = engine.writeSorted(arena.slices, buffer.slices, count, records, blockBytes);
    return { output: sorted.output, exchange: sorted.index, records, deduplicated: 0 };
  }
}
