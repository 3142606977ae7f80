// The groups of a partial as entries: where each stands, and its key in bytes of the order of its
// values, as pipeline/exchange/group-entries.ts has them.
import { INTEGER, NUMBER } from '../column-type';

/** What measures wrote, as pipeline/exchange/group-index.ts numbers it. */
const COUNT: u32 = 0;
const BLOCK: u32 = 1;
const SCALAR: u32 = 2;
const TEXT: u32 = 3;
const ONE_SUM: u32 = 4;

@unmanaged
class IndexFrame {
  /** The partial, where its groups begin, and where it ends. */
  text: usize;
  start: u32;
  end: u32;
  groups: u32;
  /** `column-type` of each key column, and what each measure wrote. */
  keyTypes: usize;
  keyColumns: u32;
  measures: usize;
  measureCount: u32;
  /** Written to: keys, and offsets of them in the keys and of the groups in the text. */
  keys: usize;
  keyStarts: usize;
  keyEnds: usize;
  groupStarts: usize;
  groupEnds: usize;
}

const VALUE: u8 = 1;
const NULL_LAST: u8 = 2;
const MINUS: u8 = 0x2d;
const SIGN: u64 = 0x8000000000000000;

/** Where the number that was read last ends. */
let ended: usize = 0;

/** Returns the bytes of all keys, or 2^32 - 1 where the partial is left to the reference. */
export function indexGroups(frame: IndexFrame): u32 {
  const text = frame.text;
  const keys = frame.keys;
  const end = text + frame.end;
  const columns = frame.keyColumns;
  const measures = frame.measures;
  const measuresEnd = measures + (<usize>frame.measureCount << 2);
  const slots = <usize>frame.groups << 2;
  let at = text + frame.start;
  let key = keys;
  for (let slot: usize = 0; slot < slots; slot += 4) {
    store<u32>(frame.groupStarts + slot, u32(at - text));
    store<u32>(frame.keyStarts + slot, u32(key - keys));
    readCount(at);
    at = ended;
    for (let column: u32 = 0; column < columns; column++) {
      const tag = u32(readCount(at));
      at = ended;
      if (tag == 0) {
        store<u8>(key++, NULL_LAST);
        continue;
      }
      key = orderedKey(key, at, tag - 1, load<u32>(frame.keyTypes + (<usize>column << 2)));
      if (key == 0) return u32.MAX_VALUE;
      at += tag - 1;
    }
    for (let measure = measures; measure < measuresEnd; measure += 4) {
      at = skipMeasure(at, load<u32>(measure));
    }
    if (at > end) return u32.MAX_VALUE;
    store<u32>(frame.keyEnds + slot, u32(key - keys));
    store<u32>(frame.groupEnds + slot, u32(at - text));
  }
  return u32(key - keys);
}

/** Returns where the key's part ends, or 0. */
@inline
function orderedKey(key: usize, text: usize, length: u32, type: u32): usize {
  store<u8>(key++, VALUE);
  if (type == INTEGER) return orderedInteger(key, text, length);
  return type == NUMBER ? 0 : orderedText(key, text, length);
}

/** 00 is written 00 FF, and 00 00 ends the text. */
@inline
function orderedText(key: usize, text: usize, length: u32): usize {
  for (let i: u32 = 0; i < length; i += 16) {
    const block = v128.load(text + i);
    v128.store(key + i, block);
    const zeros = u32(i8x16.bitmask(i8x16.eq(block, i8x16.splat(0))));
    if (zeros != 0 && i + u32(ctz(zeros)) < length) return textWithZeros(key, text, length);
  }
  store<u16>(key + length, 0);
  return key + length + 2;
}

function textWithZeros(key: usize, text: usize, length: u32): usize {
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    store<u8>(key++, byte);
    if (byte == 0) store<u8>(key++, 0xff);
  }
  store<u16>(key, 0);
  return key + 2;
}

/** A canonical whole number of 64 bits. */
@inline
function orderedInteger(key: usize, text: usize, length: u32): usize {
  const isNegative = load<u8>(text) == MINUS;
  let value: u64 = 0;
  for (let i = u32(isNegative); i < length; i++) {
    const digit = u32(load<u8>(text + i)) - 0x30;
    if (digit > 9) return 0;
    value = value * 10 + digit;
  }
  store<u64>(key, bswap<u64>((isNegative ? 0 - value : value) ^ SIGN));
  return key + 8;
}

@inline
function skipMeasure(at: usize, kind: u32): usize {
  if (kind == SCALAR || kind == TEXT) {
    if (load<u8>(at++) == 0) return at;
    return kind == TEXT ? skipBlock(at) : skipScalar(at);
  }
  const count = readCount(at);
  if (kind == BLOCK) return ended + usize(count);
  if (kind == COUNT || count == 0) return ended;
  at = skipSum(ended);
  return kind == ONE_SUM ? at : skipSum(at);
}

/** A scale and a mantissa. */
@inline
function skipSum(at: usize): usize {
  readCount(at);
  return skipScalar(ended);
}

@inline
function skipScalar(at: usize): usize {
  return load<u8>(at) == 0 ? at + 9 : skipBlock(at + 1);
}

@inline
function skipBlock(at: usize): usize {
  const length = readCount(at);
  return ended + usize(length);
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
