import type { RecordIndex } from '../parsing/record-index.ts';
import type { ColumnType } from '../protocol/job.ts';
import { FieldSlice } from '../values/field-slice.ts';
import { notationText, PLAIN_BYTES_MIN, rewriterOf, type Rewrite } from '../values/notation.ts';
import { NullTexts } from '../values/null-texts.ts';
import { ALTERED_RECORD } from './batch.ts';
import { tellsEmpty, type ChunkContext, type ColumnNotation } from './context.ts';
import type { RecordSource, SourceBatch, SourceFault } from './record-source.ts';
import { typeErrorText } from './value-loader.ts';

const QUOTE = 0x22;

interface RewrittenColumn {
  readonly column: number;
  readonly name: string;
  readonly type: ColumnType;
  readonly rewrite: Rewrite;
  readonly notation: string;
}

/**
 * Writes the columns that have a notation plainly, batch by batch, so that all that works on their
 * cells reads them like others. A text that is no value follows `on_error`. The rewritten cells lie
 * behind a copy of the batch's records, so the kernel's operators do not take them.
 */
export class NotationSource implements RecordSource {
  private readonly source: RecordSource;
  private readonly context: ChunkContext;
  private readonly columns: readonly RewrittenColumn[];
  private readonly slice: FieldSlice;
  private readonly nulls: NullTexts;
  readonly kernel = null;

  constructor(source: RecordSource, context: ChunkContext, notations: readonly ColumnNotation[]) {
    this.source = source;
    this.context = context;
    this.columns = notations.map(({ column, notation }) => ({
      ...{ column, name: context.columns[column]?.name ?? '', type: notation.type },
      ...{ rewrite: rewriterOf(notation), notation: notationText(notation) },
    }));
    this.slice = new FieldSlice(context.dialect);
    this.nulls = new NullTexts(context.nullstr, tellsEmpty(context));
  }

  get lines(): number {
    return this.source.lines;
  }

  *batches(bytes: Uint8Array): Generator<SourceBatch> {
    for (const source of this.source.batches(bytes)) {
      yield source.batch.selectedCount === 0 ? source : this.rewritten(source);
    }
  }

  private rewritten(source: SourceBatch): SourceBatch {
    const { batch } = source;
    const { index, selection } = batch;
    const base = index.recordStarts[0]!;
    const length = index.recordEnds[index.recordCount - 1]! - base;
    const bytes = new Uint8Array(length + this.plainBytesMax(source));
    bytes.set(batch.bytes.subarray(base, base + length));
    const own = movedIndex(index, base);
    const faults: SourceFault[] = [];
    let to = length;
    let kept = 0;
    for (let i = 0; i < batch.selectedCount; i++) {
      const record = selection[i]!;
      const end = this.rewriteRecord(own, record, bytes, to);
      if (typeof end === 'number') {
        to = end;
        selection[kept++] = record;
      } else {
        faults.push({ ...source.placeOf(record), ...end });
      }
    }
    return {
      ...source,
      batch: { ...batch, bytes, index: own, selectedCount: kept },
      faults: [...source.faults, ...faults],
    };
  }

  /** Room for what becomes of the cells: none grows, but for short booleans. */
  private plainBytesMax({ batch }: SourceBatch): number {
    const { index, selection, selectedCount } = batch;
    let bytes = 0;
    for (const { column } of this.columns) {
      for (let i = 0; i < selectedCount; i++) {
        const field = index.recordFields[selection[i]!]! + column;
        bytes += Math.max(PLAIN_BYTES_MIN, index.fieldEnds[field]! - index.fieldStarts[field]!);
      }
    }
    return bytes;
  }

  /** Writes a record's cells to `bytes` at `at`; the offset behind them, or why it is rejected. */
  private rewriteRecord(
    index: RecordIndex,
    record: number,
    bytes: Uint8Array,
    at: number,
  ): number | Pick<SourceFault, 'column' | 'code' | 'message'> {
    const { slice, context } = this;
    let to = at;
    for (const { column, name, type, rewrite, notation } of this.columns) {
      const field = index.recordFields[record]! + column;
      const start = index.fieldStarts[field]!;
      const end = index.fieldEnds[field]!;
      if (this.nulls.pointAt(slice, bytes, start, end)) continue;
      // Of JSON only strings are written in a notation.
      if (context.format !== 'csv' && bytes[start] !== QUOTE) continue;
      const next = rewrite(slice.bytes, slice.start, slice.end, bytes, to);
      if (next < 0 && context.onError !== 'null') {
        const message = `${typeErrorText(slice, name, type)} written with ${notation}`;
        return { column, code: 'type-error', message };
      }
      if (next >= 0 && context.format === 'csv' && isSame(slice, bytes, to, next)) continue;
      index.fieldStarts[field] = to;
      to = Math.max(to, next);
      index.fieldEnds[field] = to;
      index.recordFlags[record]! |= ALTERED_RECORD;
    }
    return to;
  }
}

function isSame(slice: FieldSlice, bytes: Uint8Array, start: number, end: number): boolean {
  if (slice.end - slice.start !== end - start) return false;
  for (let i = start; i < end; i++) {
    if (bytes[i] !== slice.bytes[slice.start + i - start]) return false;
  }
  return true;
}

/** A copy of the index over bytes that begin at `base` of those that it is over. */
function movedIndex(index: RecordIndex, base: number): RecordIndex {
  const { recordCount, fieldCount } = index;
  const moved = (offsets: Uint32Array, count: number): Uint32Array =>
    offsets.slice(0, count).map((offset) => offset - base);
  return {
    ...{ recordCount, fieldCount },
    recordFields: index.recordFields.slice(0, recordCount + 1),
    recordStarts: moved(index.recordStarts, recordCount),
    recordEnds: moved(index.recordEnds, recordCount),
    recordLines: index.recordLines.slice(0, recordCount),
    recordFlags: index.recordFlags.slice(0, recordCount),
    fieldStarts: moved(index.fieldStarts, fieldCount),
    fieldEnds: moved(index.fieldEnds, fieldCount),
  };
}
