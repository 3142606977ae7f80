import { FieldSlice } from '../values/field-slice.ts';
import { NullTexts } from '../values/null-texts.ts';
import type { ChunkContext } from './context.ts';

/**
 * Reads one field: its unquoted text in `slice`, and whether it is NULL. In delimited text NULL is
 * what `nullstr` says, quoted or not; records that came from JSON have an empty field for NULL, and
 * a quoted one for the empty string.
 */
export class FieldReader {
  readonly slice: FieldSlice;
  private readonly nulls: NullTexts;
  private readonly isJson: boolean;

  constructor(context: ChunkContext) {
    this.slice = new FieldSlice(context.dialect);
    this.nulls = new NullTexts(context.nullstr);
    this.isJson = context.format === 'ndjson';
  }

  /** Points `slice` at the field whose raw bytes are `bytes[start, end)`; true when it is NULL. */
  isNull(bytes: Uint8Array, start: number, end: number): boolean {
    const { slice } = this;
    slice.point(bytes, start, end);
    if (this.isJson) return start === end;
    return this.nulls.isNull(slice.bytes, slice.start, slice.end);
  }
}
