import { scalarText } from '../aggregation/scalar-text.ts';
import { invariant } from '../errors.ts';
import type { ColumnType } from '../protocol/job.ts';
import { FieldSlice } from '../values/field-slice.ts';
import { NullTexts } from '../values/null-texts.ts';
import type { Batch } from './batch.ts';
import type { ColumnView } from './column-view.ts';
import { tellsEmpty, type ChunkContext } from './context.ts';
import { TextVector, type ValueVector, type Vector } from './vectors.ts';

const encoder = new TextEncoder();

/**
 * Reads one column's cells as text, be it a field or computed: the unquoted text in `slice`, and
 * whether it is NULL.
 */
export class CellReader {
  readonly slice: FieldSlice;
  readonly vector: Vector | null;
  private readonly source: number;
  private readonly type: ColumnType;
  private readonly nulls: NullTexts;
  private readonly scratch = new Uint8Array(64);

  constructor(view: ColumnView, source: number, context: ChunkContext) {
    const column = view.inputs[source];
    invariant(column !== undefined, 'a source is a field or a computed column');
    this.slice = new FieldSlice(context.dialect);
    this.vector = view.vectors[source] ?? null;
    this.source = source;
    this.type = column.type;
    this.nulls = new NullTexts(context.nullstr, tellsEmpty(context));
  }

  /** Points `slice` at the record's cell; true when it is NULL. */
  isNull(batch: Batch, record: number): boolean {
    const { vector } = this;
    if (vector !== null) return this.pointAtValue(vector, record);
    const { index } = batch;
    const field = index.recordFields[record]! + this.source;
    return this.isNullField(batch.bytes, index.fieldStarts[field]!, index.fieldEnds[field]!);
  }

  /** The same for a field whose raw bytes are `bytes[start, end)`. */
  isNullField(bytes: Uint8Array, start: number, end: number): boolean {
    return this.nulls.pointAt(this.slice, bytes, start, end);
  }

  private pointAtValue(vector: Vector, record: number): boolean {
    const { slice } = this;
    slice.start = 0;
    slice.end = 0;
    if (vector.valid[record] === 0) return true;
    if (vector instanceof TextVector) {
      slice.bytes = vector.bytesOf(record);
      slice.start = vector.starts[record]!;
      slice.end = vector.ends[record]!;
    } else {
      slice.bytes = this.scratch;
      slice.end = encoder.encodeInto(valueText(vector, record, this.type), this.scratch).written;
    }
    return false;
  }
}

/** Canonical text of a value that is not NULL. */
export function valueText(vector: ValueVector, record: number, type: ColumnType): string {
  const exact = type !== 'number' && vector.exact.size > 0 ? vector.exact.get(record) : undefined;
  const value = exact ?? vector.values[record]!;
  return scalarText(type === 'date' ? Number(value) / DAY_MICROS : value, type);
}

const DAY_MICROS = 86_400_000_000;
