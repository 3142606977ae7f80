// The profile of one column over a block of records: every value adds to the column's state, or is
// handed back to the reference implementation, whole.
import { FieldFrame, MALFORMED, SCRATCH, SCRATCH_BYTES, unescapeInto } from '../field';
import { charactersOf, countCharacters, holds, loadPadded } from './blocks';
import {
  ColumnState,
  DATE,
  DATETIME,
  DEFERRED,
  INTEGER,
  NULL_TEXT,
  NUMBER,
  PRECISION,
  addKind,
  registersOf,
} from './column-state';
import { mantissa, scale } from './number-scan';
import { addToSum, widenBounds } from './numbers';
import { widenTexts } from './text-bounds';
import { timeKey } from './time-scan';
import { countEntry, entryOf, isEntryOf, replaceEntry } from './value-cache';
import { hashOfBlock, hashOfBytes, hashOfTwoBlocks } from './value-hash';
import { longKind, shortKind } from './value-kind';

/** Longest value that the cache takes. */
const SHORT_BYTES: u32 = 16;
/** Lookups from which a block tells whether the cache is of use, and the blocks that pass it by when
 *  most of them fail. */
const TRIAL_LOOKUPS: u32 = 64;
const BYPASS_BLOCKS: u32 = 8;

/** Records of a block, at most. */
const BLOCK_RECORDS_MAX = 1024;

/** The values of a block that are new to the sketch: register above rank. */
const SKETCHED: usize = memory.data(4 * BLOCK_RECORDS_MAX);
let sketchedCount: u32 = 0;

/** pipeline/profile/profile-kernel.ts fills it. */
@unmanaged
export class BatchFrame extends FieldFrame {
  /** Out: the fields handed back, as positions in `fieldStarts`. */
  deferred: usize;
}

/** Takes the field `position` of the selected records [from, to), and returns how many of them it
 *  hands back. `frame.deferred` has room for all. */
export function profileColumn(
  frame: BatchFrame,
  state: ColumnState,
  position: u32,
  from: u32,
  to: u32,
): u32 {
  const usesCache = state.cacheEntries != 0 && state.bypass == 0;
  const entryMask = state.cacheEntries - 1;
  const text = frame.text;
  const fieldStarts = frame.fieldStarts + (<usize>position << 2);
  const fieldEnds = frame.fieldEnds + (<usize>position << 2);
  const firstFields = frame.firstFields;
  const quote = frame.quote;
  let deferredCount: u32 = 0;
  let blankCount: u32 = 0;
  let lookups: u32 = 0;
  let misses: u32 = 0;
  for (let i = from; i < to; i++) {
    const firstField = load<u32>(firstFields + (<usize>i << 2));
    const start = load<u32>(fieldStarts + (<usize>firstField << 2));
    let length = load<u32>(fieldEnds + (<usize>firstField << 2)) - start;
    let p = text + start;
    if (length != 0 && u32(load<u8>(p)) == quote) {
      if (isPlainlyQuoted(p, length, u8(quote))) {
        p += 1;
        length -= 2;
      } else {
        length = unescapeInto(SCRATCH, SCRATCH_BYTES, p, length, u8(quote));
        p = SCRATCH;
        if (length == MALFORMED) {
          handBack(frame, deferredCount++, firstField + position);
          continue;
        }
      }
    }
    if (length == 0) {
      blankCount++;
      continue;
    }
    if (length > SHORT_BYTES) {
      const kind = addLong(state, p, length);
      if (kind == DEFERRED) handBack(frame, deferredCount++, firstField + position);
      continue;
    }
    const block = loadPadded(p, length);
    let entry: usize = 0;
    if (usesCache) {
      const first: u64 = i64x2.extract_lane(block, 0);
      const second: u64 = i64x2.extract_lane(block, 1);
      entry = entryOf(state, first, second, entryMask);
      lookups++;
      if (isEntryOf(entry, first, second, length)) {
        countEntry(entry);
        continue;
      }
      misses++;
    }
    const kind = addShort(frame, state, entry, p, length, block);
    if (kind == DEFERRED) handBack(frame, deferredCount++, firstField + position);
  }
  sketchBlock(state);
  state.blankCount += blankCount;
  if (state.bypass != 0) state.bypass--;
  else if (lookups >= TRIAL_LOOKUPS && misses * 2 > lookups) state.bypass = BYPASS_BLOCKS;
  return deferredCount;
}

@inline
function handBack(frame: BatchFrame, count: u32, field: u32): void {
  store<u32>(frame.deferred + (<usize>count << 2), field);
}

/** Takes a value of at most 16 bytes, into `entry` of the cache unless that is 0. */
function addShort(
  frame: BatchFrame,
  state: ColumnState,
  entry: usize,
  p: usize,
  length: u32,
  block: v128,
): u32 {
  let kind: u32 = NULL_TEXT;
  if (!isNullText(frame, block, length)) {
    kind = shortKind(p, length, block);
    if (kind == DEFERRED) return kind;
    widenTexts(state, p, length, block);
    observe(state, kind, charactersOf(block, length), hashOfBlock(block, length));
  }
  if (entry != 0) replaceEntry(state, entry, block, length, kind, mantissa, scale);
  else count(state, kind);
  return kind;
}

/** Takes a value of more than 16 bytes. */
function addLong(state: ColumnState, p: usize, length: u32): u32 {
  const kind = longKind(p, length);
  if (kind == DEFERRED) return kind;
  const head = v128.load(p);
  widenTexts(state, p, length, head);
  if (length <= 2 * SHORT_BYTES) {
    const tail = loadPadded(p + SHORT_BYTES, length - SHORT_BYTES);
    const characters = charactersOf(head, SHORT_BYTES) + charactersOf(tail, length - SHORT_BYTES);
    observe(state, kind, characters, hashOfTwoBlocks(head, tail, length));
  } else {
    observe(state, kind, countCharacters(p, length), hashOfBytes(p, length));
  }
  count(state, kind);
  return kind;
}

/** Adds what is the same however often the value comes. */
@inline
function observe(state: ColumnState, kind: u32, characters: u32, hash: u64): void {
  if (kind == INTEGER || kind == NUMBER) {
    widenBounds(state, mantissa, scale);
  } else if (kind == DATE || kind == DATETIME) {
    if (timeKey < state.timeMin) state.timeMin = timeKey;
    if (timeKey > state.timeMax) state.timeMax = timeKey;
  }
  if (characters < state.lengthMin) state.lengthMin = characters;
  if (characters > state.lengthMax) state.lengthMax = characters;
  const rank = u32(clz((hash << PRECISION) | (1 << (PRECISION - 1)))) + 1;
  store<u32>(SKETCHED + <usize>(sketchedCount << 2), (u32(hash >> (64 - PRECISION)) << 8) | rank);
  sketchedCount++;
}

/** Takes the values of the block into the sketch: its registers lie far apart, and in a loop of
 *  nothing else many of them come at the same time. */
function sketchBlock(state: ColumnState): void {
  const registers = registersOf(state);
  for (let at = SKETCHED; at < SKETCHED + <usize>(sketchedCount << 2); at += 4) {
    const entry = load<u32>(at);
    const register = registers + <usize>(entry >> 8);
    store<u8>(register, max<u32>(load<u8>(register), entry & 0xff));
  }
  sketchedCount = 0;
}

/** Adds what each occurrence adds. */
@inline
function count(state: ColumnState, kind: u32): void {
  addKind(state, kind, 1);
  if (kind == INTEGER || kind == NUMBER) addToSum(state, mantissa, scale, 1);
}

@inline
function isNullText(frame: BatchFrame, block: v128, length: u32): bool {
  for (let i: u32 = 0; i < frame.nullTextCount; i++) {
    const text = frame.nullTexts + (<usize>i << 5);
    if (load<u32>(text, 16) == length && !v128.any_true(v128.xor(v128.load(text), block))) {
      return true;
    }
  }
  return false;
}

/** Whether the field that begins with a quote is its value in quotes as it stands. */
@inline
function isPlainlyQuoted(p: usize, length: u32, quote: u8): bool {
  return length > 1 && load<u8>(p + length - 1) == quote && !holds(p + 1, length - 2, quote);
}
