// Stage 2: the fields and records of delimited text, from the masks of its structure.
//
// First the ends of all fields are listed, of whatever record; then the records among them, by what
// ends their fields. Mostly all records have as many fields, so that few ends are looked at.
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
  passedRecordEnds,
  readSlab,
  recordEndsAt,
  structuralAt,
} from './structure';

/** CR and LF as a little-endian number. */
const CRLF: u32 = 0x0a0d;

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
/** Whether only the scalar tokenizer reads this text: nothing that was written counts. */
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
  /** Written by `listLines` alone. */
  recordLines: usize;
  fieldMax: u32;
}

/** What `listFields` found: how many fields, and records that are ended. */
let fieldsFound: u32 = 0;
let recordsFound: u32 = 0;
/** Where the masks end that it went by. */
let listedTo: u32 = 0;

/**
 * Writes the structure of the records in [start, end) of the text at `base`. `isFinal`: the text
 * ends there, and 64 zeros follow; else the text goes on. `start` is a record's first byte.
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
): u32 {
  beginStructure(delimiter, quote);
  const isWhole = listFields(frame, base, start, endOfBlocks(start, end, isFinal), recordMax);
  irregular = !isRegular();
  startFields(frame, start);
  const stride = fieldsOfFirst(frame, base);
  let next = findRecords(frame, base, start, stride, skipBlank);
  even = stride;
  if (recordCount != recordsFound) {
    next = findRecords(frame, base, start, 1, skipBlank);
    even = 0;
  }
  lineCount = passedLineEnds();
  if (isFinal && isWhole && next < end) next = endLast(frame, end);
  else lineCount -= countLineEnds(base, next, listedTo);
  fieldCount = load<u32>(frame.recordFields + (<usize>recordCount << 2));
  return next;
}

/** Writes the line of each record that was found last; that of the first is `firstLine`. */
export function listLines(frame: IndexFrame, base: usize, firstLine: u32): void {
  let line = firstLine;
  for (let slot: usize = 0; slot < <usize>recordCount << 2; slot += 4) {
    store<u32>(frame.recordLines + slot, line);
    const start = load<u32>(frame.recordStarts + slot);
    line += countLineEnds(base, start, load<u32>(frame.recordEnds + slot)) + 1;
  }
}

/** Lists the ends of fields; false when it stopped before `to`, where there was no room for more. */
@inline
function listFields(frame: IndexFrame, base: usize, start: u32, to: u32, recordMax: u32): bool {
  const first = frame.fieldEnds;
  const targetMax = first + (<usize>(frame.fieldMax - 64) << 2);
  const listedMax = recordMax - 64;
  let target = first;
  let recordsListed: u32 = 0;
  let isFull = false;
  listedTo = start;
  for (let slab = start; slab < to && !isFull; slab += SLAB_BYTES) {
    const slabEnd = min(slab + SLAB_BYTES, to);
    readSlab(base, slab, slabEnd);
    if (target + (SLAB_BYTES << 2) <= targetMax && passedRecordEnds() <= listedMax) {
      for (let i = slab; i < slabEnd; i += 64) target = listBlock(structuralAt(i - slab), i, target);
      recordsListed = passedRecordEnds();
    } else {
      for (let i = slab; i < slabEnd; i += 64) {
        if (target > targetMax || recordsListed > listedMax) {
          isFull = true;
          break;
        }
        target = listBlock(structuralAt(i - slab), i, target);
        recordsListed += u32(popcnt(recordEndsAt(i - slab)));
      }
    }
    listedTo = slabEnd;
  }
  fieldsFound = u32(target - first) >> 2;
  recordsFound = recordsListed;
  return !isFull;
}

/** Lists the set bits, as offsets from `i`; returns where the next one goes. */
@inline
function listBlock(bits: u64, i: u32, target: usize): usize {
  const end = target + (<usize>popcnt(bits) << 2);
  for (; target < end; target += 32) bits = list8(bits, i, target);
  return end;
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
  const ends = frame.fieldEnds;
  const starts = frame.fieldStarts + 4;
  const length = <usize>fieldsFound << 2;
  store<u32>(frame.fieldStarts, start);
  for (let at: usize = 0; at < length; at += 32) {
    v128.store(starts + at, i32x4.add(v128.load(ends + at), ones));
    v128.store(starts + at, i32x4.add(v128.load(ends + at, 16), ones), 16);
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
): u32 {
  // Stores keep what lies in memory from being held in registers.
  const fieldStarts = frame.fieldStarts;
  const fieldEnds = frame.fieldEnds;
  const recordFields = frame.recordFields;
  const recordStarts = frame.recordStarts;
  const recordEnds = frame.recordEnds;
  const fieldTotal = fieldsFound;
  let recordStart = start;
  let slot: usize = 0; // of the record, in bytes
  let isBlank: u32 = 0;
  store<u32>(recordFields, 0);
  store<u32>(recordStarts, start);
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
    store<u32>(recordEnds + slot, at);
    slot += 4;
    store<u32>(recordFields + slot, field);
    store<u32>(recordStarts + slot, recordStart);
  }
  recordCount = u32(slot >> 2);
  // The empty field of a blank line would stand between two records' fields: left to the scalar reader.
  if (skipBlank && isBlank != 0) irregular = true;
  return recordStart;
}

/** Ends the last record, which no line end does. Returns `end`. */
function endLast(frame: IndexFrame, end: u32): u32 {
  const slot = <usize>recordCount << 2;
  const field = <usize>fieldsFound << 2;
  if (fieldsFound + 1 - load<u32>(frame.recordFields + slot) != even) even = 0;
  store<u32>(frame.fieldEnds + field, end);
  store<u32>(frame.recordEnds + slot, end);
  store<u32>(frame.recordFields + slot, fieldsFound + 1, 4);
  recordCount++;
  if (isOpen()) irregular = true;
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
