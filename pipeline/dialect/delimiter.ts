import type { Dialect } from '../parsing/dialect.ts';
import { createRecordIndex, RecordFlag, type RecordIndex } from '../parsing/record-index.ts';
import { Tokenizer } from '../parsing/tokenizer.ts';
import { CellShape, cellShape, isTyped } from './cell-shape.ts';
import type { ReadOptions } from './read-options.ts';

/** Delimiters by how likely they are when the sample does not decide. */
const PRIORS: readonly (readonly [string, number])[] = [
  [',', 1],
  [';', 1],
  ['\t', 1],
  ['|', 0.99],
  ['\x1f', 0.99],
  ['\x1e', 0.98],
  [':', 0.6],
  ['^', 0.8],
  ['~', 0.8],
  [' ', 0.3],
  // A blank behind each comma that stands before quotes.
  [', ', 0.97],
  ['; ', 0.96],
];
/** Tried only where nothing above splits the sample. */
const UNUSUAL = '+*#!&=@_$%\\/-';
const UNUSUAL_PRIOR = 0.5;
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
  let best = rate(',', 1);
  for (const [delimiter, prior] of PRIORS) {
    if (delimiter === ',' || !isCandidate(window, seen, delimiter)) continue;
    const rated = rate(delimiter, prior);
    if (rated.columns > 1 && rated.score > best.score + 1e-9) best = rated;
  }
  const oneColumn = rateOneColumn(window, isWhole, base);
  if (best.columns > 1 && best.score >= Math.max(oneColumn, SPLIT_SCORE_MIN)) return best.quoting;
  for (const delimiter of UNUSUAL) {
    if (seen[delimiter.charCodeAt(0)] === 0) continue;
    const rated = rate(delimiter, UNUSUAL_PRIOR);
    if (rated.columns > 2 && rated.consistency === 1 && rated.score > oneColumn)
      return rated.quoting;
  }
  return unsplitting(window, isWhole, base, seen, options);
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
}

function bytesSeen(bytes: Uint8Array): Uint32Array {
  const seen = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) seen[bytes[i]!]!++;
  return seen;
}

function isCandidate(window: Uint8Array, seen: Uint32Array, delimiter: string): boolean {
  if (seen[delimiter.charCodeAt(0)] === 0) return false;
  return (
    delimiter.length === 1 ||
    Buffer.from(window.buffer, window.byteOffset, window.length).includes(`${delimiter}"`)
  );
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
  return { quoting: { delimiter, quote, escape }, score, columns, consistency };
}

/** The lines as they stand, as a table of one column. */
function rateOneColumn(window: Uint8Array, isWhole: boolean, base: Dialect): number {
  const dialect = { ...base, delimiter: '\x00', quote: '', escape: '' };
  const index = readWindow(window, isWhole, dialect);
  let typed = 0;
  let clean = 0;
  for (let field = 0; field < index.fieldCount; field++) {
    const [start, end] = [index.fieldStarts[field]!, index.fieldEnds[field]!];
    if (window.subarray(start, end).includes(COMMA)) continue;
    const shape = cellShape(window, start, end);
    if (isTyped(shape)) typed++;
    if (shape !== CellShape.unclean) clean++;
  }
  const cells = Math.max(1, index.fieldCount);
  return (clean * ONE_COLUMN_SCORE + typed * ONE_COLUMN_TYPED_SCORE) / cells;
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
