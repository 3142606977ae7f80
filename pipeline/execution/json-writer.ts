import type { ColumnType } from '../protocol/job.ts';
import { parseBoolean } from '../values/boolean.ts';
import type { FieldSlice } from '../values/field-slice.ts';
import type { Batch } from './batch.ts';
import { CellReader } from './cell-reader.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { OutputBuffer } from './output-buffer.ts';
import type { RecordWriter } from './record-writer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX = new TextEncoder().encode('0123456789abcdef');
const encoder = new TextEncoder();
const NULL = encoder.encode('null');
const TRUE = encoder.encode('true');
const FALSE = encoder.encode('false');

/**
 * Writes records as JSON objects: one a line (ndjson), or each led by `,` and a line end, for an
 * array (json). Numbers keep their digits; a number that JSON cannot spell, and whatever is not of
 * its column's type, is a string.
 */
export class JsonWriter implements RecordWriter {
  private readonly types: readonly ColumnType[];
  /** What stands before each value: `{"a":`, `,"b":`. */
  private readonly leads: readonly Uint8Array[];
  private readonly tail: Uint8Array;
  private readonly readers: readonly CellReader[];

  constructor(view: ColumnView, context: ChunkContext) {
    const isArray = context.write.format === 'json';
    this.types = view.columns.map((column) => column.type);
    this.leads = view.columns.map(({ name }, position) => {
      const open = isArray ? ',\n{' : '{';
      return encoder.encode(`${position === 0 ? open : ','}${JSON.stringify(name)}:`);
    });
    this.tail = encoder.encode(isArray ? '}' : '}\n');
    this.readers = view.sources.map((source) => new CellReader(view, source, context));
  }

  begin(): void {
    // Nothing about a buffer as a whole matters here.
  }

  write(batch: Batch, out: OutputBuffer): void {
    const { selection, selectedCount } = batch;
    for (let i = 0; i < selectedCount; i++) this.writeRecord(batch, selection[i]!, out);
  }

  writeRecord(batch: Batch, record: number, out: OutputBuffer): void {
    for (let c = 0; c < this.readers.length; c++) {
      const lead = this.leads[c]!;
      out.copy(lead, 0, lead.length);
      const reader = this.readers[c]!;
      if (reader.isNull(batch, record)) out.copy(NULL, 0, NULL.length);
      else writeValue(this.types[c]!, reader.slice, out);
    }
    out.copy(this.tail, 0, this.tail.length);
  }
}

function writeValue(type: ColumnType, { bytes, start, end }: FieldSlice, out: OutputBuffer): void {
  if (type === 'integer' || type === 'number') {
    if (isJsonNumber(bytes, start, end)) out.copy(bytes, start, end);
    else writeString(bytes, start, end, out);
  } else if (type === 'boolean') {
    const value = parseBoolean(bytes, start, end);
    if (value === null) writeString(bytes, start, end, out);
    else if (value) out.copy(TRUE, 0, TRUE.length);
    else out.copy(FALSE, 0, FALSE.length);
  } else {
    writeString(bytes, start, end, out);
  }
}

function writeString(bytes: Uint8Array, start: number, end: number, out: OutputBuffer): void {
  out.reserve(6 * (end - start) + 2);
  const target = out.bytes;
  let { position } = out;
  target[position++] = QUOTE;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE || byte === BACKSLASH) {
      target[position++] = BACKSLASH;
      target[position++] = byte;
    } else if (byte >= 0x20) {
      target[position++] = byte;
    } else {
      position = writeControl(target, position, byte);
    }
  }
  target[position++] = QUOTE;
  out.position = position;
}

/** By control byte, the letter of its short escape. */
const SHORT_ESCAPES = new Map([
  [0x08, 0x62],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0c, 0x66],
  [0x0d, 0x72],
]);

function writeControl(target: Uint8Array, from: number, byte: number): number {
  let position = from;
  target[position++] = BACKSLASH;
  const short = SHORT_ESCAPES.get(byte);
  if (short !== undefined) {
    target[position++] = short;
    return position;
  }
  target[position++] = 0x75;
  target[position++] = 0x30;
  target[position++] = 0x30;
  target[position++] = HEX[byte >> 4]!;
  target[position++] = HEX[byte & 15]!;
  return position;
}

/** RFC 8259 section 6. */
function isJsonNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  if (bytes[i] === 0x2d) i++;
  const whole = i;
  i = passDigits(bytes, i, end);
  if (i === whole || (bytes[whole] === 0x30 && i - whole > 1)) return false;
  if (i < end && bytes[i] === 0x2e) {
    const fraction = i + 1;
    i = passDigits(bytes, fraction, end);
    if (i === fraction) return false;
  }
  if (i < end && (bytes[i]! | 0x20) === 0x65) {
    i++;
    if (i < end && (bytes[i] === 0x2b || bytes[i] === 0x2d)) i++;
    const exponent = i;
    i = passDigits(bytes, exponent, end);
    if (i === exponent) return false;
  }
  return i === end;
}

function passDigits(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++;
  return i;
}
