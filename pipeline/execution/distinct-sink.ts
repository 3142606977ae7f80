import { encodeDistinctIndex } from '../exchange/distinct-index.ts';
import type { EntryEngine } from '../exchange/entry-engine.ts';
import { EntryWriter, NO_KEY } from '../exchange/entry-writer.ts';
import { KeySet } from '../exchange/key-set.ts';
import { encodeOrdinals } from '../exchange/ordinal-list.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import type { OperatorSink } from './operator.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import { type RecordWriter, WrittenRecords } from './record-writer.ts';
import type { SortKeys } from './sort-keys.ts';

export interface DistinctOptions {
  readonly keep: 'first' | 'last';
  readonly onDuplicate: 'drop' | 'reject';
  readonly nullsEqual: boolean;
  /** Whether duplicates are left out here; the next wave is told of them otherwise. */
  readonly dropsEarly: boolean;
}

/** Records in order, the different keys among them, sorted, and duplicates inside the chunk. */
export class DistinctSink implements RecordSink {
  private readonly keys: SortKeys;
  private readonly options: DistinctOptions;
  private readonly written: WrittenRecords;
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;
  private readonly set = new KeySet();
  /** By key: the record that stays. */
  private kept = new Uint32Array(1024);
  private readonly duplicates: number[] = [];

  constructor(
    keys: SortKeys,
    options: DistinctOptions,
    writer: RecordWriter,
    { blockBytes }: ExchangeLimits,
    engine: EntryEngine,
  ) {
    this.engine = engine;
    this.keys = keys;
    this.options = options;
    this.written = new WrittenRecords(writer);
    this.blockBytes = blockBytes;
  }

  prepare(batch: Batch, sink: OperatorSink): void {
    this.keys.load(batch, sink);
  }

  take(batch: Batch): void {
    const { count } = this.written.buffer;
    for (let i = 0; i < batch.selectedCount; i++) {
      this.note(batch, batch.selection[i]!, count + i);
    }
    this.written.take(batch);
  }

  get length(): number {
    return this.written.buffer.length;
  }

  finish(): SinkOutput {
    const isDropping = this.options.onDuplicate === 'drop' && this.options.dropsEarly;
    const duplicates = Uint32Array.from(this.duplicates).sort();
    const ordinals = this.ordinals(isDropping ? duplicates : new Uint32Array(0));
    const records = this.records(ordinals);
    const keys = this.sortedKeys(ordinals);
    const list = encodeOrdinals(isDropping ? new Uint32Array(0) : duplicates);
    return {
      output: [...records.output, ...keys.output, ...(list.length === 0 ? [] : [list])],
      exchange: encodeDistinctIndex(records.index, keys.index, list),
      records: this.written.buffer.count - (isDropping ? duplicates.length : 0),
      deduplicated: isDropping ? duplicates.length : 0,
    };
  }

  /** Compares the key of the record that will be the `ordinal`th with those before it. */
  private note(batch: Batch, record: number, ordinal: number): void {
    const { set, options } = this;
    const hasNull = this.keys.append(batch, record, set.keys);
    if (hasNull && !options.nullsEqual) {
      set.keys.dropOpen();
      return;
    }
    const known = set.keys.count;
    const key = set.settle();
    if (key === known) {
      if (key === this.kept.length) this.kept = doubled(this.kept);
      this.kept[key] = ordinal;
    } else if (options.keep === 'first') {
      this.duplicates.push(ordinal);
    } else {
      this.duplicates.push(this.kept[key]!);
      this.kept[key] = ordinal;
    }
  }

  /** By record: its place in the output; `GONE` for those that are left out. */
  private ordinals(dropped: Uint32Array): Uint32Array {
    const ordinals = new Uint32Array(this.written.buffer.count);
    for (const record of dropped) ordinals[record] = GONE;
    let next = 0;
    for (let record = 0; record < ordinals.length; record++) {
      if (ordinals[record] !== GONE) ordinals[record] = next++;
    }
    return ordinals;
  }

  private records(ordinals: Uint32Array): ReturnType<EntryWriter['finish']> {
    const { buffer } = this.written;
    const entries = new EntryWriter(this.blockBytes);
    for (let record = 0; record < ordinals.length; record++) {
      if (ordinals[record] === GONE) continue;
      const { bytes, starts } = buffer;
      entries.add(NO_KEY, 0, 0, bytes, starts[record]!, starts[record + 1]!);
    }
    return entries.finish(NO_KEY);
  }

  private sortedKeys(ordinals: Uint32Array): ReturnType<EntryWriter['finish']> {
    const { keys } = this.set;
    const { count } = keys;
    const records = new RecordBuffer();
    for (let key = 0; key < count; key++) {
      const ordinal = encodeOrdinals(Uint32Array.of(ordinals[this.kept[key]!]!));
      records.copy(ordinal, 0, ordinal.length);
      records.endRecord();
    }
    return this.engine.writeSorted(keys.slices, records.slices, count, count, this.blockBytes);
  }
}

const GONE = 0xffffffff;

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}
