// Counts records without listing their fields, where all of them have the same number of fields.
//
// What is irregular, a record with another number of fields, a blank line among several columns:
// nothing is counted, and the caller reads the text.
import {
  CR,
  LF,
  SLAB_BYTES,
  beginStructure,
  countLineEnds,
  endOfBlocks,
  isOpen,
  isRegular,
  passedLineEnds,
  readSlab,
  recordEndsAt,
  structuralAt,
} from './structure';

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

/** Structural bytes and records so far; whether a record had another number of fields; and where the
 *  last record's end is. */
let structuralCount: u32 = 0;
let found: u32 = 0;
let uneven: u32 = 0;
let lastEnd: u32 = 0;

/**
 * Counts the records in [start, end) of the text at `base`, each of `columns` fields. `isFinal`: the
 * text ends there, and 64 zeros follow; else the text goes on. `start` is a record's first byte.
 * Returns the offset behind the last whole record, or 2^32 - 1 where a record is not as it must be.
 * When `isFinal`, text behind the last line end is a record too.
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
  const to = endOfBlocks(start, end, isFinal);
  structuralCount = 0;
  found = 0;
  uneven = 0;
  beginStructure(delimiter, quote);
  for (let slab = start; slab < to; slab += SLAB_BYTES) {
    const slabEnd = min(slab + SLAB_BYTES, to);
    readSlab(base, slab, slabEnd);
    countSlab(slab, slabEnd, columns);
  }
  let next = found == 0 ? start : endBehind(base, lastEnd);
  recordCount = found;
  lineCount = passedLineEnds();
  if (isFinal && next < end) {
    uneven |= u32(isOpen()) | ((structuralCount + 1) ^ ((found + 1) * columns));
    recordCount++;
    next = end;
  } else lineCount -= countLineEnds(base, next, to);
  return isRegular() && uneven == 0 ? next : UNEVEN;
}

@inline
function countSlab(slab: u32, slabEnd: u32, columns: u32): void {
  let count = structuralCount;
  let records = found;
  let expected = (records + 1) * columns;
  let wrong: u32 = 0;
  for (let i = slab; i < slabEnd; i += 64) {
    const structural = structuralAt(i - slab);
    for (let ends = recordEndsAt(i - slab); ends != 0; ends &= ends - 1) {
      wrong |= (count + u32(popcnt(structural & (ends ^ (ends - 1))))) ^ expected;
      expected += columns;
      records++;
      lastEnd = i + u32(ctz(ends));
    }
    count += u32(popcnt(structural));
  }
  structuralCount = count;
  found = records;
  uneven |= wrong;
}

/** Where the record behind a line end starts. */
@inline
function endBehind(base: usize, at: u32): u32 {
  return at + 1 + u32(u32(load<u16>(base + at)) == ((LF << 8) | CR));
}
