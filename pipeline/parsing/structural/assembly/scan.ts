// Ends of records, 64 bytes a step, and which of them may end a chunk. See StructuralScanner.
//
// Regular quotes are told by their parity, as in tokenize; a block with an irregular one is left to
// the scalar scanner, which takes over at that block's first byte.
import { equalMask, lowBits, prefixXor } from './masks';

const LF: u32 = 10;
const CR: u32 = 13;
const NONE: u32 = 0xffffffff;
const WINDOW_BYTES: u32 = 32;

// States between two bytes: those of RecordMachine.
const RECORD_START: u32 = 0;
const FIELD_START: u32 = 1;
const UNQUOTED: u32 = 2;
const QUOTED: u32 = 3;
const QUOTE_SEEN: u32 = 4;

// The dialect. A quote of 256 stands for none. Where `returns` is set, CR and CRLF end a line too.
let delimiter: u32 = 0;
let quote: u32 = 256;
let lineFeed: u32 = LF;
let returns: bool = true;

// The boundary rule (pipeline/chunking/boundary-rule.ts), and the longest record.
let minBytes: u32 = 0;
let targetBytes: u32 = 0;
let easeBytes: u32 = 0;
let maxBytes: u32 = 0;
let recordMax: u32 = 0;

// What the last call found.
let state: u32 = RECORD_START;
let lines: u32 = 0;
let found: bool = false;
let irregular: bool = false;
let passedEnd: u32 = NONE;
let passedLines: u32 = 0;

export function setScanDialect(d: u32, q: u32, newline: u32, withReturns: bool): void {
  delimiter = d;
  quote = q;
  lineFeed = newline;
  returns = withReturns;
}
export function setScanLimits(min: u32, target: u32, ease: u32, max: u32, record: u32): void {
  minBytes = min;
  targetBytes = target;
  easeBytes = ease;
  maxBytes = max;
  recordMax = record;
}
/** State behind the byte before the returned offset. */
export function scanState(): u32 {
  return state;
}
/** Line ends in [from, returned offset). */
export function scanLines(): u32 {
  return lines;
}
/** Whether the returned offset is the end of a record that may end the chunk. */
export function scanFound(): bool {
  return found;
}
/** Whether the block at the returned offset needs the scalar scanner. */
export function scanIrregular(): bool {
  return irregular;
}
/** The last record's end before the one found, or before the returned offset; or 2^32 - 1. */
export function scanPassedEnd(): u32 {
  return passedEnd;
}
/** Line ends in [from, passedEnd). */
export function scanPassedLines(): u32 {
  return passedLines;
}

/**
 * Reads [from, to) of the text at `base` in state `first`, up to the next end of a record that may
 * end the chunk which starts at `chunkStart`, or with `every` up to the next end. `recordStart` is
 * where the open record starts. At least 64 bytes behind `to` are readable; the byte before `to` is
 * no CR whose LF may be yet to come. Returns the offset that was read to.
 */
export function scanRecords(
  base: usize,
  from: u32,
  to: u32,
  first: u32,
  chunkStart: u32,
  recordStart: u32,
  every: bool,
): u32 {
  const lineFeeds = i8x16.splat(i8(lineFeed));
  const quotes = i8x16.splat(i8(quote));
  const hasQuotes = quote != 256;
  // Before this offset no record can end the chunk.
  const jumpTo: u32 = every ? 0 : chunkStart + min(minBytes, recordMax);
  let inQuote: u64 = first == QUOTED ? ~u64(0) : 0;
  let mustFollow: u64 = u64(first == QUOTE_SEEN);
  let afterReturn: u64 = 0;
  let line: u32 = 0; // line ends before the block
  let previous = recordStart;
  found = false;
  irregular = false;
  passedEnd = NONE;

  for (let i: u32 = from; i < to; i += 64) {
    const p = base + i;
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const valid = lowBits(to - i);
    const lf = equalMask(a, b, c, d, lineFeeds) & valid;
    const cr = returns ? returnMask(a, b, c, d) & valid : 0;
    const q = hasQuotes ? quoteMask(a, b, c, d, quotes) & valid : 0;
    // One line end a line: the LF of CRLF does not count.
    const ends = cr | (lf & ~((cr << 1) | afterReturn));
    let recordEnds = ends;
    if ((q | inQuote | mustFollow) != 0) {
      const inside = prefixXor(q) ^ inQuote;
      const separators = equalMask(a, b, c, d, i8x16.splat(i8(delimiter))) & valid;
      const edges = ((separators | cr | lf) & ~inside) | q;
      const opening = q & inside;
      const closing = q & ~inside;
      const mayOpen = u64(i == from ? first != UNQUOTED : isEdge(load<u8>(p - 1)));
      const bad =
        (opening & ~((edges << 1) | mayOpen)) |
        (((closing << 1) | mustFollow) & ~edges & valid);
      if (bad != 0) return leave(base, from, i, to, first, inQuote, mustFollow, afterReturn, line);
      recordEnds &= ~inside;
      inQuote = u64(i64(inside) >> 63);
      mustFollow = closing >> 63;
    }
    afterReturn = cr >> 63;

    if (i + 65 < jumpTo) {
      if (recordEnds != 0) {
        const top = 63 - u32(clz(recordEnds));
        previous = endBehind(base, i + top, to, (cr >> u64(top)) & 1);
        passedEnd = previous;
        passedLines = line + u32(popcnt(ends & lowBits(top + 1)));
      }
    } else {
      let e = recordEnds;
      while (e != 0) {
        const bit = u32(ctz(e));
        const end = endBehind(base, i + bit, to, (cr >> u64(bit)) & 1);
        const lineAt = line + u32(popcnt(ends & lowBits(bit + 1)));
        if (every || mayCut(base, chunkStart, end, end - previous)) {
          found = true;
          lines = lineAt;
          state = RECORD_START;
          return end;
        }
        previous = end;
        passedEnd = end;
        passedLines = lineAt;
        e &= e - 1;
      }
    }
    line += u32(popcnt(ends));
  }
  lines = line;
  const isClosed = to > from && quote != 256 && load<u8>(base + to - 1) == quote;
  state = to == from ? first : stateBehind(base, to, inQuote != 0, isClosed);
  return to;
}

/** Stops before a block: its first byte is where the scalar scanner begins. */
function leave(
  base: usize,
  from: u32,
  i: u32,
  to: u32,
  first: u32,
  inQuote: u64,
  mustFollow: u64,
  afterReturn: u64,
  line: u32,
): u32 {
  irregular = true;
  lines = line;
  if (i == from) {
    state = first;
    return i;
  }
  state = stateBehind(base, i, inQuote != 0, mustFollow != 0);
  // The LF of a CRLF belongs to the line end before it.
  const isSplit = afterReturn != 0 && i < to && load<u8>(base + i) == LF;
  return i + u32(isSplit);
}

function stateBehind(base: usize, at: u32, isQuoted: bool, isClosed: bool): u32 {
  if (isQuoted) return QUOTED;
  if (isClosed) return QUOTE_SEEN;
  const byte = load<u8>(base + at - 1);
  if (byte == lineFeed || (returns && byte == CR)) return RECORD_START;
  return byte == delimiter ? FIELD_START : UNQUOTED;
}

/** Whether a quote may open a field behind this byte, outside quotes. */
@inline
function isEdge(byte: u8): bool {
  return byte == delimiter || byte == lineFeed || (returns && byte == CR) || byte == quote;
}

/** One past the line end at `at`. */
@inline
function endBehind(base: usize, at: u32, to: u32, isReturn: u64): u32 {
  return at + 1 + u32(isReturn != 0 && at + 1 < to && load<u8>(base + at + 1) == LF);
}

@inline
function returnMask(a: v128, b: v128, c: v128, d: v128): u64 {
  const byte = i8x16.splat(i8(CR));
  const any = v128.or(
    v128.or(i8x16.eq(a, byte), i8x16.eq(b, byte)),
    v128.or(i8x16.eq(c, byte), i8x16.eq(d, byte)),
  );
  return v128.any_true(any) ? equalMask(a, b, c, d, byte) : 0;
}

@inline
function quoteMask(a: v128, b: v128, c: v128, d: v128, byte: v128): u64 {
  const any = v128.or(
    v128.or(i8x16.eq(a, byte), i8x16.eq(b, byte)),
    v128.or(i8x16.eq(c, byte), i8x16.eq(d, byte)),
  );
  return v128.any_true(any) ? equalMask(a, b, c, d, byte) : 0;
}

/** Whether the chunker must look at this end: the boundary rule holds, or a bound is exceeded. */
@inline
function mayCut(base: usize, start: u32, end: u32, recordBytes: u32): bool {
  const chunkBytes = end - start;
  if (chunkBytes > maxBytes || recordBytes > recordMax) return true;
  if (chunkBytes < minBytes) return false;
  const factor: f64 = chunkBytes < targetBytes ? 1.5 : chunkBytes < easeBytes ? 0.75 : 0.25;
  const threshold = (f64(recordBytes) / (f64(targetBytes) * factor)) * 4294967296.0;
  const windowStart = chunkBytes > WINDOW_BYTES ? end - WINDOW_BYTES : start;
  return f64(hash32(base, windowStart, end)) < threshold;
}

/** MurmurHash3 (A. Appleby) of four bytes at a time, from the end. */
@inline
function hash32(base: usize, start: u32, end: u32): u32 {
  let hash = end - start;
  let left = end - start;
  let p = base + end;
  for (; left >= 4; left -= 4) {
    p -= 4;
    hash = mixWord(hash, load<u32>(p));
  }
  for (; left > 0; left--) {
    p -= 1;
    hash = mixWord(hash, u32(load<u8>(p)));
  }
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

@inline
function mixWord(hash: u32, word: u32): u32 {
  const mixed = hash ^ (rotl(word * 0xcc9e2d51, 15) * 0x1b873593);
  return rotl(mixed, 13) * 5 + 0xe6546b64;
}
