import type { EntryEngine } from '../exchange/entry-engine.ts';
import { KeySet, shorten } from '../exchange/key-set.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import type { CellReader } from './cell-reader.ts';
import type { KeyReader } from './join/key-reader.ts';
import type { OperatorSink } from './operator.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';

/**
 * The records of a part of a lookup, sorted by key, those of one key in order; without those that
 * have a NULL in it, which equals nothing. A record is its cells, each by its length plus one and its
 * unquoted bytes, or 0 for NULL.
 */
export class BuildSink implements RecordSink {
  private readonly keys: KeyReader;
  private readonly cells: readonly CellReader[];
  private readonly keepsOne: boolean;
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;
  private readonly set = new KeySet();
  private readonly buffer = new RecordBuffer();

  constructor(
    keys: KeyReader,
    cells: readonly CellReader[],
    keepsOne: boolean,
    { blockBytes }: ExchangeLimits,
    engine: EntryEngine,
  ) {
    this.keys = keys;
    this.cells = cells;
    this.keepsOne = keepsOne;
    this.blockBytes = blockBytes;
    this.engine = engine;
  }

  prepare(batch: Batch, sink: OperatorSink): void {
    this.keys.load(batch, sink);
  }

  take(batch: Batch): void {
    const { keys, set, buffer } = this;
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = batch.selection[i]!;
      if (!keys.read(batch, record)) continue;
      const known = set.keys.count;
      set.keys.raw(keys.bytes.subarray(0, keys.length));
      if (this.keepsOne) {
        if (set.settle() < known) continue;
      } else {
        shorten(set.keys);
        set.keys.endKey();
      }
      for (const cell of this.cells) this.writeCell(cell, batch, record);
      buffer.endRecord();
    }
  }

  get length(): number {
    return this.buffer.length;
  }

  finish(): SinkOutput {
    const { buffer, blockBytes } = this;
    const { count, slices } = this.set.keys;
    const sorted = this.engine.writeSorted(slices, buffer.slices, count, count, blockBytes);
    return { output: sorted.output, exchange: sorted.index, records: count, deduplicated: 0 };
  }

  private writeCell(cell: CellReader, batch: Batch, record: number): void {
    const { buffer } = this;
    if (cell.isNull(batch, record)) {
      buffer.byte(0);
      return;
    }
    const { bytes, start, end } = cell.slice;
    buffer.varint(end - start + 1);
    buffer.copy(bytes, start, end);
  }
}
