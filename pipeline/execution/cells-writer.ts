import { OWN_CHUNK } from '../exchange/own-chunk.ts';
import { RecordFlag } from '../parsing/record-index.ts';
import type { Batch } from './batch.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import { VARINT_BYTES_MAX, writeVarint, type OutputBuffer } from './output-buffer.ts';
import { cellsOf } from './record-layout.ts';
import type { RecordPlace } from './record-source.ts';
import type { RecordWriter } from './record-writer.ts';
import { TextVector, type ValueVector, type Vector } from './vectors.ts';

const encoder = new TextEncoder();

/** Tells the place of a record of the source's batch at hand. */
export type PlaceOf = (record: number) => RecordPlace;

/** How a computed value is written, by its first byte. */
export const ValueTag = { null: 0, double: 1, exact: 2 } as const;

/**
 * Writes records for a later wave, cell by cell, so that it goes on as if they had never left: what
 * of the input it is, where that is told, see `writeOrigin`; the record's flags (a byte); the length of each field; the fields as they stand, with the input's
 * delimiter between them; and the computed cells: a text by its length plus one and its bytes, 0 for
 * NULL; a value by its tag and eight bytes, or length and digits where a double does not hold it.
 * Lengths have seven bits a byte, low bits first. `CellsSource` is the reader.
 */
export class CellsWriter implements RecordWriter {
  private readonly fields: readonly number[];
  private readonly vectors: readonly Vector[];
  private readonly delimiter: Uint8Array;
  private readonly word = new DataView(new ArrayBuffer(8));
  private readonly wordBytes = new Uint8Array(this.word.buffer);

  private readonly placeOf: PlaceOf | null;

  /** `placeOf` is that of the records at hand; null where nobody asks for their origins. */
  constructor(view: ColumnView, context: ChunkContext, placeOf: PlaceOf | null) {
    this.placeOf = placeOf;
    const { fieldSources, computedSources } = cellsOf(view);
    this.fields = fieldSources;
    this.vectors = computedSources.map((source) => view.vectors[source]!);
    this.delimiter = encoder.encode(context.dialect.delimiter);
  }

  begin(): void {
    // Nothing about a buffer as a whole matters here.
  }

  write(batch: Batch, out: OutputBuffer): void {
    const { selection, selectedCount } = batch;
    for (let i = 0; i < selectedCount; i++) this.writeRecord(batch, selection[i]!, out);
  }

  writeRecord(batch: Batch, record: number, out: OutputBuffer): void {
    if (this.placeOf !== null) {
      writeOrigin(this.placeOf(batch.origins?.[record] ?? record), out);
    }
    out.byte(batch.index.recordFlags[record]! & RecordFlag.irregular);
    this.writeFields(batch, record, out);
    for (let v = 0; v < this.vectors.length; v++) {
      const vector = this.vectors[v]!;
      if (vector instanceof TextVector) writeText(vector, record, out);
      else this.writeValue(vector, record, out);
    }
  }

  private writeFields({ bytes, index }: Batch, record: number, out: OutputBuffer): void {
    const { fields, delimiter } = this;
    const { fieldStarts, fieldEnds } = index;
    const first = index.recordFields[record]!;
    out.reserve(fields.length * VARINT_BYTES_MAX);
    let areNeighbours = true;
    for (let f = 0; f < fields.length; f++) {
      const field = first + fields[f]!;
      const start = fieldStarts[field]!;
      writeVarint(fieldEnds[field]! - start, out);
      if (f === 0) continue;
      const before = first + fields[f - 1]!;
      areNeighbours &&= field === before + 1 && start === fieldEnds[before]! + delimiter.length;
    }
    if (areNeighbours && fields.length > 0) {
      const last = first + fields[fields.length - 1]!;
      out.copy(bytes, fieldStarts[first + fields[0]!]!, fieldEnds[last]!);
      return;
    }
    for (let f = 0; f < fields.length; f++) {
      if (f > 0) out.copy(delimiter, 0, delimiter.length);
      const field = first + fields[f]!;
      out.copy(bytes, fieldStarts[field]!, fieldEnds[field]!);
    }
  }

  private writeValue(vector: ValueVector, record: number, out: OutputBuffer): void {
    if (vector.valid[record] === 0) {
      out.byte(ValueTag.null);
      return;
    }
    const exact = vector.exact.size > 0 ? vector.exact.get(record) : undefined;
    if (exact === undefined) {
      out.byte(ValueTag.double);
      this.word.setFloat64(0, vector.values[record]!, true);
      out.copy(this.wordBytes, 0, 8);
      return;
    }
    const digits = encoder.encode(String(exact));
    out.byte(ValueTag.exact);
    out.varint(digits.length);
    out.copy(digits, 0, digits.length);
  }
}

/** The chunk, see `OWN_CHUNK`; record, line and first byte in it, from 0; and the record's length. */
function writeOrigin(place: RecordPlace, out: OutputBuffer): void {
  const { origin } = place;
  out.reserve(5 * VARINT_BYTES_MAX);
  writeVarint(origin === undefined ? OWN_CHUNK : origin.chunk + 1, out);
  writeVarint(origin?.record ?? place.record, out);
  writeVarint(origin?.line ?? place.line, out);
  writeVarint(origin?.byteOffset ?? place.rawStart, out);
  writeVarint(origin?.bytes ?? place.rawEnd - place.rawStart, out);
}

function writeText(vector: TextVector, record: number, out: OutputBuffer): void {
  if (vector.valid[record] === 0) {
    out.byte(0);
    return;
  }
  const start = vector.starts[record]!;
  const end = vector.ends[record]!;
  out.varint(end - start + 1);
  out.copy(vector.bytesOf(record), start, end);
}
