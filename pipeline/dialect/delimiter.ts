import type { Dialect } from '../parsing/dialect.ts';
import { createRecordIndex, RecordFlag, type RecordIndex } from '../parsing/record-index.ts';
import { Tokenizer } from '../parsing/tokenizer.ts';
import { CellShape, cellShape, isTyped } from './cell-shape.ts';
import type { ReadOptions } from './read-options.ts';

/** Delimiters by how likely they are when the sample does not decide. */
const PRIORS: readonly (readonly [string, number])[] = [
  [',', 1],
  [';', 1],
  // Lists in cells have commas and semicolons in them, hardly ever tabs.
  ['\t', 1.25],
  ['|', 0.99],
  ['\x1f', 0.99],
  ['\x1e', 0.98],
  // What Hive and other exports put between fields; text has none of them.
  ...['\x01', '\x02', '\x1c', '\x1d', '¦', '§'].map((delimiter) => [delimiter, 0.97] as const),
  [':', 0.6],
  ['^', 0.8],
  ['~', 0.8],
  [' ', 0.3],
  // A blank behind each comma that stands before quotes.
  [', ', 0.97],
  ['; ', 0.96],
];
/** Tried only where nothing above splits the sample. */
const UNUSUAL = '+*#!&@$%/';
const UNUSUAL_PRIOR = 0.5;
/** Of several characters; taken where the sample has these characters in it and nowhere else. */
const LONG = ['~|~', '|~|', '^|^', '|^|', '||', '::', ';;', '^^', '~~'];
/** A blank between values of which some are typed in each record. */
const TYPED_BLANK_PRIOR = 0.8;
/** For a table of one column whose text holds commas. */
const ABSENT_DELIMITERS = ['\t', ';', '|', '\x1f', '\x1e'];

/** Reading the whole sample under every candidate would cost more than it tells. */
const WINDOW_BYTES = 64 * 1024;
const WINDOW_RECORDS = 250;
/** Share of the perfect score that a sample earns as a table of one column. */
const ONE_COLUMN_SCORE = 0.25;
const ONE_COLUMN_TYPED_SCORE = 0.5;
const SPLIT_SCORE_MIN = 0.12;
const COMMA = 0x2c;
const QUOTE = 0x22;
/** Reading quotes as text must explain much more than reading them as quotes. */
const UNQUOTED_PRIOR = 0.7;

export type Quoting = Pick<Dialect, 'delimiter' | 'quote' | 'escape'>;

/**
 * Delimiter, quote and escape that explain the sample best. A candidate is rated by the consistency
 * of its field counts, the share of cells that look like one value, and how usual it is; more
 * columns win only where they are consistent. (The idea of van den Burg, Nazábal and Sutton, 'Wrangling
 * messy CSV files by detecting row and type patterns', DMKD 2019, doi:10.1007/s10618-019-00646-y.)
 */
export function detectQuoting(sample: Uint8Array, base: Dialect, options: ReadOptions): Quoting {
  const window = sample.subarray(0, WINDOW_BYTES);
  const isWhole = window.length === sample.length;
  const seen = bytesSeen(window);
  const rate = (delimiter: string, prior: number): Rated => {
    let best: Rated | null = null;
    for (const quoting of quotingsOf(window, seen, delimiter, options)) {
      const isUnlikely = quoting.quote === '' && options.quote === 'auto';
      const weight = isUnlikely ? prior * UNQUOTED_PRIOR : prior;
      const rated = rateQuoting(window, isWhole, { ...base, ...quoting }, weight);
      if (best === null || rated.score > best.score + 1e-9) best = rated;
    }
    return best!;
  };
  if (options.delim !== 'auto') return rate(options.delim, 1).quoting;
  for (const delimiter of LONG) {
    if (!standsAlone(window, delimiter)) continue;
    const rated = rate(delimiter, 1);
    if (splitsAll(rated)) return rated.quoting;
  }
  let best = rate(',', 1);
  /** The best of those that split every record alike, the first one too. */
  let whole = splitsAll(best) ? best : null;
  for (const [delimiter, prior] of PRIORS) {
    if (delimiter === ',' || !isCandidate(window, seen, delimiter)) continue;
    let rated = rate(delimiter, prior);
    if (delimiter === ' ' && hasTypedColumn(window, isWhole, { ...base, ...rated.quoting }, rated))
      rated = rate(delimiter, TYPED_BLANK_PRIOR);
    if (rated.columns > 1 && rated.score > best.score + 1e-9) best = rated;
    const isUsual = prior > UNQUOTED_PRIOR && splitsAll(rated);
    if (isUsual && rated.score > (whole?.score ?? 0)) whole = rated;
  }
  const beside = delimiterBesideQuotes(window);
  if (beside !== null && best.quoting.quote === '' && best.quoting.delimiter !== '\t') {
    const quoted = rate(beside, 1);
    if (splitsAll(quoted)) return quoted.quoting;
  }
  // Lists in the cells of a table are no table behind a preamble, which would be its header.
  if (best.first > 0 && whole !== null) return whole.quoting;
  if (best.first === 1 && isNamedList(window, isWhole, { ...base, ...best.quoting }))
    return unsplitting(window, isWhole, base, seen, options);
  const oneColumn = rateOneColumn(window, isWhole, base);
  if (best.columns > 1 && best.score >= Math.max(oneColumn, SPLIT_SCORE_MIN)) return best.quoting;
  for (const delimiter of UNUSUAL) {
    if (seen[delimiter.charCodeAt(0)] === 0) continue;
    const rated = rate(delimiter, UNUSUAL_PRIOR);
    if (rated.columns > 2 && splitsAll(rated) && rated.score > oneColumn) return rated.quoting;
  }
  if (beside !== null) return rate(beside, 1).quoting;
  return unsplitting(window, isWhole, base, seen, options);
}

/** Whether all records, of which there are several, have the same count of fields, above one. */
function splitsAll({ columns, consistency, first, records }: Rated): boolean {
  return columns > 1 && consistency === 1 && first === 0 && records > 1;
}

/** One word, and values below it: the name of a column of lists, and no title of a table. */
function isNamedList(window: Uint8Array, isWhole: boolean, dialect: Dialect): boolean {
  const index = readWindow(window, isWhole, dialect);
  const first = window.subarray(index.recordStarts[0], index.recordEnds[0]);
  if (!/^"?[\p{L}_][\p{L}\p{N}_.-]*"?$/u.test(Buffer.from(first).toString())) return false;
  for (let field = index.recordFields[1]!; field < index.recordFields[2]!; field++) {
    const shape = cellShape(window, index.fieldStarts[field]!, index.fieldEnds[field]!);
    if (!isTyped(shape)) return false;
  }
  return true;
}

/** Whether the text has the delimiter's characters in the delimiter only. */
function standsAlone(window: Uint8Array, delimiter: string): boolean {
  const text = Buffer.from(window.buffer, window.byteOffset, window.length).toString('latin1');
  const times = text.split(delimiter).length - 1;
  if (times === 0) return false;
  return [...new Set(delimiter)].every((character) => {
    const within = delimiter.split(character).length - 1;
    return text.split(character).length - 1 === within * times;
  });
}

/**
 * What stands on the outer side of nearly all quotes of a text that nothing else splits: quoted
 * texts among unquoted ones that hold the delimiter, which no count of fields tells.
 */
function delimiterBesideQuotes(window: Uint8Array): string | null {
  const text = Buffer.from(window.buffer, window.byteOffset, window.length).toString('latin1');
  const sides = new Map<string, number>();
  let quoted = 0;
  for (const match of text.matchAll(/([ ,;|\t])"[^"\r\n]*"(?=([ ,;|\t]))/g)) {
    const [, before = '', after = ''] = match;
    quoted++;
    if (before === after) sides.set(before, (sides.get(before) ?? 0) + 1);
  }
  const [[side, times] = ['', 0]] = [...sides].sort(([, a], [, b]) => b - a);
  const marks = text.split('"').length - 1;
  return times > 2 && times >= quoted * 0.9 && quoted * 4 >= marks ? side : null;
}

/** Whether a column is typed in all records but the first, where it is not. */
function hasTypedColumn(
  window: Uint8Array,
  isWhole: boolean,
  dialect: Dialect,
  rated: Rated,
): boolean {
  if (!splitsAll(rated) || rated.columns < 3 || rated.records < 3) return false;
  const index = readWindow(window, isWhole, dialect);
  const isTypedAt = (record: number, column: number): boolean => {
    const field = index.recordFields[record]! + column;
    return isTyped(cellShape(window, index.fieldStarts[field]!, index.fieldEnds[field]!));
  };
  for (let column = 0; column < rated.columns; column++) {
    let record = 1;
    while (record < index.recordCount && isTypedAt(record, column)) record++;
    if (record === index.recordCount && !isTypedAt(0, column)) return true;
  }
  return false;
}

/**
 * Quoting of a table of one column: a comma, unless it would split a later record of a table whose
 * first record it does not split; then a delimiter that the sample does not have.
 */
function unsplitting(
  window: Uint8Array,
  isWhole: boolean,
  base: Dialect,
  seen: Uint32Array,
  options: ReadOptions,
): Quoting {
  const quoting = quotingsOf(window, seen, ',', options)[0]!;
  const index = readWindow(window, isWhole, { ...base, ...quoting });
  const isWide = index.recordCount === 0 || fieldCountOf(index, 0) > 1;
  if (isWide || index.fieldCount === index.recordCount) return quoting;
  const delimiter = ABSENT_DELIMITERS.find((candidate) => seen[candidate.charCodeAt(0)] === 0);
  return delimiter === undefined ? quoting : { ...quoting, delimiter };
}

interface Rated {
  readonly quoting: Quoting;
  readonly score: number;
  readonly columns: number;
  readonly consistency: number;
  /** The first record with as many fields. */
  readonly first: number;
  readonly records: number;
}

function bytesSeen(bytes: Uint8Array): Uint32Array {
  const seen = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) seen[bytes[i]!]!++;
  return seen;
}

function isCandidate(window: Uint8Array, seen: Uint32Array, delimiter: string): boolean {
  const code = delimiter.charCodeAt(0);
  if (code < 0x80 && seen[code] === 0) return false;
  const text = Buffer.from(window.buffer, window.byteOffset, window.length);
  if (code >= 0x80) return text.includes(delimiter);
  if (delimiter === ':') return !isOfClocks(text);
  return delimiter.length === 1 || text.includes(`${delimiter}"`);
}

/** Whether most colons stand between two digits on either side, as in 10:15. */
function isOfClocks(text: Buffer): boolean {
  const latin = text.toString('latin1');
  const clocks = latin.match(/(?<=\d\d):(?=\d\d)/g)?.length ?? 0;
  return clocks * 2 > latin.split(':').length - 1;
}

/** Ways to quote that the sample allows, the usual one first. */
function quotingsOf(
  window: Uint8Array,
  seen: Uint32Array,
  delimiter: string,
  options: ReadOptions,
): Quoting[] {
  const text = Buffer.from(window.buffer, window.byteOffset, window.length);
  const quotes = options.quote === 'auto' ? ['"'] : [options.quote];
  if (options.quote === 'auto') {
    const isSingleQuoting =
      text.includes(`${delimiter}'`) || text.includes(`\n'`) || window[0] === 0x27;
    if (seen[0x27]! > 1 && isSingleQuoting && delimiter !== "'") quotes.push("'");
    if (seen[0x22]! > 0) quotes.push('');
  }
  return quotes.flatMap((quote) => {
    if (quote === '')
      return [{ delimiter, quote, escape: options.escape === 'auto' ? '' : options.escape }];
    if (options.escape !== 'auto') return [{ delimiter, quote, escape: options.escape }];
    const escapes = [quote];
    for (const escape of ['\\', '\0']) if (text.includes(`${escape}${quote}`)) escapes.push(escape);
    return escapes.map((escape) => ({ delimiter, quote, escape }));
  });
}

function readWindow(window: Uint8Array, isWhole: boolean, dialect: Dialect): RecordIndex {
  const index = createRecordIndex(256, 4096);
  const tokenizer = new Tokenizer(dialect, { skipBlankLines: 'always' });
  tokenizer.tokenize(window, 0, window.length, isWhole, index, WINDOW_RECORDS);
  if (index.recordCount === 0) tokenizer.tokenize(window, 0, window.length, true, index, 1);
  return index;
}

function rateQuoting(window: Uint8Array, isWhole: boolean, dialect: Dialect, prior: number): Rated {
  const { delimiter, quote, escape } = dialect;
  const index = readWindow(window, isWhole, dialect);
  const columns = usualFieldCount(index);
  const first = firstWithFields(index, columns);
  const counted = index.recordCount - first;
  let fitting = 0;
  let faulty = 0;
  for (let record = first; record < index.recordCount; record++) {
    if (fieldCountOf(index, record) === columns) fitting++;
    const flags = index.recordFlags[record]!;
    if ((flags & RecordFlag.unterminated) !== 0) faulty += counted / 2;
    else if ((flags & RecordFlag.irregular) !== 0) faulty++;
  }
  const consistency = counted === 0 ? 0 : fitting / counted;
  const regular = 1 - 0.5 * Math.min(1, faulty / Math.max(1, counted));
  const skipped = 1 - first / Math.max(1, index.recordCount);
  const shape = (columns - 1) / columns;
  const types = shareOfValues(window, index, dialect, first);
  const score = consistency ** 2 * regular * Math.sqrt(skipped) * shape * types * prior;
  const records = index.recordCount;
  return { quoting: { delimiter, quote, escape }, score, columns, consistency, first, records };
}

/** The lines as they stand, as a table of one column. */
function rateOneColumn(window: Uint8Array, isWhole: boolean, base: Dialect): number {
  const dialect = { ...base, delimiter: '\x00', quote: '', escape: '' };
  const index = readWindow(window, isWhole, dialect);
  let typed = 0;
  let clean = 0;
  const isDecimal = isDecimalColumn(window, index);
  for (let field = 0; field < index.fieldCount; field++) {
    const [start, end] = [index.fieldStarts[field]!, index.fieldEnds[field]!];
    if (isWhollyQuoted(window, start, end)) {
      typed++;
      clean++;
      continue;
    }
    if (window.subarray(start, end).includes(COMMA)) {
      if (isDecimal) {
        typed++;
        clean++;
      }
      continue;
    }
    const shape = cellShape(window, start, end);
    if (isTyped(shape)) typed++;
    if (shape !== CellShape.unclean) clean++;
  }
  const cells = Math.max(1, index.fieldCount);
  return (clean * ONE_COLUMN_SCORE + typed * ONE_COLUMN_TYPED_SCORE) / cells;
}

/** Whether the line is one text between quotes, doubled ones inside. */
function isWhollyQuoted(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || bytes[start] !== QUOTE || bytes[end - 1] !== QUOTE) return false;
  for (let at = start + 1; at < end - 1; at++) {
    if (bytes[at] === QUOTE && bytes[++at] !== QUOTE) return false;
  }
  return true;
}

/** A name, and figures such as 1,5 below it: one value more likely than two without a header. */
function isDecimalColumn(bytes: Uint8Array, index: RecordIndex): boolean {
  const textOf = (record: number): string =>
    Buffer.from(bytes.subarray(index.recordStarts[record], index.recordEnds[record])).toString();
  if (index.recordCount < 2 || /^[\d\W]|,/.test(textOf(0))) return false;
  for (let record = 1; record < index.recordCount; record++) {
    if (!/^ *[+-]?[\d.]*\d(,\d+)? *$/.test(textOf(record))) return false;
  }
  return true;
}

/** How far the cells look like one value each, 0 to 1. */
function shareOfValues(
  bytes: Uint8Array,
  index: RecordIndex,
  { quote }: Dialect,
  firstRecord: number,
): number {
  const quoteByte = quote === '' ? -1 : quote.charCodeAt(0);
  const firstField = index.recordFields[firstRecord] ?? 0;
  let sum = 0;
  for (let field = firstField; field < index.fieldCount; field++) {
    const start = index.fieldStarts[field]!;
    const end = index.fieldEnds[field]!;
    const isQuoted = end - start > 1 && bytes[start] === quoteByte && bytes[end - 1] === quoteByte;
    sum += isQuoted ? 1 : WEIGHTS[cellShape(bytes, start, end)]!;
  }
  return sum / Math.max(1, index.fieldCount - firstField);
}

const WEIGHTS: readonly number[] = [0.7, 0, 0.9, 1, 1, 1, 1];

export function fieldCountOf(index: RecordIndex, record: number): number {
  return index.recordFields[record + 1]! - index.recordFields[record]!;
}

/** The field count that most records have; of equally frequent ones that of the earliest record. */
export function usualFieldCount(index: RecordIndex): number {
  const frequency = new Map<number, number>();
  for (let record = 0; record < index.recordCount; record++) {
    const count = fieldCountOf(index, record);
    frequency.set(count, (frequency.get(count) ?? 0) + 1);
  }
  let best = 1;
  let bestFrequency = 0;
  for (const [count, times] of frequency) {
    if (times > bestFrequency) [best, bestFrequency] = [count, times];
  }
  return best;
}

export function firstWithFields(index: RecordIndex, count: number): number {
  for (let record = 0; record < index.recordCount; record++) {
    if (fieldCountOf(index, record) === count) return record;
  }
  return 0;
}
