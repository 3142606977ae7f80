/**
 * Structure of a run of records: where records and fields are in a byte buffer. Offsets are bytes
 * from the buffer's start; ranges are half-open. The scalar tokenizer and the SIMD kernel fill the
 * same arrays; operators read nothing else.
 *
 * Field `f` of record `r` is `recordFields[r] + f`, and its raw bytes, quotes included, are
 * `[fieldStarts[i], fieldEnds[i])`. Arrays are reused between calls and only valid up to the counts.
 */
export interface RecordIndex {
  recordCount: number;
  fieldCount: number;
  /** recordCount + 1 entries: index of a record's first field. */
  recordFields: Uint32Array;
  /** First byte of the record. */
  recordStarts: Uint32Array;
  /** One past the record's last byte, its line end excluded. */
  recordEnds: Uint32Array;
  /** Line of the record's first byte, counted from 0 at the buffer's start. */
  recordLines: Uint32Array;
  /** `RecordFlag` bits. */
  recordFlags: Uint8Array;
  fieldStarts: Uint32Array;
  fieldEnds: Uint32Array;
}

export const RecordFlag = {
  /** A field cannot be copied as it stands into RFC 4180: a quote inside an unquoted field,
   *  or text after a closing quote. Readable; must be re-encoded on output. */
  irregular: 1,
  /** A quote was opened and never closed before the input's end. Not readable. */
  unterminated: 2,
  /** Bytes that are not UTF-8. Not readable. */
  invalidUtf8: 4,
} as const;
