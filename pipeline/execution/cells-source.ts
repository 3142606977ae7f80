import type { Entries } from '../exchange/entries.ts';
import {
  appendField,
  appendRecord,
  clearRecordIndex,
  createRecordIndex,
  type RecordIndex,
} from '../parsing/record-index.ts';
import { batchRecordsMax } from './batch-size.ts';
import { RecordOrigins } from './record-origins.ts';
import { ValueTag } from './cells-writer.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { RecordPlace, SourceBatch, SourceFault } from './record-source.ts';
import { TextVector, type ValueVector, type Vector } from './vectors.ts';

/** Records that do not pass, and why. */
export interface Refused {
  /** By entry: 1 for those. */
  readonly flags: Uint8Array;
  readonly fault: Pick<SourceFault, 'column' | 'code' | 'message' | 'step'>;
}

/** Reads what `CellsWriter` wrote, batch by batch, into the vectors of a view. */
export class CellsSource {
  private readonly context: ChunkContext;
  private readonly vectors: readonly Vector[];
  private readonly delimiterLength: number;
  private readonly recordsMax: number;
  private readonly index: RecordIndex;
  private readonly selection: Uint32Array;
  private readonly entries: Entries;
  private readonly view: DataView;
  private readonly lengths: Uint32Array;
  /** Of the batch; null where records do not say what of the input they are. */
  private readonly origins: RecordOrigins | null;
  private at = 0;

  /** `view` is that of the records as they come in; `chunks` are the chunks of the input that the
   *  entries' slices are of, where records do not say so themselves. */
  constructor(
    view: ColumnView,
    context: ChunkContext,
    entries: Entries,
    chunks: readonly number[] = [],
  ) {
    const { bytes } = entries;
    const { input } = context;
    const hasOrigins = input !== 'chunk' && input.records.layout?.origins !== undefined;
    this.recordsMax = batchRecordsMax(context);
    this.index = createRecordIndex(this.recordsMax);
    this.selection = new Uint32Array(this.recordsMax);
    this.origins = hasOrigins ? new RecordOrigins(entries, chunks, this.recordsMax) : null;
    this.context = context;
    this.entries = entries;
    this.vectors = view.vectors.filter((vector) => vector !== null);
    this.delimiterLength = new TextEncoder().encode(context.dialect.delimiter).length;
    this.lengths = new Uint32Array(context.columns.length);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The records of some entries, in this order. Those that are `refused`, by entry, are faults. */
  *batches(order: Uint32Array, refused: Refused | null = null): Generator<SourceBatch> {
    const { index, selection, entries, recordsMax } = this;
    const { bytes } = entries;
    const { dialect } = this.context;
    for (let from = 0; from < order.length; from += recordsMax) {
      const count = Math.min(recordsMax, order.length - from);
      clearRecordIndex(index);
      for (const vector of this.vectors) vector.reserve(count, bytes);
      const placeOf = (record: number): RecordPlace => ({
        ...{ record: from + record, line: 0 },
        ...{ rawStart: index.recordStarts[record]!, rawEnd: index.recordEnds[record]! },
        ...this.origins?.of(record),
      });
      const faults: SourceFault[] = [];
      let selectedCount = 0;
      for (let record = 0; record < count; record++) {
        const entry = order[from + record]!;
        this.at = entries.keyEnds[entry]!;
        if (this.origins !== null) this.at = this.origins.read(entry, record, this.at);
        this.readRecord(record);
        if (refused?.flags[entry] === 1) faults.push({ ...placeOf(record), ...refused.fault });
        else selection[selectedCount++] = record;
      }
      const batch = { bytes, dialect, index, selection, selectedCount };
      yield { batch, recordCount: count, faults, placeOf };
    }
  }

  private readRecord(record: number): void {
    const { bytes } = this.entries;
    const { index, lengths } = this;
    const flags = bytes[this.at++]!;
    for (let field = 0; field < lengths.length; field++) lengths[field] = this.count();
    const start = this.at;
    for (let field = 0; field < lengths.length; field++) {
      if (field > 0) this.at += this.delimiterLength;
      const end = this.at + lengths[field]!;
      appendField(index, this.at, end);
      this.at = end;
    }
    appendRecord(index, start, this.at, 0, flags);
    for (let v = 0; v < this.vectors.length; v++) {
      const vector = this.vectors[v]!;
      if (vector instanceof TextVector) this.readText(vector, record);
      else this.readValue(vector, record);
    }
  }

  private readText(vector: TextVector, record: number): void {
    const length = this.count() - 1;
    if (length < 0) {
      vector.valid[record] = 0;
      return;
    }
    vector.share(record, this.at, this.at + length);
    this.at += length;
  }

  private readValue(vector: ValueVector, record: number): void {
    const { bytes } = this.entries;
    const tag = bytes[this.at++];
    vector.valid[record] = tag === ValueTag.null ? 0 : 1;
    if (tag === ValueTag.double) {
      vector.values[record] = this.view.getFloat64(this.at, true);
      this.at += 8;
    } else if (tag === ValueTag.exact) {
      const length = this.count();
      const digits = String.fromCharCode(...bytes.subarray(this.at, this.at + length));
      vector.exact.set(record, BigInt(digits));
      vector.values[record] = Number(digits);
      this.at += length;
    }
  }

  private count(): number {
    const { bytes } = this.entries;
    let value = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    return value;
  }
}
