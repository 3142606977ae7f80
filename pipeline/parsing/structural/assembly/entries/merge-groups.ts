// Groups of several partials merged and written as RFC 4180 records, as pipeline/exchange/
// group-entries.ts does it. Entries are groups: those with one key are one group. Numbers that are very
// large or small are left.
import { INTEGER } from '../column-type';
import { compareBytes, loadPadded, matches } from '../profile/blocks';
import { decimalText, DECIMAL_BYTES_MAX, integerText } from './decimal-text';
import { EntryFrame } from './frame';
import { lengthOf, startOf } from './keys';
import { quotientText } from './quotient-text';

/** Measures, as pipeline/exchange/group-kernel.ts numbers them. */
const COUNT: u32 = 0;
const SUM: u32 = 1;
const MEAN: u32 = 2;

@unmanaged
class MergeFrame {
  entries: EntryFrame;
  keyColumns: u32;
  /** `Measure`s, one behind another, and a `State` for each. */
  measures: usize;
  measureCount: u32;
  states: usize;
  /** Out: groups written. */
  groups: u32;
}

@unmanaged
class Measure {
  kind: u32;
  /** Of the values. */
  type: u32;
}

/** What is known of one measure of the group at work. */
@unmanaged
class State {
  /** Values, or records. */
  count: u64;
  /** Of sums and means: mantissa / 10^scale. */
  mantissa: i64;
  scale: u32;
}

const MEASURE_BYTES: usize = 8;
const STATE_BYTES: usize = 24;
/** Doubles hold all whole numbers up to here. */
const SAFE: i64 = 9007199254740991;
const SCALE_MAX: u32 = 18;

/** Quotes around a text of the key, and what stands behind it. */
const KEY_COLUMN_BYTES: u32 = 3;
const COMMA: u8 = 0x2c;
const QUOTE: u8 = 0x22;
const LF: u8 = 0x0a;
const CR: u8 = 0x0d;

const POWERS: usize = memory.data<i64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
  1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
  1_000_000_000_000_000_000,
]);

/** Where the number that was read last ends. */
let ended: usize = 0;

/**
 * Merges and writes the groups from place `from` of the order on, until one is left to the caller
 * or has no room. Returns its first place; 0 bytes written and `from` say that it is left.
 */
export function mergeGroups(frame: MergeFrame, from: u32): u32 {
  const entries = frame.entries;
  const count = entries.count;
  const output = entries.output;
  const limit = output + entries.outputBytes;
  let at = output;
  let place = from;
  frame.groups = 0;
  while (place < count) {
    const next = readGroup(frame, place);
    if (next == 0) break;
    const entry = entryAt(entries, place);
    const record = recordOf(entries, entry);
    // Of a key each byte may be a quote, which is doubled; each column has quotes and a comma.
    const keyMost = 2 * recordLength(entries, entry) + KEY_COLUMN_BYTES * frame.keyColumns;
    const most = keyMost + (frame.measureCount + 1) * DECIMAL_BYTES_MAX;
    if (at + most > limit) break;
    const end = writeGroup(frame, record, at);
    if (end == 0) break;
    at = end;
    place = next;
    frame.groups += 1;
  }
  entries.outputLength = u32(at - output);
  return place;
}

@inline
function entryAt(entries: EntryFrame, place: u32): u32 {
  return load<u32>(entries.order + (<usize>place << 2));
}

@inline
function recordOf(entries: EntryFrame, entry: u32): usize {
  return entries.recordText + load<u32>(entries.recordStarts + (<usize>entry << 2));
}

@inline
function recordLength(entries: EntryFrame, entry: u32): u32 {
  const at = <usize>entry << 2;
  return load<u32>(entries.recordEnds + at) - load<u32>(entries.recordStarts + at);
}

/** Merges the entries with the key at `place`; the place behind them, or 0 when they are left. */
function readGroup(frame: MergeFrame, place: u32): u32 {
  const entries = frame.entries;
  const first = entryAt(entries, place);
  // Far faster than memory.fill for so few bytes.
  const states = <usize>frame.measureCount * STATE_BYTES;
  for (let at: usize = 0; at < states; at += 8) store<u64>(frame.states + at, 0);
  let next = place;
  do {
    if (!addEntry(frame, recordOf(entries, entryAt(entries, next)))) return 0;
    next++;
  } while (next < entries.count && isSameKey(entries, first, entryAt(entries, next)));
  return next;
}

@inline
function isSameKey(entries: EntryFrame, left: u32, right: u32): bool {
  const length = lengthOf(entries, left);
  if (lengthOf(entries, right) != length) return false;
  return compareBytes(startOf(entries, left), length, startOf(entries, right), length) == 0;
}

/** Adds what the measures wrote of one entry. */
@inline
function addEntry(frame: MergeFrame, record: usize): bool {
  const keyLength = u32(readCount(record));
  let at = ended + usize(keyLength);
  for (let m: usize = 0; m < frame.measureCount; m++) {
    const measure = changetype<Measure>(frame.measures + m * MEASURE_BYTES);
    const state = changetype<State>(frame.states + m * STATE_BYTES);
    const count = readCount(at);
    at = ended;
    if (measure.kind == COUNT || count == 0) {
      state.count += count;
      continue;
    }
    const scale = readCount(at);
    at = ended;
    if (load<u8>(at) != 0 || scale > SCALE_MAX) return false;
    const value = load<f64>(at + 1);
    at += 9;
    if (!(abs(value) <= f64(SAFE))) return false;
    if (!addDecimal(state, i64(value), u32(scale))) return false;
    state.count += count;
  }
  return true;
}

/** False when the sum would not be a safe whole number times a power of ten. */
@inline
function addDecimal(state: State, mantissa: i64, scale: u32): bool {
  if (state.count == 0) {
    state.mantissa = mantissa;
    state.scale = scale;
    return true;
  }
  let held = state.mantissa;
  if (scale > state.scale) {
    held = upscaled(held, scale - state.scale);
    state.scale = scale;
  } else if (scale < state.scale) mantissa = upscaled(mantissa, state.scale - scale);
  const sum = held + mantissa;
  state.mantissa = sum;
  return isSafe(held) && isSafe(mantissa) && isSafe(sum);
}

/** Something unsafe when the product is. */
@inline
function upscaled(value: i64, powers: u32): i64 {
  const power = load<i64>(POWERS + (<usize>powers << 3));
  const most = SAFE / power;
  return value > most || value < -most ? i64.MAX_VALUE >> 1 : value * power;
}

@inline
function isSafe(value: i64): bool {
  return value <= SAFE && value >= -SAFE;
}

/** Returns where the group's record ends, or 0 when it is left. */
function writeGroup(frame: MergeFrame, record: usize, at: usize): usize {
  readCount(record);
  at = writeKey(ended, frame.keyColumns, at);
  for (let m: usize = 0; m < frame.measureCount; m++) {
    if (m > 0 || frame.keyColumns > 0) store<u8>(at++, COMMA);
    const measure = changetype<Measure>(frame.measures + m * MEASURE_BYTES);
    const state = changetype<State>(frame.states + m * STATE_BYTES);
    if (measure.kind == COUNT) at = integerText(at, i64(state.count));
    else if (state.count != 0) {
      at = writeTotal(at, measure, state);
      if (at == 0) return 0;
    }
  }
  store<u8>(at, LF);
  return at + 1;
}

function writeKey(key: usize, columns: u32, at: usize): usize {
  for (let column: u32 = 0; column < columns; column++) {
    if (column > 0) store<u8>(at++, COMMA);
    const tag = u32(readCount(key));
    key = ended;
    if (tag == 0) continue;
    at = writeText(key, tag - 1, at);
    key += tag - 1;
  }
  return at;
}

/** Up to fifteen bytes behind the text are written too. */
@inline
function writeText(text: usize, length: u32, at: usize): usize {
  if (length == 0) return writeQuoted(text, length, at);
  for (let i: u32 = 0; i < length; i += 16) {
    const block = loadPadded(text + i, min<u32>(16, length - i));
    if (needsQuotes(block)) return writeQuoted(text, length, at);
    v128.store(at + i, block);
  }
  return at + length;
}

function writeQuoted(text: usize, length: u32, at: usize): usize {
  store<u8>(at++, QUOTE);
  for (let i: u32 = 0; i < length; i += 16) {
    const count = min<u32>(16, length - i);
    const block = loadPadded(text + i, count);
    v128.store(at, block);
    const quotes = matches(block, QUOTE);
    at = quotes == 0 ? at + count : doubleQuotes(text + i, count, at);
  }
  store<u8>(at, QUOTE);
  return at + 1;
}

function doubleQuotes(text: usize, length: u32, at: usize): usize {
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    store<u8>(at++, byte);
    if (byte == QUOTE) store<u8>(at++, byte);
  }
  return at;
}

@inline
function needsQuotes(block: v128): bool {
  return (
    (matches(block, COMMA) | matches(block, QUOTE) | matches(block, LF) | matches(block, CR)) != 0
  );
}

@inline
function writeTotal(at: usize, measure: Measure, state: State): usize {
  if (measure.kind == SUM && measure.type == INTEGER) {
    return state.scale == 0 ? integerText(at, state.mantissa) : 0;
  }
  const count = measure.kind == MEAN ? state.count : 1;
  const end = count == 1 ? decimalText(at, state.mantissa, state.scale) : endingMean(at, state);
  return end == 0 ? quotientText(at, state.mantissa, count, state.scale) : end;
}

/** A mean that ends is a decimal of a few more digits; 0 where it does not, or has too many. */
function endingMean(at: usize, state: State): usize {
  if (state.count > u64(SAFE)) return 0;
  const count = i64(state.count);
  let mantissa = state.mantissa;
  let scale = state.scale;
  for (; mantissa % count != 0; scale++) {
    mantissa *= 10;
    if (!isSafe(mantissa) || scale >= SCALE_MAX) return 0;
  }
  return decimalText(at, mantissa / count, scale);
}

/** Seven bits a byte, low bits first. */
@inline
function readCount(at: usize): u64 {
  let byte = load<u8>(at++);
  let value = u64(byte & 0x7f);
  for (let shift: u64 = 7; byte >= 0x80 && shift < 56; shift += 7) {
    byte = load<u8>(at++);
    value |= u64(byte & 0x7f) << shift;
  }
  ended = at;
  return value;
}
