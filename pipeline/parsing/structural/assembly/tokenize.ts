// Stage 1: the structure of delimited text, 64 bytes a step.
//
// Works on text in which every quote is regular: it opens a field right after a delimiter, a line
// end or the start, or it is doubled, or it closes the field right before a delimiter, a line end or
// the end. Then the parity of the quotes before a byte says whether the byte is quoted. Anything
// else sets `irregular`, and the caller reads the batch with the scalar tokenizer.
//
// First the ends of all fields are found, of whatever record; then the records among them, by what
// ends their fields. Mostly all records have as many fields, so that few ends are looked at.
import { equalMask, holdsAny, lowBits, prefixXor } from './masks';

const LF: u32 = 10;
const CR: u32 = 13;
/** CR and LF as a little-endian number. */
const CRLF: u32 = 0x0a0d;
/** Behind all offsets. */
const NONE: u32 = 0xffffffff;

let recordCount: u32 = 0;
let fieldCount: u32 = 0;
let lineCount: u32 = 0;
let irregular: bool = false;
let even: u32 = 0;

export function records(): u32 {
  return recordCount;
}
export function fields(): u32 {
  return fieldCount;
}
/** Line ends before the offset that tokenize returned. */
export function lines(): u32 {
  return lineCount;
}
export function isIrregular(): bool {
  return irregular;
}
/** Fields of every record, when all have as many; else 0. */
export function evenFields(): u32 {
  return even;
}

/** Where the index lies in memory, arrays of u32, and what it has room for. */
@unmanaged
export class IndexFrame {
  /** `fieldMax` + 65 entries each. */
  fieldStarts: usize;
  fieldEnds: usize;
  /** `recordMax` + 65 entries each. */
  recordFields: usize;
  recordStarts: usize;
  recordEnds: usize;
  recordLines: usize;
  /** Scratch, `fieldMax` + 65 entries: the line ends inside of quotes. */
  quotedLines: usize;
  fieldMax: u32;
}

/** What `findFields` found: how many fields, quoted line ends, and records that are ended. */
let fieldsFound: u32 = 0;
let quotedFound: u32 = 0;
let recordsFound: u32 = 0;
/** Whether a quote was open where it stopped. */
let isOpen: bool = false;

/**
 * Writes the structure of the records in [start, end) of the text at `base`; at least 64 bytes
 * behind `end` must be readable. `start` is a record's first byte, of line `firstLine`.
 *
 * Records stop before an array would overflow, or at `recordMax`. `skipBlank`: lines without a byte
 * are no records. Returns the offset behind the last whole record. When `isFinal`, text behind the
 * last line end is a record too; an open quote there is irregular.
 */
export function tokenize(
  frame: IndexFrame,
  base: usize,
  start: u32,
  end: u32,
  isFinal: bool,
  delimiter: u32,
  quote: u32,
  skipBlank: bool,
  recordMax: u32,
  firstLine: u32,
): u32 {
  // A CR at the very end waits for the byte behind it.
  const to = !isFinal && end > start && u32(load<u8>(base + end - 1)) == CR ? end - 1 : end;
  irregular = false;
  const isWhole = findFields(frame, base, start, to, delimiter, quote, recordMax);
  startFields(frame, start);
  const stride = fieldsOfFirst(frame, base);
  let next = findRecords(frame, base, start, stride, skipBlank, firstLine);
  even = stride;
  if (recordCount != recordsFound) {
    next = findRecords(frame, base, start, 1, skipBlank, firstLine);
    even = 0;
  }
  if (isFinal && isWhole && next < end) next = endLast(frame, end, firstLine);
  const last = <usize>recordCount << 2;
  fieldCount = load<u32>(frame.recordFields + last);
  lineCount = load<u32>(frame.recordLines + last) - firstLine;
  return next;
}

/** Lists the ends of fields, and the line ends inside of quotes; false when it stopped before `to`. */
@inline
function findFields(
  frame: IndexFrame,
  base: usize,
  start: u32,
  to: u32,
  delimiter: u32,
  quote: u32,
  recordMax: u32,
): bool {
  const fieldEnds = frame.fieldEnds;
  const quotedLines = frame.quotedLines;
  const fieldMax = frame.fieldMax;
  const delimiters = i8x16.splat(i8(delimiter));
  const quotes = i8x16.splat(i8(quote));
  const lineFeeds = i8x16.splat(i8(LF));
  const returns = i8x16.splat(i8(CR));
  let inQuote: u64 = 0; // all ones inside a quoted field
  let mayOpen: u64 = 1; // bit 0: the byte before the block was structural or a quote
  let mustFollow: u64 = 0; // bit 0: the byte before the block closed a quote
  let afterReturn: u64 = 0; // bit 0: the byte before the block was CR
  let bad: u64 = 0;
  let f: u32 = 0;
  let q: u32 = 0;
  let r: u32 = 0;
  let i: u32 = start;
  for (; i < to; i += 64) {
    if (f + 64 > fieldMax || q + 64 > fieldMax || r + 64 > recordMax) break;
    const p = base + i;
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const valid = lowBits(to - i);
    const lf = equalMask(a, b, c, d, lineFeeds) & valid;
    const separators = equalMask(a, b, c, d, delimiters) & valid;
    let ends = lf; // one line end a line: the LF of CRLF does not count
    let quoteBits: u64 = 0;
    let cr: u64 = 0;
    if (holdsAny(a, b, c, d, quotes, returns)) {
      if (quote != 256) quoteBits = equalMask(a, b, c, d, quotes) & valid;
      cr = equalMask(a, b, c, d, returns) & valid;
    }
    if ((cr | afterReturn) != 0) ends = cr | (lf & ~((cr << 1) | afterReturn));
    let recordEnds = ends;
    let structural = separators | ends;
    if ((quoteBits | inQuote | mustFollow) != 0) {
      const inside = prefixXor(quoteBits) ^ inQuote;
      const opening = quoteBits & inside;
      const closing = quoteBits & ~inside;
      // The LF of a CRLF is neither structural nor a byte of a field.
      const edges = ((separators | ends | lf) & ~inside) | quoteBits;
      for (let within = ends & inside; within != 0; within &= within - 1) {
        store<u32>(quotedLines + (<usize>q << 2), i + u32(ctz(within)));
        q++;
      }
      structural &= ~inside;
      recordEnds &= ~inside;
      inQuote = u64(i64(inside) >> 63);
      bad |= opening & ~((edges << 1) | mayOpen);
      bad |= ((closing << 1) | mustFollow) & ~edges & valid;
      mustFollow = closing >> 63;
      mayOpen = edges >> 63;
    } else {
      mayOpen = (structural | lf) >> 63;
    }
    afterReturn = cr >> 63;
    let target = fieldEnds + (<usize>f << 2);
    f += u32(popcnt(structural));
    r += u32(popcnt(recordEnds));
    const targetEnd = fieldEnds + (<usize>f << 2);
    for (; target < targetEnd; target += 32) structural = list8(structural, i, target);
  }
  fieldsFound = f;
  quotedFound = q;
  recordsFound = r;
  const isWhole = i >= to;
  irregular = bad != 0;
  isOpen = inQuote != 0;
  return isWhole;
}

/** Lists eight set bits, as offsets from `i`; what is written behind the last one does not count. */
@inline
function list8(bits: u64, i: u32, target: usize): u64 {
  store<u32>(target, i + u32(ctz(bits)));
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 4);
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 8);
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 12);
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 16);
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 20);
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 24);
  bits &= bits - 1;
  store<u32>(target, i + u32(ctz(bits)), 28);
  return bits & (bits - 1);
}

/** Lets every field start behind the end of the one before. */
@inline
function startFields(frame: IndexFrame, start: u32): void {
  const ones = i32x4.splat(1);
  const starts = frame.fieldStarts + 4;
  const ends = frame.fieldEnds;
  store<u32>(frame.fieldStarts, start);
  for (let at: usize = 0; at < <usize>fieldsFound << 2; at += 16) {
    v128.store(starts + at, i32x4.add(v128.load(ends + at), ones));
  }
}

/** Fields of the first record that is ended; 1 when there is none. */
@inline
function fieldsOfFirst(frame: IndexFrame, base: usize): u32 {
  let field: u32 = 0;
  while (field + 1 < fieldsFound && !isLineEnd(wordAt(base, frame, field))) field++;
  return field + 1;
}

/**
 * Writes records of `stride` fields each, up to one that is not; with a stride of 1 records of any
 * number of fields. Sets `recordCount`. Returns where the record behind the last one starts.
 */
function findRecords(
  frame: IndexFrame,
  base: usize,
  start: u32,
  stride: u32,
  skipBlank: bool,
  firstLine: u32,
): u32 {
  // Stores keep what lies in memory from being held in registers.
  const fieldStarts = frame.fieldStarts;
  const fieldEnds = frame.fieldEnds;
  const recordFields = frame.recordFields;
  const recordStarts = frame.recordStarts;
  const recordEnds = frame.recordEnds;
  const recordLines = frame.recordLines;
  const quotedLines = frame.quotedLines;
  const fieldTotal = fieldsFound;
  const quotedTotal = quotedFound;
  let recordStart = start;
  let slot: usize = 0; // of the record, in bytes
  let line = firstLine;
  let q: u32 = 0;
  let quotedLine = quotedTotal == 0 ? NONE : load<u32>(quotedLines);
  let isBlank: u32 = 0;
  store<u32>(recordFields, 0);
  store<u32>(recordStarts, start);
  store<u32>(recordLines, firstLine);
  for (let field = stride; field <= fieldTotal; field += stride) {
    const at = load<u32>(fieldEnds + (<usize>field << 2) - 4);
    const word = u32(load<u16>(base + at));
    if (!isLineEnd(word)) {
      if (stride > 1) break;
      continue;
    }
    isBlank |= u32(at == recordStart);
    recordStart = at + 1;
    if (word == CRLF) store<u32>(fieldStarts + (<usize>field << 2), ++recordStart);
    line++;
    while (quotedLine < at) {
      line++;
      quotedLine = ++q == quotedTotal ? NONE : load<u32>(quotedLines + (<usize>q << 2));
    }
    store<u32>(recordEnds + slot, at);
    slot += 4;
    store<u32>(recordFields + slot, field);
    store<u32>(recordStarts + slot, recordStart);
    store<u32>(recordLines + slot, line);
  }
  recordCount = u32(slot >> 2);
  // The empty field of a blank line would stand between two records' fields: left to the scalar reader.
  if (skipBlank && isBlank != 0) irregular = true;
  return recordStart;
}

/** Ends the last record, which no line end does. Returns `end`. */
function endLast(frame: IndexFrame, end: u32, firstLine: u32): u32 {
  const slot = <usize>recordCount << 2;
  const field = <usize>fieldsFound << 2;
  if (fieldsFound + 1 - load<u32>(frame.recordFields + slot) != even) even = 0;
  store<u32>(frame.fieldEnds + field, end);
  store<u32>(frame.recordEnds + slot, end);
  store<u32>(frame.recordFields + slot, fieldsFound + 1, 4);
  store<u32>(frame.recordLines + slot, firstLine + recordCount + quotedFound, 4);
  recordCount++;
  if (isOpen) irregular = true;
  return end;
}

@inline
function wordAt(base: usize, frame: IndexFrame, field: u32): u32 {
  return u32(load<u16>(base + load<u32>(frame.fieldEnds + (<usize>field << 2))));
}

/** Of a byte and the one behind it. */
@inline
function isLineEnd(word: u32): bool {
  return (word & 0xff) == LF || (word & 0xff) == CR;
}
