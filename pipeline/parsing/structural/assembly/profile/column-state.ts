// What the profile knows of one column, at a fixed layout that pipeline/profile/kernel-state.ts reads.
import { matches } from './blocks';

/** As `ValueKind` in pipeline/values/value-kind.ts, but for 0; counts are indexed by them. */
export const NULL_TEXT: u32 = 0;
export const INTEGER: u32 = 1;
export const NUMBER: u32 = 2;
export const BOOLEAN: u32 = 3;
export const DATE: u32 = 4;
export const DATETIME: u32 = 5;
export const STRING: u32 = 6;
/** Not a kind: the value is left to the reference, and nothing of it is counted here. */
export const DEFERRED: u32 = 7;

/** Digits that a mantissa may have, so that it fits 64 bits; scales are from 0 to this. */
export const DIGITS_MAX: u32 = 18;
/** Bytes of a text that count for its bounds, and of the room each bound has. */
export const BOUND_BYTES: u32 = 256;
/** Of the sketch; pipeline/profile/partial-codec.ts asks the same of tables this kernel takes. */
export const PRECISION: u64 = 14;

/** The fields of fixed size, at the column's pointer. */
@unmanaged
export class ColumnState {
  nullTextCount: u32;
  integerCount: u32;
  numberCount: u32;
  booleanCount: u32;
  dateCount: u32;
  datetimeCount: u32;
  stringCount: u32;
  /** Blocks of records that still pass the cache by. */
  bypass: u32;
  /** Characters, of the values. */
  lengthMin: u32;
  lengthMax: u32;
  /** Bytes of the bounds; 0: none yet. */
  textMinLength: u32;
  textMaxLength: u32;
  /** First sixteen bytes of the bounds, zero-padded, as big-endian numbers. */
  textMinHigh: u64;
  textMinLow: u64;
  textMaxHigh: u64;
  textMaxLow: u64;
  /** Bounds of times as `scanTime` gives them; none yet when the least is above the greatest. */
  timeMin: u64;
  timeMax: u64;
  /** Entries of the value cache, a power of two, or 0. */
  cacheEntries: u32;
  /** Fields without text: NULL or the empty text, as the plan says. */
  blankCount: u32;
}

const NUMBERS: usize = 112;
const NUMBER_BYTES: usize = 32;
const TEXT_MIN: usize = 720;
const TEXT_MAX: usize = 992;
const REGISTERS: usize = 1280;
const CACHE: usize = 17664;

/** By scale: the sum as 128 bits, low half first, then least and greatest, all mantissas. */
@inline
export function numbersOf(state: ColumnState, scale: u32): usize {
  return changetype<usize>(state) + NUMBERS + <usize>scale * NUMBER_BYTES;
}

@inline
export function textMinOf(state: ColumnState): usize {
  return changetype<usize>(state) + TEXT_MIN;
}

@inline
export function textMaxOf(state: ColumnState): usize {
  return changetype<usize>(state) + TEXT_MAX;
}

@inline
export function registersOf(state: ColumnState): usize {
  return changetype<usize>(state) + REGISTERS;
}

@inline
export function cacheOf(state: ColumnState): usize {
  return changetype<usize>(state) + CACHE;
}

@inline
export function addKind(state: ColumnState, kind: u32, times: u32): void {
  const counter = changetype<usize>(state) + (<usize>kind << 2);
  store<u32>(counter, load<u32>(counter) + times);
}

/** Makes a column that has seen nothing; its memory may hold anything. */
export function initColumn(state: ColumnState, cacheEntries: u32): void {
  memory.fill(changetype<usize>(state), 0, CACHE + (<usize>cacheEntries << 5));
  state.cacheEntries = cacheEntries;
  state.lengthMin = u32.MAX_VALUE;
  state.textMinHigh = u64.MAX_VALUE;
  state.textMinLow = u64.MAX_VALUE;
  state.timeMin = u64.MAX_VALUE;
  for (let scale: u32 = 0; scale <= DIGITS_MAX; scale++) {
    const numbers = numbersOf(state, scale);
    store<i64>(numbers, i64.MAX_VALUE, 16);
    store<i64>(numbers, i64.MIN_VALUE, 24);
  }
}

/** Lists the registers of the sketch that are not 0 as pipeline/profile/hyper-log-log.ts writes them:
 *  at `target` how many they are, and from the next word on how many are skipped before each, seven
 *  bits a byte, and its rank. Returns the bytes of the list; 0 when there are more than `most`. */
export function listRegisters(state: ColumnState, target: usize, most: u32): u32 {
  const registers = registersOf(state);
  let at = target + 4;
  let count: u32 = 0;
  let next: u32 = 0;
  for (let from: u32 = 0; from < 1 << u32(PRECISION); from += 16) {
    const block = v128.load(registers + from);
    if (!v128.any_true(block)) continue;
    for (let used = ~matches(block, 0) & 0xffff; used != 0; used &= used - 1) {
      if (count++ == most) return 0;
      const register = from + u32(ctz(used));
      let gap = register - next;
      for (; gap > 0x7f; gap >>= 7) store<u8>(at++, u8(gap) | 0x80);
      store<u8>(at, u8(gap));
      store<u8>(at, load<u8>(registers + register), 1);
      at += 2;
      next = register + 1;
    }
  }
  store<u32>(target, count);
  return u32(at - target) - 4;
}
