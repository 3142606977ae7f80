// The values of a column seen lately, directly mapped, with how often each came since
// it entered. Only that count, and its multiple in the sum, is still to be added for them.
//
// An entry has 32 bytes: the value in 16, zero-padded; the mantissa of a number; how often it came;
// its length, kind and scale, a byte each. A length of 0 marks a free entry.
import { ColumnState, INTEGER, NUMBER, addKind, cacheOf } from './column-state';
import { addToSum } from './numbers';

/** Where a value of these two words is, if it is; `mask` is one less than the entries. A cheaper mix
 *  than the value's hash, which most lookups need not compute. */
@inline
export function entryOf(state: ColumnState, first: u64, second: u64, mask: u32): usize {
  const mixed = (first ^ (second * 0xd6e8feb86659fd93)) * 0x9e3779b97f4a7c15;
  return cacheOf(state) + (<usize>(u32(mixed >> 40) & mask) << 5);
}

@inline
export function isEntryOf(entry: usize, first: u64, second: u64, length: u32): bool {
  return (
    load<u64>(entry) == first && load<u64>(entry, 8) == second && load<u8>(entry, 28) == length
  );
}

@inline
export function countEntry(entry: usize): void {
  store<u32>(entry, load<u32>(entry, 24) + 1, 24);
}

/** Puts a value, seen once, in the place of the one that is there. */
@inline
export function replaceEntry(
  state: ColumnState,
  entry: usize,
  block: v128,
  length: u32,
  kind: u32,
  mantissa: i64,
  scale: u32,
): void {
  releaseEntry(state, entry);
  v128.store(entry, block);
  store<i64>(entry, mantissa, 16);
  store<u32>(entry, 1, 24);
  store<u32>(entry, length | (kind << 8) | (scale << 16), 28);
}

/** Gives the counts of all entries to the column; the values stay, seen no time since. */
export function flushColumn(state: ColumnState): void {
  for (let i: u32 = 0; i < state.cacheEntries; i++) {
    const entry = cacheOf(state) + (<usize>i << 5);
    releaseEntry(state, entry);
    store<u32>(entry, 0, 24);
  }
}

@inline
function releaseEntry(state: ColumnState, entry: usize): void {
  const times = load<u32>(entry, 24);
  if (times == 0) return;
  const kind = u32(load<u8>(entry, 29));
  addKind(state, kind, times);
  if (kind == INTEGER || kind == NUMBER) {
    addToSum(state, load<i64>(entry, 16), load<u8>(entry, 30), times);
  }
}
