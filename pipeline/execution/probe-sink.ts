import { encodeDistinctIndex } from '../exchange/distinct-index.ts';
import type { EntryEngine, WrittenEntries } from '../exchange/entry-engine.ts';
import { EntryWriter, NO_KEY } from '../exchange/entry-writer.ts';
import { KeySet } from '../exchange/key-set.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import type { KeyReader } from './join/key-reader.ts';
import type { OperatorSink } from './operator.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import { type RecordWriter, WrittenRecords } from './record-writer.ts';

/** The number of no key: of a record with a NULL in it. */
export const NULL_KEY = 0;

/**
 * Records in order, and the different keys among them, sorted: what a join asks its lookup for. Keys
 * are numbered from 1; a record stands with the number of its key, and so does the key.
 */
export class ProbeSink implements RecordSink {
  private readonly keys: KeyReader;
  private readonly written: WrittenRecords;
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;
  private readonly set = new KeySet();
  /** By record: the number of its key. */
  private readonly numbers = new RecordBuffer();

  constructor(
    keys: KeyReader,
    writer: RecordWriter,
    { blockBytes }: ExchangeLimits,
    engine: EntryEngine,
  ) {
    this.keys = keys;
    this.written = new WrittenRecords(writer);
    this.blockBytes = blockBytes;
    this.engine = engine;
  }

  prepare(batch: Batch, sink: OperatorSink): void {
    this.keys.load(batch, sink);
  }

  take(batch: Batch): void {
    for (let i = 0; i < batch.selectedCount; i++) {
      this.numbers.varint(this.numberOf(batch, batch.selection[i]!));
      this.numbers.endRecord();
    }
    this.written.take(batch);
  }

  get length(): number {
    return this.written.buffer.length;
  }

  finish(): SinkOutput {
    const records = this.records();
    const keys = this.sortedKeys();
    return {
      output: [...records.output, ...keys.output],
      exchange: encodeDistinctIndex(records.index, keys.index, NO_KEY),
      records: this.written.buffer.count,
      deduplicated: 0,
    };
  }

  private numberOf(batch: Batch, record: number): number {
    const { keys, set } = this;
    if (!keys.read(batch, record)) return NULL_KEY;
    set.keys.raw(keys.bytes.subarray(0, keys.length));
    return set.settle() + 1;
  }

  private records(): WrittenEntries {
    const { numbers } = this;
    const { buffer } = this.written;
    const entries = new EntryWriter(this.blockBytes);
    for (let record = 0; record < buffer.count; record++) {
      entries.add(
        ...([numbers.bytes, numbers.starts[record]!, numbers.starts[record + 1]!] as const),
        ...([buffer.bytes, buffer.starts[record]!, buffer.starts[record + 1]!] as const),
      );
    }
    return entries.finish(NO_KEY);
  }

  private sortedKeys(): WrittenEntries {
    const { count, slices } = this.set.keys;
    const numbers = new RecordBuffer();
    for (let key = 0; key < count; key++) {
      numbers.varint(key + 1);
      numbers.endRecord();
    }
    return this.engine.writeSorted(slices, numbers.slices, count, count, this.blockBytes);
  }
}
