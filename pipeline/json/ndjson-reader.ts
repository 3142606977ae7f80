import { isUtf8 } from 'node:buffer';
import {
  appendField,
  appendRecord,
  clearRecordIndex,
  type RecordIndex,
} from '../parsing/record-index.ts';
import { FieldBuffer } from './field-buffer.ts';
import { decodeString } from './string-decoder.ts';
import { scanMemberKey, scanString, scanValue, skipBlanks } from './value-scanner.ts';

/** A line that is no record of the table. */
export interface NdjsonFault {
  /** Ordinal among the chunk's lines that are not blank, from 0. */
  readonly record: number;
  /** Line in the chunk, from 0. */
  readonly line: number;
  /** Frictionless code: 'source-error', 'type-error', 'extra-cell', 'encoding-error'. */
  readonly code: string;
  readonly message: string;
  /** The line in the chunk, its line end excluded. */
  readonly rawStart: number;
  readonly rawEnd: number;
}

/** Records as RFC 4180 fields over `bytes`, and where each came from. */
export interface NdjsonBatch {
  readonly bytes: Uint8Array;
  readonly faults: readonly NdjsonFault[];
  /** Per record of the index: ordinal among the chunk's lines that are not blank. */
  readonly recordNumbers: Uint32Array;
  /** Per record of the index: its line in the chunk, line end excluded. */
  readonly rawStarts: Uint32Array;
  readonly rawEnds: Uint32Array;
  /** Lines that are not blank: records and faults. */
  readonly lineCount: number;
}

const LF = 10;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;

/**
 * Reads NDJSON lines into delimited fields, in the order of `columns`, and fills `index` over them
 * (dialect RFC_4180; `recordLines` are lines of the chunk). Null and missing keys become empty
 * unquoted fields, an empty string `""`, nested values their JSON text. A line that is not an
 * object, has a key that is no column or the same key twice, or is not UTF-8, is a fault. Strings of
 * the columns at the positions `quoted` are quoted fields, so that they are told from numbers.
 */
export function readNdjson(
  bytes: Uint8Array,
  columns: readonly string[],
  index: RecordIndex,
  quoted: readonly number[] = [],
): NdjsonBatch {
  return new NdjsonReader(bytes, columns, index, quoted).read();
}

class NdjsonReader {
  readonly #bytes: Uint8Array;
  readonly #index: RecordIndex;
  readonly #columns: readonly string[];
  readonly #positions: Map<string, number>;
  /** UTF-8 of each column's key as it stands in JSON when it needs no escape. */
  readonly #keys: readonly Uint8Array[];
  readonly #valueStarts: Int32Array;
  readonly #valueEnds: Int32Array;
  readonly #faults: NdjsonFault[] = [];
  readonly #numbers: number[] = [];
  readonly #rawStarts: number[] = [];
  readonly #rawEnds: number[] = [];
  /** By column: 1 where strings are quoted. */
  readonly #quoted: Uint8Array;
  readonly #out: FieldBuffer;
  readonly #isValid: boolean;
  #record = 0;
  #line = 0;

  constructor(
    bytes: Uint8Array,
    columns: readonly string[],
    index: RecordIndex,
    quoted: readonly number[],
  ) {
    this.#bytes = bytes;
    this.#index = index;
    this.#columns = columns;
    this.#positions = new Map(columns.map((name, position) => [name, position]));
    this.#keys = columns.map((name) => new TextEncoder().encode(name));
    this.#valueStarts = new Int32Array(columns.length);
    this.#valueEnds = new Int32Array(columns.length);
    this.#quoted = new Uint8Array(columns.length);
    for (const column of quoted) this.#quoted[column] = 1;
    this.#out = new FieldBuffer(bytes.length + 1024);
    this.#isValid = isUtf8(bytes);
  }

  read(): NdjsonBatch {
    const bytes = this.#bytes;
    clearRecordIndex(this.#index);
    for (let at = 0; at < bytes.length; this.#line++) {
      const found = bytes.indexOf(LF, at);
      const next = found < 0 ? bytes.length : found;
      const end = next > at && bytes[next - 1] === 13 ? next - 1 : next;
      const start = skipBlanks(bytes, at, end);
      if (start < end) {
        this.#readLine(at, start, end);
        this.#record++;
      }
      at = next + 1;
    }
    return {
      bytes: this.#out.bytes(),
      faults: this.#faults,
      recordNumbers: Uint32Array.from(this.#numbers),
      rawStarts: Uint32Array.from(this.#rawStarts),
      rawEnds: Uint32Array.from(this.#rawEnds),
      lineCount: this.#record,
    };
  }

  #readLine(rawStart: number, start: number, end: number): void {
    const fault = this.#locateValues(rawStart, start, end) ?? this.#writeRecord(end - start);
    if (fault !== null) {
      const { code, message } = fault;
      const place = { record: this.#record, line: this.#line, rawStart, rawEnd: end };
      this.#faults.push({ ...place, code, message });
      return;
    }
    this.#numbers.push(this.#record);
    this.#rawStarts.push(rawStart);
    this.#rawEnds.push(end);
  }

  /** Finds each column's value in the object. */
  #locateValues(rawStart: number, start: number, end: number): LineFault | null {
    const bytes = this.#bytes;
    if (!this.#isValid && !isUtf8(bytes.subarray(rawStart, end))) return NOT_UTF8;
    if (bytes[start] !== OPEN_BRACE) return notAnObject(bytes, start, end);
    this.#valueStarts.fill(-1);
    let at = skipBlanks(bytes, start + 1, end);
    if (at < end && bytes[at] === CLOSE_BRACE) return trailing(bytes, at + 1, start, end);
    let expected = 0;
    for (;;) {
      const keyStart = at;
      at = scanMemberKey(bytes, keyStart, end);
      if (at < 0) return notJson(at, start);
      const column = this.#columnOf(keyStart, end, expected);
      const valueStart = at;
      at = scanValue(bytes, valueStart, end);
      if (at < 0) return notJson(at, start);
      if (column < 0) return unknownKey(bytes, keyStart, end);
      if (this.#valueStarts[column]! >= 0) return repeatedKey(this.#columns[column]!);
      this.#valueStarts[column] = valueStart;
      this.#valueEnds[column] = at;
      expected = column + 1;
      at = skipBlanks(bytes, at, end);
      if (at >= end) return notJson(-1 - end, start);
      if (bytes[at] === CLOSE_BRACE) return trailing(bytes, at + 1, start, end);
      if (bytes[at] !== COMMA) return notJson(-1 - at, start);
      at = skipBlanks(bytes, at + 1, end);
    }
  }

  /** Column of the key at `keyStart`; the expected one is compared as bytes first. */
  #columnOf(keyStart: number, end: number, expected: number): number {
    const bytes = this.#bytes;
    const key = this.#keys[expected];
    if (key !== undefined && bytes[keyStart + 1 + key.length] === 0x22) {
      let i = 0;
      while (i < key.length && key[i] === bytes[keyStart + 1 + i] && key[i] !== 0x5c) i++;
      if (i === key.length) return expected;
    }
    const name = decodeString(bytes, keyStart, end);
    return name === null ? -1 : (this.#positions.get(name) ?? -1);
  }

  #writeRecord(lineBytes: number): LineFault | null {
    const out = this.#out;
    const index = this.#index;
    out.reserve(lineBytes * 2 + this.#columns.length * 3 + 2);
    const recordStart = out.length;
    const fieldCount = index.fieldCount;
    for (let column = 0; column < this.#columns.length; column++) {
      if (column > 0) out.byte(COMMA);
      const fieldStart = out.length;
      const valueStart = this.#valueStarts[column]!;
      const isQuoted = this.#quoted[column] === 1;
      const valueEnd = this.#valueEnds[column]!;
      if (valueStart >= 0 && !out.value(this.#bytes, valueStart, valueEnd, isQuoted)) {
        out.length = recordStart;
        index.fieldCount = fieldCount;
        return loneSurrogate(this.#columns[column]!);
      }
      appendField(index, fieldStart, out.length);
    }
    appendRecord(index, recordStart, out.length, this.#line, 0);
    out.byte(LF);
    return null;
  }
}

interface LineFault {
  readonly code: string;
  readonly message: string;
}

const NOT_UTF8: LineFault = { code: 'encoding-error', message: 'The line is not UTF-8' };

function notJson(scanned: number, start: number): LineFault {
  const position = -1 - scanned - start + 1;
  return { code: 'source-error', message: `The line is not JSON at its byte ${position}` };
}

function notAnObject(bytes: Uint8Array, start: number, end: number): LineFault {
  const scanned = scanValue(bytes, start, end);
  if (scanned < 0) return notJson(scanned, start);
  const rest = skipBlanks(bytes, scanned, end);
  if (rest < end) return notJson(-1 - rest, start);
  return { code: 'type-error', message: 'The line is JSON, but not an object' };
}

function trailing(bytes: Uint8Array, at: number, start: number, end: number): LineFault | null {
  const rest = skipBlanks(bytes, at, end);
  return rest < end ? notJson(-1 - rest, start) : null;
}

function unknownKey(bytes: Uint8Array, keyStart: number, end: number): LineFault {
  const raw = Buffer.from(bytes.subarray(keyStart, scanString(bytes, keyStart, end)));
  return {
    code: 'extra-cell',
    message: `Key ${raw.toString('utf8')} is not a column: no object of the sample has it`,
  };
}

function repeatedKey(name: string): LineFault {
  return { code: 'source-error', message: `Key ${JSON.stringify(name)} occurs twice` };
}

function loneSurrogate(name: string): LineFault {
  const message = `The text of ${JSON.stringify(name)} has half of a surrogate pair`;
  return { code: 'encoding-error', message };
}
