// Stage 1: the structure of delimited text, 64 bytes a step.
//
// Works on text in which every quote is regular: it opens a field right after a delimiter, a line
// end or the start, or it is doubled, or it closes the field right before a delimiter, a line end or
// the end. Then the parity of the quotes before a byte says whether the byte is quoted. Anything
// else sets `irregular`, and the caller reads the batch with the scalar tokenizer.
import { equalMask, lowBits, prefixXor } from './masks';

export { addBlock, clearGroups, encodeGroups, hasRoom, sortGroups } from './aggregate/index';
export { fillFirstFields } from './field';
export { addMember, select } from './filter/index';
export { writeRecords, writeRuns } from './output/write-records';
export { initColumn, listRegisters } from './profile/column-state';
export { profileColumn } from './profile/profile-column';
export { flushColumn } from './profile/value-cache';
export {
  scanFound,
  scanIrregular,
  scanLines,
  scanPassedEnd,
  scanPassedLines,
  scanRecords,
  scanState,
  setScanDialect,
  setScanLimits,
} from './scan';

const LF: i8 = 10;
const CR: i8 = 13;

let recordCount: u32 = 0;
let fieldCount: u32 = 0;
let lineCount: u32 = 0;
let irregular: bool = false;

export function heapBase(): usize {
  return __heap_base;
}
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

/**
 * Writes the structure of the records in [start, end) of the text at `base`; at least 64 bytes
 * behind `end` must be readable. `start` is a record's first byte.
 *
 * Arrays of u32: fieldStarts and fieldEnds (capacity `fieldMax` + 65), recordFields (`recordMax` +
 * 65), recordStarts, recordEnds, recordLines. Records stop before an array would overflow.
 * `skipBlank`: lines without a byte are no records. Returns the offset behind the last whole record.
 * When `isFinal`, text behind the last line end is a record too; an open quote there is irregular.
 */
export function tokenize(
  base: usize,
  start: u32,
  end: u32,
  isFinal: bool,
  delimiter: u32,
  quote: u32,
  skipBlank: bool,
  fieldStarts: usize,
  fieldEnds: usize,
  recordFields: usize,
  recordStarts: usize,
  recordEnds: usize,
  recordLines: usize,
  fieldMax: u32,
  recordMax: u32,
  firstLine: u32,
): u32 {
  const delimiters = i8x16.splat(i8(delimiter));
  const quotes = i8x16.splat(i8(quote));
  const lineFeeds = i8x16.splat(LF);
  const returns = i8x16.splat(CR);
  let inQuote: u64 = 0; // all ones inside a quoted field
  let mayOpen: u64 = 1; // bit 0: the byte before the block was structural or a quote
  let mustFollow: u64 = 0; // bit 0: the byte before the block closed a quote
  let afterReturn: u64 = 0; // bit 0: the byte before the block was CR
  let bad: u64 = 0;
  let f: u32 = 0; // fields written
  let r: u32 = 0; // records written
  let recordStart: u32 = start;
  let recordFirstField: u32 = 0;
  let line: u32 = firstLine; // line of the block's first byte
  let recordLine: u32 = firstLine;
  let consumed: u32 = start;
  store<u32>(fieldStarts, start);

  for (let i: u32 = start; i < end; i += 64) {
    if (f + 64 > fieldMax || r + 64 > recordMax) {
      recordCount = r;
      fieldCount = recordFirstField;
      lineCount = recordLine - firstLine;
      irregular = bad != 0;
      store<u32>(recordFields + (<usize>r << 2), recordFirstField);
      return consumed;
    }
    const p = base + i;
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const valid = lowBits(end - i);
    const lf = equalMask(a, b, c, d, lineFeeds) & valid;
    const cr = equalMask(a, b, c, d, returns) & valid;
    const separators = equalMask(a, b, c, d, delimiters) & valid;
    const qa = i8x16.eq(a, quotes);
    const qb = i8x16.eq(b, quotes);
    const qc = i8x16.eq(c, quotes);
    const qd = i8x16.eq(d, quotes);
    let q: u64 = 0;
    if (quote != 256 && v128.any_true(v128.or(v128.or(qa, qb), v128.or(qc, qd)))) {
      q = equalMask(a, b, c, d, quotes) & valid;
    }
    // One line end a line: the LF of CRLF does not count.
    const ends = cr | (lf & ~((cr << 1) | afterReturn));
    let structural: u64 = separators | ends;
    let recordEndBits: u64 = ends;
    if ((q | inQuote | mustFollow) != 0) {
      const inside = prefixXor(q) ^ inQuote;
      const secondHalf = lf & ~ends; // LF of a CRLF: neither structural nor a byte of a field
      structural &= ~inside;
      recordEndBits &= ~inside;
      inQuote = u64(i64(inside) >> 63);
      const opening = q & inside;
      const closing = q & ~inside;
      const edges = structural | q | (secondHalf & ~inside);
      bad |= opening & ~((edges << 1) | mayOpen);
      bad |= ((closing << 1) | mustFollow) & ~edges & valid;
      mustFollow = closing >> 63;
      mayOpen = edges >> 63;
    } else {
      mayOpen = (structural | lf) >> 63;
    }
    afterReturn = cr >> 63;

    // Fields: every structural byte ends one and starts the next.
    const count = u32(popcnt(structural));
    if (count != 0) {
      let s = structural;
      let ends_ = fieldEnds + (<usize>f << 2);
      let starts_ = fieldStarts + (<usize>f << 2) + 4;
      for (let k: u32 = 0; k < count; k += 8) {
        emit8(s, i, ends_, starts_);
        s = drop8(s);
        ends_ += 32;
        starts_ += 32;
      }
    }

    // Records: few a block.
    let e = recordEndBits;
    while (e != 0) {
      const bit = u32(ctz(e));
      const at = i + bit;
      const below = lowBits(bit);
      const nextField = f + u32(popcnt(structural & below)) + 1;
      const isCrLf = ((cr >> u64(bit)) & 1) != 0 && at + 1 < end && load<u8>(base + at + 1) == LF;
      if (at + 1 == end && ((cr >> u64(bit)) & 1) != 0 && !isFinal) {
        break; // a CR at the very end waits for the byte behind it
      }
      const next = at + 1 + u32(isCrLf);
      if (!(skipBlank && at == recordStart)) {
        store<u32>(recordFields + (<usize>r << 2), recordFirstField);
        store<u32>(recordStarts + (<usize>r << 2), recordStart);
        store<u32>(recordEnds + (<usize>r << 2), at);
        store<u32>(recordLines + (<usize>r << 2), recordLine);
        r++;
        recordFirstField = nextField;
      } else {
        bad = 1; // its empty field would stand between two records' fields: left to the scalar reader
        recordFirstField = nextField;
      }
      recordStart = next;
      consumed = next;
      recordLine = line + u32(popcnt(ends & below)) + 1;
      store<u32>(fieldStarts + (<usize>nextField << 2), next);
      e &= e - 1;
    }
    f += count;
    line += u32(popcnt(ends));
  }

  if (isFinal && recordStart < end) {
    if (inQuote != 0) bad = 1;
    store<u32>(fieldEnds + (<usize>f << 2), end);
    store<u32>(recordFields + (<usize>r << 2), recordFirstField);
    store<u32>(recordStarts + (<usize>r << 2), recordStart);
    store<u32>(recordEnds + (<usize>r << 2), end);
    store<u32>(recordLines + (<usize>r << 2), recordLine);
    r++;
    f++;
    recordFirstField = f;
    recordLine = line;
    consumed = end;
  }
  store<u32>(recordFields + (<usize>r << 2), recordFirstField);
  recordCount = r;
  fieldCount = recordFirstField;
  lineCount = recordLine - firstLine;
  irregular = bad != 0;
  return consumed;
}

@inline
function emit8(s: u64, i: u32, ends_: usize, starts_: usize): void {
  let at: u32;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 0); store<u32>(starts_, at + 1, 0); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 4); store<u32>(starts_, at + 1, 4); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 8); store<u32>(starts_, at + 1, 8); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 12); store<u32>(starts_, at + 1, 12); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 16); store<u32>(starts_, at + 1, 16); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 20); store<u32>(starts_, at + 1, 20); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 24); store<u32>(starts_, at + 1, 24); s &= s - 1;
  at = i + u32(ctz(s)); store<u32>(ends_, at, 28); store<u32>(starts_, at + 1, 28);
}

@inline
function drop8(s: u64): u64 {
  s &= s - 1; s &= s - 1; s &= s - 1; s &= s - 1;
  s &= s - 1; s &= s - 1; s &= s - 1; s &= s - 1;
  return s;
}
