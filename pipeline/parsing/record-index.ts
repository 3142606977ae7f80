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
  /** Line of the record's first byte, counted from 0 at the buffer's start. Where records come in
   *  batches they are filled on demand: ask the batch's source. */
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

/** An empty index. Its arrays double when they are full. */
export function createRecordIndex(recordCapacity = 1024, fieldCapacity = 16_384): RecordIndex {
  return {
    recordCount: 0,
    fieldCount: 0,
    recordFields: new Uint32Array(recordCapacity + 1),
    recordStarts: new Uint32Array(recordCapacity),
    recordEnds: new Uint32Array(recordCapacity),
    recordLines: new Uint32Array(recordCapacity),
    recordFlags: new Uint8Array(recordCapacity),
    fieldStarts: new Uint32Array(fieldCapacity),
    fieldEnds: new Uint32Array(fieldCapacity),
  };
}

/** Forgets the records; keeps the arrays. */
export function clearRecordIndex(index: RecordIndex): void {
  index.recordCount = 0;
  index.fieldCount = 0;
  index.recordFields[0] = 0;
}

/** Adds a field to the record being read. */
export function appendField(index: RecordIndex, start: number, end: number): void {
  const field = index.fieldCount++;
  if (field === index.fieldStarts.length) growFields(index);
  index.fieldStarts[field] = start;
  index.fieldEnds[field] = end;
}

/** Ends the record being read: the fields since the record before it are its fields. */
export function appendRecord(
  index: RecordIndex,
  start: number,
  end: number,
  line: number,
  flags: number,
): void {
  const record = index.recordCount++;
  if (record === index.recordStarts.length) growRecords(index);
  index.recordStarts[record] = start;
  index.recordEnds[record] = end;
  index.recordLines[record] = line;
  index.recordFlags[record] = flags;
  index.recordFields[record + 1] = index.fieldCount;
}

/** Doubles the fields' arrays. */
export function growFields(index: RecordIndex): void {
  const capacity = index.fieldStarts.length * 2;
  index.fieldStarts = grown(index.fieldStarts, capacity);
  index.fieldEnds = grown(index.fieldEnds, capacity);
}

function growRecords(index: RecordIndex): void {
  const capacity = index.recordStarts.length * 2;
  index.recordFields = grown(index.recordFields, capacity + 1);
  index.recordStarts = grown(index.recordStarts, capacity);
  index.recordEnds = grown(index.recordEnds, capacity);
  index.recordLines = grown(index.recordLines, capacity);
  const flags = new Uint8Array(capacity);
  flags.set(index.recordFlags);
  index.recordFlags = flags;
}

function grown(from: Uint32Array, capacity: number): Uint32Array {
  const to = new Uint32Array(capacity);
  to.set(from);
  return to;
}
