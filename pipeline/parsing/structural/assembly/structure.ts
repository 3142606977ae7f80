// Stage 1: which bytes of delimited text are structure, as bit masks of 64 bytes each.
//
// Works on text in which every quote is regular: it opens a field right after a delimiter, a line
// end or the start, or it is doubled, or it closes the field right before a delimiter, a line end or
// the end. Then the parity of the quotes before a byte says whether the byte is quoted. Anything
// else makes the text irregular, and the caller reads it with the scalar tokenizer.
//
// A slab is read at a time, so that its masks are in the nearest cache for what uses them.
import { anyEqual, equalMask, lowBits, prefixXor } from './masks';

export const LF: u32 = 10;
export const CR: u32 = 13;
/** Stands for "no quote": no byte has this value. */
const NO_QUOTE: u32 = 256;

export const SLAB_BYTES: u32 = 32768;
const MASKS_BYTES: usize = 16;
const MASKS: usize = memory.data(8192, 16);

// The dialect.
let delimiter: u32 = 0;
let quote: u32 = 0;

// Between two slabs.
let inQuote: u64 = 0; // all ones inside a quoted field
let mayOpen: u64 = 1; // bit 0: the byte before the slab was structural or a quote
let mustFollow: u64 = 0; // bit 0: the byte before the slab closed a quote
let afterReturn: u64 = 0; // bit 0: the byte before the slab was CR
let bad: u64 = 0;
let lineEnds: u32 = 0;
let recordEnds: u32 = 0;
/** What the slab before held. */
let holdsReturn: bool = false;
let holdsQuote: bool = true;

/** Starts at a record's first byte. */
export function beginStructure(delimiterByte: u32, quoteByte: u32): void {
  delimiter = delimiterByte;
  quote = quoteByte;
  inQuote = 0;
  mayOpen = 1;
  mustFollow = 0;
  afterReturn = 0;
  bad = 0;
  lineEnds = 0;
  recordEnds = 0;
}

/** Whether the quotes so far are regular. */
export function isRegular(): bool {
  return bad == 0;
}
/** Whether a quote is open. */
export function isOpen(): bool {
  return inQuote != 0;
}
/** Line ends so far, those in quotes too. */
export function passedLineEnds(): u32 {
  return lineEnds;
}
/** Line ends so far that end records. */
export function passedRecordEnds(): u32 {
  return recordEnds;
}

/** Delimiters and line ends outside of quotes in the slab's block at `byte`, from its first one. */
@inline
export function structuralAt(byte: u32): u64 {
  return load<u64>(MASKS + (<usize>(byte >> 6) << 4));
}
/** The line ends among them: the LF of CRLF is none. */
@inline
export function recordEndsAt(byte: u32): u64 {
  return load<u64>(MASKS + (<usize>(byte >> 6) << 4), 8);
}

/** Where text of [start, end) can be read to, so that no block reaches behind it: behind the end of
 *  a whole text there are zeros. */
@inline
export function endOfBlocks(start: u32, end: u32, isFinal: bool): u32 {
  return isFinal ? end : end - ((end - start) & 63);
}

/** Reads on, from `from` to `to`, a slab at most. At least 64 bytes behind `to` must be readable. */
export function readSlab(base: usize, from: u32, to: u32): void {
  // Often there is no quote, mostly no CR, and only to look for them is less work.
  const isOpen = (inQuote | mustFollow) != 0;
  if (!holdsReturn && !holdsQuote && !isOpen && readBlocks(base, from, to, false, false)) return;
  if (!holdsReturn && readBlocks(base, from, to, true, false)) return;
  readBlocks(base, from, to, true, true);
}

/** Without `withQuotes` or `withReturns`, false when there are any: nothing counts, the state stays. */
@inline
function readBlocks(base: usize, from: u32, to: u32, withQuotes: bool, withReturns: bool): bool {
  const delimiters = i8x16.splat(i8(delimiter));
  const quotes = i8x16.splat(i8(quote));
  const quotesTaken: u64 = quote == NO_QUOTE ? 0 : ~u64(0);
  const lineFeeds = i8x16.splat(i8(LF));
  const returns = i8x16.splat(i8(CR));
  let quoted = inQuote;
  let opens = mayOpen;
  let follows = mustFollow;
  let returned = afterReturn;
  let wrong: u64 = 0;
  let endCount: u32 = 0;
  let recordCount: u32 = 0;
  let anyReturn = i8x16.splat(0);
  let anyQuote = i8x16.splat(0);
  let anyQuoteBits: u64 = 0;
  let masks = MASKS;
  for (let i = from; i < to; i += 64, masks += MASKS_BYTES) {
    const p = base + i;
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const lf = equalMask(a, b, c, d, lineFeeds);
    anyReturn = v128.or(anyReturn, anyEqual(a, b, c, d, returns));
    let ends = lf;
    if (withReturns) {
      const cr = equalMask(a, b, c, d, returns);
      ends = cr | (lf & ~((cr << 1) | returned));
      returned = cr >> 63;
    }
    endCount += u32(popcnt(ends));
    let structural = equalMask(a, b, c, d, delimiters) | ends;
    if (withQuotes) {
      const quoteBits = equalMask(a, b, c, d, quotes) & quotesTaken;
      anyQuoteBits |= quoteBits;
      const inside = prefixXor(quoteBits) ^ quoted;
      const opening = quoteBits & inside;
      const closing = quoteBits & ~inside;
      // The LF of a CRLF is neither structural nor a byte of a field.
      const edges = ((structural | lf) & ~inside) | quoteBits;
      const unopened = opening & ~((edges << 1) | opens);
      const unfollowed = ((closing << 1) | follows) & ~edges;
      // Nothing has to follow at the end.
      if ((unopened | unfollowed) != 0) wrong |= (unopened | unfollowed) & lowBits(to - i);
      structural &= ~inside;
      ends &= ~inside;
      recordCount += u32(popcnt(ends));
      quoted = u64(i64(inside) >> 63);
      follows = closing >> 63;
      opens = edges >> 63;
    } else {
      anyQuote = v128.or(anyQuote, anyEqual(a, b, c, d, quotes));
      opens = structural;
    }
    store<u64>(masks, structural);
    store<u64>(masks, ends, 8);
  }
  if (withQuotes) {
    holdsQuote = anyQuoteBits != 0;
  } else {
    holdsQuote = v128.any_true(anyQuote) && quote != NO_QUOTE;
    if (holdsQuote) return false;
    opens >>= 63;
    recordCount = endCount;
  }
  holdsReturn = v128.any_true(anyReturn);
  if (!withReturns && holdsReturn) return false;
  inQuote = quoted;
  mayOpen = opens;
  mustFollow = follows;
  afterReturn = returned;
  bad |= wrong;
  lineEnds += endCount;
  recordEnds += recordCount;
  return true;
}

/** Line ends in [start, end) of the text at `base`, where a line begins or goes on at `start`. */
export function countLineEnds(base: usize, start: u32, end: u32): u32 {
  const lineFeeds = i8x16.splat(i8(LF));
  const returns = i8x16.splat(i8(CR));
  let count: u32 = 0;
  let afterReturn: u32 = 0;
  for (let i = start; i < end; i += 16) {
    const block = v128.load(base + i);
    const cr = u32(i8x16.bitmask(i8x16.eq(block, returns)));
    const lf = u32(i8x16.bitmask(i8x16.eq(block, lineFeeds)));
    const ends = cr | (lf & ~((cr << 1) | afterReturn));
    afterReturn = cr >> 15;
    count += u32(popcnt(u64(ends) & lowBits(end - i)));
  }
  return count;
}
