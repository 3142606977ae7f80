// Counts records without listing their fields, where all of them have the same number of fields.
//
// Quotes are told by their parity, as in tokenize. What is irregular, a record with another number
// of fields, a blank line among several columns: nothing is counted, and the caller reads the text.
import { equalMask, holdsAny, lowBits, prefixXor } from './masks';

const LF: u32 = 10;
const CR: u32 = 13;
/** Returned instead of an offset. */
const UNEVEN: u32 = 0xffffffff;

let recordCount: u32 = 0;
let lineCount: u32 = 0;

/** Records that were counted. */
export function countedRecords(): u32 {
  return recordCount;
}
/** Line ends before the offset that was returned. */
export function countedLines(): u32 {
  return lineCount;
}

/**
 * Counts the records in [start, end) of the text at `base`, each of `columns` fields; at least 64
 * bytes behind `end` must be readable. `start` is a record's first byte. Returns the offset behind
 * the last whole record, or 2^32 - 1 where a record is not as it must be. When `isFinal`, text
 * behind the last line end is a record too.
 */
export function countRecords(
  base: usize,
  start: u32,
  end: u32,
  isFinal: bool,
  delimiter: u32,
  quote: u32,
  columns: u32,
): u32 {
  // A CR at the very end waits for the byte behind it.
  const to = !isFinal && end > start && u32(load<u8>(base + end - 1)) == CR ? end - 1 : end;
  const delimiters = i8x16.splat(i8(delimiter));
  const quotes = i8x16.splat(i8(quote));
  const lineFeeds = i8x16.splat(i8(LF));
  const returns = i8x16.splat(i8(CR));
  const perRecord = columns - 1;
  let inQuote: u64 = 0; // all ones inside a quoted field
  let mustFollow: u64 = 0; // bit 0: the byte before the block closed a quote
  let afterReturn: u64 = 0; // bit 0: the byte before the block was CR
  let bad: u64 = 0;
  let uneven: u32 = 0;
  let separatorCount: u32 = 0;
  let expected: u32 = perRecord;
  let found: u32 = 0;
  let quotedLines: u32 = 0;
  // The block of the last record's end, the ends in it, and the quoted lines before it.
  let lastBlock: u32 = start;
  let lastEnds: u64 = 0;
  let lastQuotedLines: u32 = 0;
  for (let i: u32 = start; i < to; i += 64) {
    const p = base + i;
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const valid = lowBits(to - i);
    const lf = equalMask(a, b, c, d, lineFeeds) & valid;
    let separators = equalMask(a, b, c, d, delimiters) & valid;
    let quoteBits: u64 = 0;
    let cr: u64 = 0;
    if (holdsAny(a, b, c, d, quotes, returns)) {
      if (quote != 256) quoteBits = equalMask(a, b, c, d, quotes) & valid;
      cr = equalMask(a, b, c, d, returns) & valid;
    }
    let ends = lf; // one line end a line: the LF of CRLF does not count
    if ((cr | afterReturn) != 0) ends = cr | (lf & ~((cr << 1) | afterReturn));
    afterReturn = cr >> 63;
    let quotedHere: u64 = 0;
    if ((quoteBits | inQuote | mustFollow) != 0) {
      const inside = prefixXor(quoteBits) ^ inQuote;
      const opening = quoteBits & inside;
      const closing = quoteBits & ~inside;
      const edges = ((separators | ends | lf) & ~inside) | quoteBits;
      const mayOpen = u64(i == start || isEdge(u32(load<u8>(p - 1)), delimiter, quote));
      bad |= opening & ~((edges << 1) | mayOpen);
      bad |= ((closing << 1) | mustFollow) & ~edges & valid;
      quotedHere = ends & inside;
      separators &= ~inside;
      ends &= ~inside;
      inQuote = u64(i64(inside) >> 63);
      mustFollow = closing >> 63;
    }
    if (ends != 0) {
      lastBlock = i;
      lastEnds = ends;
      lastQuotedLines = quotedLines;
      if (quotedHere != 0) {
        lastQuotedLines += u32(popcnt(quotedHere & lowBits(63 - u32(clz(ends)))));
      }
      for (let left = ends; left != 0; left &= left - 1) {
        uneven |= (separatorCount + u32(popcnt(separators & (left - 1) & ~left))) ^ expected;
        expected += perRecord;
        found++;
      }
    }
    separatorCount += u32(popcnt(separators));
    quotedLines += u32(popcnt(quotedHere));
  }
  let next = start;
  if (lastEnds != 0) {
    next = lastBlock + 64 - u32(clz(lastEnds));
    if (next < to && u32(load<u16>(base + next - 1)) == ((LF << 8) | CR)) next++;
  }
  recordCount = found;
  lineCount = found + lastQuotedLines;
  if (isFinal && next < end) {
    uneven |= u32(inQuote != 0) | (separatorCount ^ expected);
    lineCount = found + quotedLines;
    recordCount++;
    next = end;
  }
  return bad != 0 || uneven != 0 ? UNEVEN : next;
}

/** Whether a quote may open a field behind this byte, outside quotes. */
@inline
function isEdge(byte: u32, delimiter: u32, quote: u32): bool {
  return byte == delimiter || byte == LF || byte == CR || byte == quote;
}
