import type { Dialect } from '../parsing/dialect.ts';
import { fieldText } from '../parsing/field.ts';
import type { RecordIndex } from '../parsing/record-index.ts';
import type { Column } from '../protocol/job.ts';
import { FieldSlice } from '../values/field-slice.ts';
import { NullTexts } from '../values/null-texts.ts';
import { ValueKind, valueKind } from '../values/value-kind.ts';
import { cellShape } from './cell-shape.ts';
import { numberedColumnNames, uniqueColumnNames } from './column-names.ts';
import { KindCounts } from './column-types.ts';
import { fieldCountOf, usualFieldCount } from './delimiter.ts';
import { looksLikeHeader, type SampleCell } from './header.ts';
import type { ReadOptions } from './read-options.ts';

/** Columns and first records of a sample whose dialect is known. */
export interface Table {
  readonly dialect: Dialect;
  readonly columns: Column[];
  readonly dataOffset: number;
  readonly dataLine: number;
  readonly records: (string | null)[][];
  readonly warnings: string[];
}

const PREVIEW_RECORDS = 20;
/** Records below the first that a header is judged by. */
const HEADER_EVIDENCE_RECORDS = 100;

/** Reads the table that begins at record `first`. */
export function describeTable(
  bytes: Uint8Array,
  index: RecordIndex,
  first: number,
  dialect: Dialect,
  options: ReadOptions,
): Table {
  if (index.recordCount === 0) return emptyTable(bytes, dialect);
  const header =
    options.header === 'auto' ? inferHeader(bytes, index, first, dialect, options) : options.header;
  const data = header ? first + 1 : first;
  const warnings: string[] = [];
  const names = header
    ? uniqueColumnNames(fittingNames(bytes, index, first, dialect, warnings))
    : headerlessNames(widthFrom(index, first), options);
  const types = columnTypes(bytes, index, data, dialect, options, names.length);
  const isData = data < index.recordCount;
  const columns = names.map((name, column) => {
    const stated = options.fields?.find((field) => field.name === name)?.type;
    return { name, type: stated ?? types.typeOf(column) };
  });
  const unfit = unfitRecords(index, data, names.length);
  if (unfit * 2 > index.recordCount - data) {
    warnings.push(
      `Most records of the sample do not have the ${names.length} columns of the first and will be ` +
        'rejected. Look at read.delim, read.skip and read.header; read.null_padding: true fills short records.',
    );
  }
  return {
    dialect: { ...dialect, header },
    columns,
    dataOffset: isData ? index.recordStarts[data]! : endOf(bytes, index),
    dataLine: isData ? index.recordLines[data]! : lineAfter(index),
    records: previewRecords(bytes, index, data, dialect, options),
    warnings,
  };
}

function emptyTable(bytes: Uint8Array, dialect: Dialect): Table {
  const place = { dataOffset: 0, dataLine: 0 };
  const isBlank = bytes.every((byte) => byte === 10 || byte === 13);
  const columns: Column[] = isBlank ? [] : [{ name: 'column0', type: 'string' }];
  return { dialect: { ...dialect, header: false }, columns, ...place, records: [], warnings: [] };
}

function inferHeader(
  bytes: Uint8Array,
  index: RecordIndex,
  first: number,
  dialect: Dialect,
  options: ReadOptions,
): boolean {
  const names = texts(bytes, index, first, dialect);
  const stated = options.fields ?? [];
  if (stated.length > 0 && stated.every((field) => names.includes(field.name))) return true;
  const last = Math.min(index.recordCount, first + 1 + HEADER_EVIDENCE_RECORDS);
  const below: SampleCell[][] = [];
  for (let record = first + 1; record < last; record++) {
    below.push(sampleCells(bytes, index, record, dialect));
  }
  return looksLikeHeader(sampleCells(bytes, index, first, dialect), below);
}

function sampleCells(
  bytes: Uint8Array,
  index: RecordIndex,
  record: number,
  dialect: Dialect,
): SampleCell[] {
  const slice = new FieldSlice(dialect);
  return texts(bytes, index, record, dialect).map((text, column) => {
    const field = index.recordFields[record]! + column;
    slice.point(bytes, index.fieldStarts[field]!, index.fieldEnds[field]!);
    return { text, shape: cellShape(slice.bytes, slice.start, slice.end) };
  });
}

function columnTypes(
  bytes: Uint8Array,
  index: RecordIndex,
  data: number,
  dialect: Dialect,
  options: ReadOptions,
  columnCount: number,
): KindCounts {
  const kinds = new KindCounts(columnCount);
  const nulls = new NullTexts(options.nullstr, false);
  const slice = new FieldSlice(dialect);
  for (let record = data; record < index.recordCount; record++) {
    const firstField = index.recordFields[record]!;
    const fieldCount = Math.min(columnCount, index.recordFields[record + 1]! - firstField);
    for (let column = 0; column < fieldCount; column++) {
      const field = firstField + column;
      const [start, end] = [index.fieldStarts[field]!, index.fieldEnds[field]!];
      const isNull = nulls.pointAt(slice, bytes, start, end);
      const kind = isNull ? ValueKind.empty : valueKind(slice.bytes, slice.start, slice.end);
      kinds.add(column, kind);
    }
  }
  return kinds;
}

function previewRecords(
  bytes: Uint8Array,
  index: RecordIndex,
  data: number,
  dialect: Dialect,
  options: ReadOptions,
): (string | null)[][] {
  const nulls = new Set(options.nullstr);
  const records: (string | null)[][] = [];
  const last = Math.min(index.recordCount, data + PREVIEW_RECORDS);
  for (let record = data; record < last; record++) {
    const cells = texts(bytes, index, record, dialect);
    records.push(cells.map((text) => (nulls.has(text) ? null : text)));
  }
  return records;
}

/**
 * The names of the first record, made to fit where no record below has as many fields and nearly all
 * agree on another count: they end in a delimiter, or the header does, or the header does not name
 * the first column, which holds the names of the records (as R writes tables).
 */
function fittingNames(
  bytes: Uint8Array,
  index: RecordIndex,
  first: number,
  dialect: Dialect,
  warnings: string[],
): string[] {
  const names = texts(bytes, index, first, dialect);
  const data = first + 1;
  const width = widthFrom(index, data);
  if (data >= index.recordCount || width === names.length || width < 2) return names;
  if (unfitRecords(index, data, width) * 10 > index.recordCount - data) return names;
  for (let record = data; record < index.recordCount; record++) {
    if (fieldCountOf(index, record) === names.length) return names;
  }
  if (width < names.length) {
    if (names.slice(width).some((name) => name !== '')) return names;
    warnings.push('The header ends in delimiters that the records do not have.');
    return names.slice(0, width);
  }
  const extra = width - names.length;
  const isOpenEnded = hasEmptyEnds(index, data, names.length, width);
  if (!isOpenEnded && extra > 1) return names;
  warnings.push(
    isOpenEnded
      ? 'The records end in a delimiter that the header does not have: an empty column behind it.'
      : 'The header has one name less than the records have fields: the first column has none.',
  );
  const nameless = Array.from({ length: extra }, () => '');
  return isOpenEnded ? [...names, ...nameless] : [...nameless, ...names];
}

/** Whether the fields from `from` to `width` are empty in all records of that width. */
function hasEmptyEnds(index: RecordIndex, data: number, from: number, width: number): boolean {
  for (let record = data; record < index.recordCount; record++) {
    if (fieldCountOf(index, record) !== width) continue;
    for (let column = from; column < width; column++) {
      const field = index.recordFields[record]! + column;
      if (index.fieldEnds[field]! > index.fieldStarts[field]!) return false;
    }
  }
  return true;
}

/** Stated names where there are enough of them, else numbered ones. */
function headerlessNames(count: number, options: ReadOptions): string[] {
  const stated = options.fields ?? [];
  const isForAll = options.header === false && stated.length === count;
  return isForAll
    ? uniqueColumnNames(stated.map((field) => field.name))
    : numberedColumnNames(count);
}

/** The usual field count of the records from `first` on, or that of the only one. */
function widthFrom(index: RecordIndex, first: number): number {
  const frequency = new Map<number, number>();
  let usual = first < index.recordCount ? fieldCountOf(index, first) : usualFieldCount(index);
  for (let record = first; record < index.recordCount; record++) {
    const count = fieldCountOf(index, record);
    const times = (frequency.get(count) ?? 0) + 1;
    frequency.set(count, times);
    if (times > (frequency.get(usual) ?? 0)) usual = count;
  }
  return usual;
}

function unfitRecords(index: RecordIndex, first: number, columnCount: number): number {
  let unfit = 0;
  for (let record = first; record < index.recordCount; record++) {
    if (fieldCountOf(index, record) !== columnCount) unfit++;
  }
  return unfit;
}

function texts(bytes: Uint8Array, index: RecordIndex, record: number, dialect: Dialect): string[] {
  const cells: string[] = [];
  for (let field = index.recordFields[record]!; field < index.recordFields[record + 1]!; field++) {
    cells.push(fieldText(bytes, index.fieldStarts[field]!, index.fieldEnds[field]!, dialect));
  }
  return cells;
}

/** Offset behind the last record's line end. */
function endOf(bytes: Uint8Array, index: RecordIndex): number {
  let end = index.recordEnds[index.recordCount - 1]!;
  if (bytes[end] === 13) end++;
  if (
    bytes[end] === 10 &&
    (bytes[end - 1] === 13 || end === index.recordEnds[index.recordCount - 1])
  )
    end++;
  return end;
}

function lineAfter(index: RecordIndex): number {
  return index.recordLines[index.recordCount - 1]! + 1;
}
