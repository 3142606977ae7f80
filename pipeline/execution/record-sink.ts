import { EntryWriter } from '../exchange/entry-writer.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { KeyArena } from '../exchange/key-arena.ts';
import { orderByKey } from '../exchange/order-by-key.ts';
import type { ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import { CellsWriter } from './cells-writer.ts';
import { viewAfter, type ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { CsvKernel } from './csv-kernel.ts';
import { CsvWriter } from './csv-writer.ts';
import { JsonWriter } from './json-writer.ts';
import type { OperatorSink } from './operator.ts';
import { OutputBuffer } from './output-buffer.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordWriter } from './record-writer.ts';
import { SortKeys } from './sort-keys.ts';

/** What a task leaves: its output, and the index of it where another wave reads it. */
export interface SinkOutput {
  readonly output: Uint8Array[];
  readonly exchange: Uint8Array;
  /** Records in the output; the others that came are filtered. */
  readonly records: number;
}

/** Takes the records that come through the operators. */
export interface RecordSink {
  /** Reads what it needs; records for which that fails leave the selection. */
  prepare(batch: Batch, sink: OperatorSink): void;
  take(batch: Batch): void;
  /** Bytes taken so far. */
  readonly length: number;
  finish(): SinkOutput;
}

export function createRecordSink(
  view: ColumnView,
  context: ChunkContext,
  limits: ExchangeLimits,
  kernel: CsvKernel | null,
): RecordSink {
  const { exchange } = context;
  if (exchange === null) return new ResultSink(finalWriter(view, context, kernel));
  // Cutting joined records off would leave some of those that a record became.
  const widens = context.steps.some(({ kind }) => kind === 'join');
  switch (exchange.kind) {
    case 'sort': {
      const take = exchange.take ?? Infinity;
      const keys = new SortKeys(exchange.keys, view, context);
      return new SortSink(
        keys,
        widens ? Infinity : take,
        writerOf(exchange, view, context),
        limits,
      );
    }
    case 'limit':
      return new OrderSink(
        widens ? Infinity : takeOf(exchange),
        writerOf(exchange, view, context),
        limits,
      );
  }
}

/** Records of one output that a limit may keep. */
export function takeOf({ offset, count }: { offset: number; count: number | null }): number {
  return count === null ? Infinity : offset + count;
}

function finalWriter(
  view: ColumnView,
  context: ChunkContext,
  kernel: CsvKernel | null = null,
): RecordWriter {
  const isCsv = context.write.format === 'csv';
  return isCsv ? new CsvWriter(view, context, kernel) : new JsonWriter(view, context);
}

function writerOf({ records }: Exchange, view: ColumnView, context: ChunkContext): RecordWriter {
  const shown = records.then.reduce((before, step) => viewAfter(step, before), view);
  return records.layout === null ? finalWriter(shown, context) : new CellsWriter(shown, context);
}

/** The output of the last wave. */
class ResultSink implements RecordSink {
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
    return { output: this.output.finish(), exchange: new Uint8Array(0), records };
  }
}

const NO_KEY = new Uint8Array(0);

/** Records in their order, no more than a limit may keep. */
class OrderSink implements RecordSink {
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
    return { output, exchange: index, records: this.records };
  }
}

/** A sorted run. */
class SortSink implements RecordSink {
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
    return { output, exchange: index, records };
  }
}
