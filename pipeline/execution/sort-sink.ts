import type { EntryEngine } from '../exchange/entry-engine.ts';
import { KeyArena } from '../exchange/key-arena.ts';
import { CHUNK_LIMITS, type ExchangeLimits } from '../limits.ts';
import type { Batch } from './batch.ts';
import type { OperatorSink } from './operator.ts';
import { RecordBuffer } from './record-buffer.ts';
import type { RecordSink, SinkOutput } from './record-sink.ts';
import { type RecordWriter, WrittenRecords } from './record-writer.ts';
import type { SortKernel } from './sort-kernel.ts';
import type { SortKeys } from './sort-keys.ts';

/** What the records of a chunk are held in until they are sorted. */
interface SortMemory {
  readonly keys: KeyArena;
  readonly records: RecordBuffer;
}

/** Used again by each run on an engine, of which there is one at a time: fresh megabytes for every chunk
 *  would have the system clear them, and the garbage collector run. */
const memories = new WeakMap<EntryEngine, SortMemory>();

function emptyMemory(engine: EntryEngine): SortMemory {
  const held = memories.get(engine);
  const bytesHeld = held === undefined ? 0 : held.keys.bytes.length + held.records.bytes.length;
  const isKept = held !== undefined && bytesHeld <= KEPT_BYTES_MAX;
  const memory = isKept ? held : { keys: new KeyArena(), records: new RecordBuffer() };
  memory.keys.clear();
  memory.records.clear();
  memories.set(engine, memory);
  return memory;
}

/** Of what is longer than a chunk, memory of its own is made. */
const KEPT_BYTES_MAX = 2 * CHUNK_LIMITS.maxBytes;

/** A sorted run. */
export class SortSink implements RecordSink {
  private readonly keys: SortKeys;
  private readonly kernel: SortKernel | null;
  private readonly limit: number;
  private readonly written: WrittenRecords;
  private readonly blockBytes: number;
  private readonly engine: EntryEngine;
  private readonly arena: KeyArena;
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
    const memory = emptyMemory(engine);
    this.arena = memory.keys;
    this.written = new WrittenRecords(writer, memory.records);
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
