// Groups as pipeline/aggregation/partial-codec.ts writes them: the key with its length, then what
// each measure knows, as pipeline/aggregation/measure-states.ts has it.
import { boundsAt } from './add-block';
import { NUMBER } from '../column-type';
import { Frame } from './frame';
import { Group } from './group-table';
import { divideByTen, isInt64, negate128, storeProduct } from './int128';
import { groupAt } from './sort-groups';

/** Measures. */
export const COUNT_ALL: u32 = 0;
export const COUNT: u32 = 1;
export const TOTAL: u32 = 2;
export const LEAST: u32 = 3;
export const GREATEST: u32 = 4;

@unmanaged
class Measure {
  kind: u32;
  /** Of the measured column: type, what it keeps, and where its state is in a group. */
  type: u32;
  keeps: u32;
  offset: u32;
}

const MEASURE_BYTES: usize = 16;
/** More than any measure of a group, and the length of its key, take. */
const MEASURE_OUTPUT_MAX: u32 = 64;
const SAFE: i64 = 9007199254740991;
const SUM: usize = 8;
const MINUS: u8 = 0x2d;

/** Groups lie anywhere: so many are loaded before they are written, all at the same time. */
const TOUCHED_GROUPS: u32 = 32;
let touched: u32 = 0;

/** A number at work. */
const NUMBER_AT: usize = memory.data(16);

/** Writes groups in their order, from `groupsWritten` on, as many as have room. Returns the bytes. */
export function encodeGroups(frame: Frame): u32 {
  const output = frame.output;
  const most = (frame.measureCount + 1) * MEASURE_OUTPUT_MAX + 16;
  let at = output;
  let place = frame.groupsWritten;
  for (; place < frame.groupCount; place++) {
    if (place % TOUCHED_GROUPS == 0) touchGroups(frame, place);
    const group = groupAt(frame, place);
    if (u32(at - output) + group.length + most > frame.outputBytes) break;
    at = writeKey(at, group);
    for (let m: u32 = 0; m < frame.measureCount; m++) {
      const measure = changetype<Measure>(frame.measures + <usize>m * MEASURE_BYTES);
      at = writeMeasure(at, measure, group);
    }
  }
  frame.groupsWritten = place;
  return u32(at - output);
}

function touchGroups(frame: Frame, from: u32): void {
  const to = min<u32>(from + TOUCHED_GROUPS, frame.groupCount);
  const last = frame.groupBytes - 8;
  for (let place = from; place < to; place++) {
    const group = groupAt(frame, place);
    touched += group.length + load<u32>(changetype<usize>(group) + last);
  }
}

@inline
function writeKey(at: usize, group: Group): usize {
  const length = group.length;
  at = writeCount(at, length);
  if (length <= 16) v128.store(at, v128.load(changetype<usize>(group)));
  else memory.copy(at, group.pointer, length);
  return at + length;
}

function writeMeasure(at: usize, measure: Measure, group: Group): usize {
  if (measure.kind == COUNT_ALL) return writeCount(at, group.recordCount);
  const state = changetype<usize>(group) + measure.offset;
  const count = load<u32>(state);
  const scale = load<u32>(state, 4);
  if (measure.kind == COUNT) return writeCount(at, count);
  if (measure.kind == TOTAL) {
    at = writeCount(at, count);
    return count == 0 ? at : writeTotal(at, state + SUM, scale);
  }
  store<u8>(at++, u8(count != 0));
  if (count == 0) return at;
  const bounds = state + boundsAt(measure.keeps);
  const bound = load<i64>(bounds + (measure.kind == LEAST ? 0 : 8));
  return measure.type == NUMBER ? writeQuotient(at, bound, scale) : writeInteger(at, bound);
}

/** Scale and mantissa of the sum without needless zeros. */
@inline
function writeTotal(at: usize, sum: usize, scale: u32): usize {
  if (!isInt64(sum)) return writeLongTotal(at, sum, scale);
  const mantissa = shorten(load<i64>(sum), scale);
  return writeInteger(writeCount(at, shortScale), mantissa);
}

function writeLongTotal(at: usize, sum: usize, scale: u32): usize {
  v128.store(NUMBER_AT, v128.load(sum));
  const isNegative = load<i64>(sum, 8) < 0;
  if (isNegative) negate128(NUMBER_AT);
  while (scale > 0 && divideByTen(NUMBER_AT)) scale--;
  return writeMagnitude(writeCount(at, scale), isNegative);
}

/** The double nearest to `mantissa / 10^scale`, whose shortest form has a mantissa up to 2^53. */
function writeQuotient(at: usize, mantissa: i64, scale: u32): usize {
  const shortest = shorten(mantissa, scale);
  let power: f64 = 1;
  for (let scale = shortScale; scale > 0; scale--) power *= 10;
  return writeDouble(at, f64(shortest) / power);
}

/** What `shorten` left of the scale. */
let shortScale: u32 = 0;

/** The mantissa without needless zeros. Most are divided as numbers of 32 bits, much faster. */
@inline
function shorten(mantissa: i64, scale: u32): i64 {
  if (mantissa > 0 && mantissa <= i64(u32.MAX_VALUE)) {
    let small = u32(mantissa);
    for (; scale > 0 && small % 10 == 0; scale--) small /= 10;
    shortScale = scale;
    return i64(small);
  }
  if (mantissa == 0) scale = 0;
  for (; scale > 0 && mantissa % 10 == 0; scale--) mantissa /= 10;
  shortScale = scale;
  return mantissa;
}

@inline
function writeInteger(at: usize, value: i64): usize {
  if (value <= SAFE && value >= -SAFE) return writeDouble(at, f64(value));
  storeProduct(NUMBER_AT, value, 1);
  if (value < 0) negate128(NUMBER_AT);
  return writeMagnitude(at, value < 0);
}

@inline
function writeDouble(at: usize, value: f64): usize {
  store<u8>(at, 0);
  store<f64>(at + 1, value);
  return at + 9;
}

/** The number at work, a double where it is safe, else a hexadecimal text. */
function writeMagnitude(at: usize, isNegative: bool): usize {
  const low = load<u64>(NUMBER_AT);
  const high = load<u64>(NUMBER_AT, 8);
  if (high == 0 && low <= u64(SAFE)) {
    return writeDouble(at, isNegative ? -f64(low) : f64(low));
  }
  const bits = high != 0 ? 128 - u32(clz(high)) : 64 - u32(clz(low));
  const digits = (bits + 3) >> 2;
  store<u8>(at++, 1);
  store<u8>(at++, u8(digits + u32(isNegative)));
  if (isNegative) store<u8>(at++, MINUS);
  for (let digit = digits; digit > 0; digit--) {
    const shift = (digit - 1) << 2;
    const word = shift >= 64 ? high >> u64(shift - 64) : low >> u64(shift);
    const nibble = u32(word & 15);
    store<u8>(at++, u8(nibble < 10 ? 0x30 + nibble : 0x57 + nibble));
  }
  return at;
}

/** Seven bits a byte, low bits first. */
@inline
function writeCount(at: usize, count: u32): usize {
  for (; count > 0x7f; count >>= 7) store<u8>(at++, u8(count) | 0x80);
  store<u8>(at, u8(count));
  return at + 1;
}
