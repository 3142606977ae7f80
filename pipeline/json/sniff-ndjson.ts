import { KindCounts } from '../dialect/column-types.ts';
import type { ReadOptions } from '../dialect/read-options.ts';
import type { Sniffed } from '../dialect/sniffed.ts';
import { SluiceError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { RFC_4180 } from '../parsing/dialect.ts';
import { fieldText } from '../parsing/field.ts';
import { createRecordIndex, type RecordIndex } from '../parsing/record-index.ts';
import type { Column } from '../protocol/job.ts';
import { ValueKind, valueKind } from '../values/value-kind.ts';
import { JsonLines } from './json-lines.ts';
import { readNdjson } from './ndjson-reader.ts';
import { decodeString } from './string-decoder.ts';
import { scanMemberKey, scanValue, skipBlanks } from './value-scanner.ts';

const PREVIEW_RECORDS = 20;
const LF = 10;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;

/**
 * Columns and types of NDJSON: the keys of the sample's objects in order of first appearance.
 * A JSON string is a string even when it looks like a number; nested values are JSON text.
 */
export function sniffNdjson(sample: Uint8Array, complete: boolean, options: ReadOptions): Sniffed {
  const isEmpty = sample.length === 0 && complete;
  // A document such as [] is no empty input.
  if (isEmpty && options.format !== 'json')
    throw new SluiceError('empty-input', 'The input has no bytes');
  const text = complete ? sample : sample.subarray(0, sample.lastIndexOf(LF) + 1);
  if (text.length === 0 && sample.length >= LIMITS.sniffBytesMax) throw firstRecordTooLong(sample);
  const columns = columnsOf(text, options);
  const names = columns.map((column) => column.name);
  const isStated = new Set((options.fields ?? []).map((field) => field.name));
  const warnings: string[] = [];
  if (isEmpty) warnings.push('The document holds no records.');
  else if (columns.length === 0)
    warnings.push('No object with a key was found in the sample; each record has to be one.');
  const missing = [...isStated].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    warnings.push(`Columns of the schema that the sample does not have: ${missing.join(', ')}.`);
  }
  const { delimiter, quote, escape, newline, comment } = RFC_4180;
  const layout = { delimiter, quote, escape, newline, comment, header: false, skip: 0 };
  return {
    input: { format: 'ndjson', encoding: 'utf-8', compression: 'none', ...layout, columns },
    dialect: { ...RFC_4180, header: false },
    dataOffset: 0,
    dataLine: 0,
    records: previewRecords(text, names),
    warnings,
  };
}

/** The same for one JSON document, as far as the sample goes. Offsets are those of its NDJSON. */
export function sniffJsonDocument(
  sample: Uint8Array,
  complete: boolean,
  options: ReadOptions,
): Sniffed {
  const lines = new JsonLines();
  lines.push(sample);
  if (complete) lines.finish();
  const text = lines.take();
  const sniffed = sniffNdjson(text, complete && text.length > 0, options);
  return {
    ...sniffed,
    input: { ...sniffed.input, format: 'json' },
    warnings: [...lines.warnings, ...sniffed.warnings],
  };
}

interface FoundColumns {
  readonly positions: Map<string, number>;
  readonly kinds: { column: number; kind: ValueKind }[];
}

function columnsOf(text: Uint8Array, options: ReadOptions): Column[] {
  const found: FoundColumns = { positions: new Map(), kinds: [] };
  let records = 0;
  for (let at = 0; at < text.length && records < LIMITS.sniffRecordsMax; records++) {
    const lineEnd = text.indexOf(LF, at);
    const end = lineEnd < 0 ? text.length : lineEnd;
    const start = skipBlanks(text, at, end);
    const isObject = start < end && text[start] === OPEN_BRACE && scanValue(text, start, end) >= 0;
    if (isObject) findMembers(text, start, end, found);
    at = end + 1;
  }
  const names = [...found.positions.keys()];
  if (names.length > LIMITS.columnCountMax) {
    const message = `The objects have more than ${LIMITS.columnCountMax} keys`;
    throw new SluiceError('limit-exceeded', message, { details: { limit: 'columnCountMax' } });
  }
  const counts = new KindCounts(names.length);
  for (const { column, kind } of found.kinds) counts.add(column, kind);
  return names.map((name, column) => {
    const stated = options.fields?.find((field) => field.name === name)?.type;
    return { name, type: stated ?? counts.typeOf(column) };
  });
}

/** Walks the members of a valid object. */
function findMembers(text: Uint8Array, start: number, end: number, found: FoundColumns): void {
  let at = skipBlanks(text, start + 1, end);
  while (text[at] === QUOTE) {
    const valueStart = scanMemberKey(text, at, end);
    const valueEnd = scanValue(text, valueStart, end);
    const name = decodeString(text, at, end);
    if (name !== null) {
      const { positions, kinds } = found;
      const column = positions.get(name) ?? positions.size;
      positions.set(name, column);
      kinds.push({ column, kind: jsonKind(text, valueStart, valueEnd) });
    }
    at = skipBlanks(text, valueEnd, end);
    if (text[at] !== 0x2c) return;
    at = skipBlanks(text, at + 1, end);
  }
}

function jsonKind(text: Uint8Array, start: number, end: number): ValueKind {
  const first = text[start]!;
  if (first === QUOTE || first === OPEN_BRACE || first === 0x5b) return ValueKind.string;
  if (first === 0x6e) return ValueKind.empty;
  return valueKind(text, start, end);
}

function previewRecords(text: Uint8Array, names: readonly string[]): (string | null)[][] {
  let end = 0;
  for (let line = 0; line < PREVIEW_RECORDS * 2 && end < text.length; line++) {
    const found = text.indexOf(LF, end);
    end = found < 0 ? text.length : found + 1;
  }
  const index = createRecordIndex(PREVIEW_RECORDS * 2, 256);
  const batch = readNdjson(text.subarray(0, end), names, index);
  const count = Math.min(PREVIEW_RECORDS, index.recordCount);
  return Array.from({ length: count }, (_, record) => recordCells(batch.bytes, index, record));
}

function recordCells(bytes: Uint8Array, index: RecordIndex, record: number): (string | null)[] {
  const cells: (string | null)[] = [];
  for (let field = index.recordFields[record]!; field < index.recordFields[record + 1]!; field++) {
    const start = index.fieldStarts[field]!;
    const end = index.fieldEnds[field]!;
    cells.push(start === end ? null : fieldText(bytes, start, end, RFC_4180));
  }
  return cells;
}

function firstRecordTooLong(sample: Uint8Array): SluiceError {
  const message = `The first record has no end within ${sample.length} bytes`;
  return new SluiceError('limit-exceeded', message, {
    details: { limit: 'sniffBytesMax', max: LIMITS.sniffBytesMax, line: 1 },
  });
}
