// Keys in the order of their bytes, those that are equal in the order of their places: eight bytes of
// each at a time make a number, the numbers are sorted byte by byte from the last (radix sort), and
// where they are equal the next bytes decide.
import { compareFrom, Keys, lengthOf, startOf, wordOf } from './keys';

/** A number and the place of its key. */
const ITEM_BYTES: usize = 16;
const PLACE: usize = 8;
const WORD_BYTES: u32 = 8;
/** So few keys are compared pair by pair: less work than counting bytes. */
const SMALL: u32 = 64;

/** For each byte of a number how many items have each value; then where they go. */
const COUNTS: usize = memory.data(8 * 256 * 4);

/** What `sharedLength` saw of the keys' lengths behind its place; negative for keys that end before. */
let leastLeft: i32 = 0;
let mostLeft: i32 = 0;

/** Writes the places of `count` keys in their order to `order`. `items` has room for twice as many
 *  items. */
export function orderKeys(keys: Keys, count: u32, order: usize, items: usize): void {
  for (let place: u32 = 0; place < count; place++) {
    store<u32>(items + <usize>place * ITEM_BYTES, place, PLACE);
  }
  sortRange(keys, items, items + <usize>count * ITEM_BYTES, count, 0);
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(order + (<usize>i << 2), placeOf(items + <usize>i * ITEM_BYTES));
  }
}

@inline
function placeOf(item: usize): u32 {
  return load<u32>(item, PLACE);
}

/** Sorts items whose keys are the same in their first `at` bytes. `others` is scratch. */
function sortRange(keys: Keys, items: usize, others: usize, count: u32, at: u32): void {
  if (count < 2) return;
  if (count <= SMALL) {
    mergeSort(keys, items, others, count, at);
    return;
  }
  const shared = sharedLength(keys, items, count, at);
  if (mostLeft == leastLeft && i32(shared) >= mostLeft) return;
  if (mostLeft <= 0) {
    mergeSort(keys, items, others, count, at);
    return;
  }
  const from = at + shared;
  sortWords(keys, items, others, count, from);
  let start: u32 = 0;
  while (start < count) {
    const first = items + <usize>start * ITEM_BYTES;
    const word = load<u64>(first);
    let end = start + 1;
    while (end < count && load<u64>(items + <usize>end * ITEM_BYTES) == word) end++;
    if (end - start > 1) {
      const scratch = others + <usize>start * ITEM_BYTES;
      sortRange(keys, first, scratch, end - start, from + WORD_BYTES);
    }
    start = end;
  }
}

/** How many bytes behind `at` all keys have in common. */
function sharedLength(keys: Keys, items: usize, count: u32, at: u32): u32 {
  const place = placeOf(items);
  const first = startOf(keys, place) + at;
  leastLeft = i32(lengthOf(keys, place)) - i32(at);
  mostLeft = leastLeft;
  let shared = u32(max(leastLeft, 0));
  for (let i: u32 = 1; i < count; i++) {
    const other = placeOf(items + <usize>i * ITEM_BYTES);
    const left = i32(lengthOf(keys, other)) - i32(at);
    leastLeft = min(leastLeft, left);
    mostLeft = max(mostLeft, left);
    const common = min(shared, u32(max(left, 0)));
    const start = startOf(keys, other) + at;
    let same: u32 = 0;
    while (same < common) {
      const difference = load<u64>(first + same) ^ load<u64>(start + same);
      if (difference != 0) {
        same += u32(ctz(difference) >> 3);
        break;
      }
      same += WORD_BYTES;
    }
    shared = min(common, same);
  }
  return shared;
}

/** Sorts items by eight bytes of their keys from `at` on. */
function sortWords(keys: Keys, items: usize, others: usize, count: u32, at: u32): void {
  memory.fill(COUNTS, 0, 8 * 256 * 4);
  const end = items + <usize>count * ITEM_BYTES;
  for (let item = items; item < end; item += ITEM_BYTES) {
    const word = wordOf(keys, placeOf(item), at);
    store<u64>(item, word);
    for (let byte: usize = 0; byte < 8; byte++) {
      const counter = COUNTS + (byte << 10) + (<usize>load<u8>(item + byte) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
  let from = items;
  let to = others;
  for (let byte: usize = 0; byte < 8; byte++) {
    const counts = COUNTS + (byte << 10);
    if (load<u32>(counts + (<usize>load<u8>(from + byte) << 2)) == count) continue;
    distribute(from, to, count, byte, counts);
    const sorted = to;
    to = from;
    from = sorted;
  }
  if (from != items) memory.copy(items, from, <usize>count * ITEM_BYTES);
}

/** Moves the items in the order of one byte; those with the same stay in order. */
function distribute(from: usize, to: usize, count: u32, byte: usize, counts: usize): void {
  let place: u32 = 0;
  for (let at = counts; at < counts + 1024; at += 4) {
    const many = load<u32>(at);
    store<u32>(at, place);
    place += many;
  }
  const end = from + <usize>count * ITEM_BYTES;
  for (let item = from; item < end; item += ITEM_BYTES) {
    const counter = counts + (<usize>load<u8>(item + byte) << 2);
    const next = load<u32>(counter);
    store<u32>(counter, next + 1);
    v128.store(to + <usize>next * ITEM_BYTES, v128.load(item));
  }
}

function mergeSort(keys: Keys, items: usize, scratch: usize, count: u32, at: u32): void {
  if (count < 2) return;
  const half = count >> 1;
  const middle = items + <usize>half * ITEM_BYTES;
  mergeSort(keys, items, scratch, half, at);
  mergeSort(keys, middle, scratch, count - half, at);
  if (compareFrom(keys, placeOf(middle - ITEM_BYTES), placeOf(middle), at) <= 0) return;
  memory.copy(scratch, items, <usize>half * ITEM_BYTES);
  const leftEnd = scratch + <usize>half * ITEM_BYTES;
  const rightEnd = items + <usize>count * ITEM_BYTES;
  let left = scratch;
  let right = middle;
  for (let target = items; left < leftEnd; target += ITEM_BYTES) {
    if (right < rightEnd && compareFrom(keys, placeOf(right), placeOf(left), at) < 0) {
      v128.store(target, v128.load(right));
      right += ITEM_BYTES;
    } else {
      v128.store(target, v128.load(left));
      left += ITEM_BYTES;
    }
  }
}
