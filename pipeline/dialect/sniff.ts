import { SluiceError } from '../errors.ts';
import { detectFormat } from '../json/format.ts';
import { sniffJsonDocument, sniffNdjson } from '../json/sniff-ndjson.ts';
import { LIMITS } from '../limits.ts';
import type { Dialect } from '../parsing/dialect.ts';
import { createRecordIndex, type RecordIndex } from '../parsing/record-index.ts';
import { Tokenizer } from '../parsing/tokenizer.ts';
import type { Column, InputDescription } from '../protocol/job.ts';
import { skipLines } from '../parsing/syntax.ts';
import { detectQuoting, fieldCountOf } from './delimiter.ts';
import { hasHashComments, preambleRecords } from './preamble.ts';
import type { ReadOptions } from './read-options.ts';
import type { Sniffed } from './sniffed.ts';
import { describeTable, type Table } from './table.ts';

export type { ReadOptions, StatedField } from './read-options.ts';
export type { Sniffed } from './sniffed.ts';

const SEPARATOR_LINE_BYTES_MAX = 8;

/**
 * Finds format, dialect, header and column types in the first bytes of an input, decoded to UTF-8
 * without byte-order mark. `complete` says that they are all of it. What the options state is not
 * questioned. Errors: `empty-input`, `limit-exceeded`, `input-malformed` (JSON).
 */
export function sniffInput(sample: Uint8Array, complete: boolean, options: ReadOptions): Sniffed {
  if (sample.length === 0 && complete)
    throw new SluiceError('empty-input', 'The input has no bytes');
  const format = options.format === 'auto' ? detectFormat(sample, complete) : options.format;
  if (format === 'ndjson') return sniffNdjson(sample, complete, options);
  if (format === 'json') return sniffJsonDocument(sample, complete, options);
  return sniffDelimited(sample, complete, options);
}

function sniffDelimited(sample: Uint8Array, complete: boolean, options: ReadOptions): Sniffed {
  const warnings: string[] = [];
  let start = statedSkip(sample, complete, options);
  let skip = options.skip;
  const separator = options.skip === 0 ? separatorLine(sample) : null;
  if (separator !== null && (options.delim === 'auto' || options.delim === separator.delimiter)) {
    start = separator.length;
    skip = 1;
    warnings.push(`The first line states the delimiter and is not part of the table.`);
  }
  const stated = separator === null ? options : { ...options, delim: separator.delimiter };
  const base: Dialect = {
    delimiter: ',',
    quote: '"',
    escape: '"',
    newline: options.newline === 'auto' ? 'any' : options.newline,
    comment: options.comment,
    header: options.header === true,
    skip,
  };
  const text = sample.subarray(start);
  let dialect: Dialect = { ...base, ...detectQuoting(text, base, stated) };
  let index = readSample(text, complete, dialect);
  if (options.comment === '' && hasHashComments(text, index)) {
    dialect = { ...dialect, comment: '#' };
    index = readSample(text, complete, dialect);
    warnings.push('Lines that start with # are read as comments. State read.comment to change it.');
  }
  const preamble = options.skip === 0 ? preambleRecords(text, index) : 0;
  if (preamble > 0) {
    const lines = index.recordLines[preamble]!;
    dialect = { ...dialect, skip: skip + lines };
    warnings.push(`${lines} line(s) before the table are skipped. State read.skip to change it.`);
  }
  assertWithinLimits(text, complete, index, preamble, dialect);
  const table = describeTable(text, index, preamble, dialect, options);
  return sniffedTable(table, { start, skip, complete, textBytes: text.length, warnings });
}

interface Place {
  /** Bytes and lines before the text that was read. */
  readonly start: number;
  readonly skip: number;
  readonly complete: boolean;
  readonly textBytes: number;
  readonly warnings: string[];
}

function sniffedTable(table: Table, place: Place): Sniffed {
  const { dialect, columns } = table;
  const warnings = [...place.warnings];
  if (columns.length === 0) warnings.push('The input holds blank lines only.');
  return {
    input: describeInput(dialect, columns),
    dialect,
    dataOffset: place.start + table.dataOffset,
    dataLine: place.skip + table.dataLine,
    records: table.records,
    warnings: [...warnings, ...table.warnings],
  };
}

function describeInput(dialect: Dialect, columns: Column[]): InputDescription {
  const { delimiter, quote, escape, newline, comment, header, skip } = dialect;
  const layout = { delimiter, quote, escape, newline, comment, header, skip };
  return { format: 'csv', encoding: 'utf-8', compression: 'none', ...layout, columns };
}

function statedSkip(sample: Uint8Array, complete: boolean, options: ReadOptions): number {
  if (options.skip === 0) return 0;
  const newline = options.newline === 'auto' ? 'any' : options.newline;
  const dialect: Dialect = {
    ...{ delimiter: ',', quote: '"', escape: '"', comment: '', header: false, skip: 0 },
    newline,
  };
  const start = skipLines(sample, 0, sample.length, complete, options.skip, dialect);
  if (start >= 0) return start;
  throw new SluiceError(
    'limit-exceeded',
    `The ${options.skip} lines to skip are longer than ${sample.length} bytes`,
    { details: { skip: options.skip, sniffBytesMax: LIMITS.sniffBytesMax } },
  );
}

/** Excel's `sep=;` in the first line. */
function separatorLine(sample: Uint8Array): { delimiter: string; length: number } | null {
  const line = Buffer.from(sample.subarray(0, SEPARATOR_LINE_BYTES_MAX)).toString('latin1');
  const delimiter = line[4];
  if (!line.toLowerCase().startsWith('sep=') || delimiter === undefined) return null;
  if (line.startsWith('\r\n', 5)) return { delimiter, length: 7 };
  return line[5] === '\n' ? { delimiter, length: 6 } : null;
}

function readSample(text: Uint8Array, complete: boolean, dialect: Dialect): RecordIndex {
  const index = createRecordIndex(1024, 16_384);
  const tokenizer = new Tokenizer(dialect, { skipBlankLines: 'always' });
  tokenizer.tokenize(text, 0, text.length, complete, index, LIMITS.sniffRecordsMax);
  return index;
}

function assertWithinLimits(
  text: Uint8Array,
  complete: boolean,
  index: RecordIndex,
  first: number,
  dialect: Dialect,
): void {
  if (index.recordCount === 0) {
    const isUnended = !complete && text.length >= LIMITS.headerBytesMax;
    if (isUnended) throw limitExceeded('headerBytesMax', text.length, dialect.skip + 1);
    return;
  }
  const headerBytes = index.recordEnds[first]! - index.recordStarts[first]!;
  const line = dialect.skip + 1;
  if (headerBytes > LIMITS.headerBytesMax) throw limitExceeded('headerBytesMax', headerBytes, line);
  const columns = fieldCountOf(index, first);
  if (columns > LIMITS.columnCountMax) throw limitExceeded('columnCountMax', columns, line);
}

function limitExceeded(
  limit: 'headerBytesMax' | 'columnCountMax',
  found: number,
  line: number,
): SluiceError {
  const what = limit === 'headerBytesMax' ? 'bytes' : 'columns';
  const message = `The first record (line ${line}) has ${found} ${what}; the limit is ${LIMITS[limit]}`;
  return new SluiceError('limit-exceeded', message, {
    details: { limit, found, max: LIMITS[limit], line },
  });
}
