// Groups in the order of their encoded keys' bytes: by the first sixteen, byte by byte from the last
// (radix sort), and where those are equal by comparison.
import { compareBytes, reversed } from '../profile/blocks';
import { Frame } from './frame';
import { Group, groupOf } from './group-table';

/** A sort item: the first sixteen bytes of the key as a little-endian number, first byte highest, so
 *  low half first; then the group. */
const ITEM_BYTES: usize = 32;
const KEY_BYTES: usize = 16;
const GROUP: usize = 16;

/** For each byte of the key how many items have each value; then where they go. */
const COUNTS: usize = memory.data(16 * 256 * 4);

/** Sorts; `groupAt` tells the order. */
export function sortGroups(frame: Frame): void {
  const count = frame.groupCount;
  const area = <usize>frame.groupCountMax * ITEM_BYTES;
  let items = frame.sortItems;
  let others = items + area;
  fillItems(frame, items, count);
  for (let byte: usize = 0; byte < KEY_BYTES; byte++) {
    const counts = COUNTS + (byte << 10);
    if (count == 0 || load<u32>(counts + (<usize>load<u8>(items + byte) << 2)) == count) continue;
    distribute(items, others, count, byte, counts);
    const sorted = others;
    others = items;
    items = sorted;
  }
  sortTies(items, others, count);
  if (items != frame.sortItems) memory.copy(frame.sortItems, items, <usize>count * ITEM_BYTES);
}

/** Lists the groups as they came, instead of sorting them. */
export function listGroups(frame: Frame): void {
  for (let number: u32 = 0; number < frame.groupCount; number++) {
    const item = frame.sortItems + <usize>number * ITEM_BYTES;
    store<usize>(item, changetype<usize>(groupOf(frame, number)), GROUP);
  }
}

/** The group at a place of the order. */
@inline
export function groupAt(frame: Frame, place: u32): Group {
  return changetype<Group>(load<usize>(frame.sortItems + <usize>place * ITEM_BYTES, GROUP));
}

function fillItems(frame: Frame, items: usize, count: u32): void {
  memory.fill(COUNTS, 0, 16 * 256 * 4);
  for (let number: u32 = 0; number < count; number++) {
    const group = groupOf(frame, number);
    const item = items + <usize>number * ITEM_BYTES;
    v128.store(item, reversed(v128.load(changetype<usize>(group))));
    store<usize>(item, changetype<usize>(group), GROUP);
    for (let byte: usize = 0; byte < KEY_BYTES; byte++) {
      const counter = COUNTS + (byte << 10) + (<usize>load<u8>(item + byte) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
}

/** Moves the items in the order of one byte; those with the same stay in order. */
function distribute(from: usize, to: usize, count: u32, byte: usize, counts: usize): void {
  let place: u32 = 0;
  for (let at = counts; at < counts + 1024; at += 4) {
    const many = load<u32>(at);
    store<u32>(at, place);
    place += many;
  }
  for (let item = from; item < from + <usize>count * ITEM_BYTES; item += ITEM_BYTES) {
    const counter = counts + (<usize>load<u8>(item + byte) << 2);
    const next = load<u32>(counter);
    store<u32>(counter, next + 1);
    copyItem(to + <usize>next * ITEM_BYTES, item);
  }
}

/** Sorts runs of items whose first sixteen bytes are equal. */
function sortTies(items: usize, others: usize, count: u32): void {
  let start: u32 = 0;
  while (start < count) {
    const first = items + <usize>start * ITEM_BYTES;
    let end = start + 1;
    while (end < count && isTie(first, items + <usize>end * ITEM_BYTES)) end++;
    if (end - start > 1) mergeSort(first, others + <usize>start * ITEM_BYTES, end - start);
    start = end;
  }
}

@inline
function isTie(left: usize, right: usize): bool {
  return load<u64>(left) == load<u64>(right) && load<u64>(left, 8) == load<u64>(right, 8);
}

/** `scratch` has as much room as the items. */
function mergeSort(items: usize, scratch: usize, count: u32): void {
  if (count < 2) return;
  const half = count >> 1;
  const middle = items + <usize>half * ITEM_BYTES;
  mergeSort(items, scratch, half);
  mergeSort(middle, scratch, count - half);
  memory.copy(scratch, items, <usize>half * ITEM_BYTES);
  const leftEnd = scratch + <usize>half * ITEM_BYTES;
  const rightEnd = items + <usize>count * ITEM_BYTES;
  let left = scratch;
  let right = middle;
  for (let target = items; left < leftEnd; target += ITEM_BYTES) {
    if (right < rightEnd && compareLong(right, left) < 0) {
      copyItem(target, right);
      right += ITEM_BYTES;
    } else {
      copyItem(target, left);
      left += ITEM_BYTES;
    }
  }
}

/** Keys that agree in their first sixteen bytes, and are different, are longer than that. */
function compareLong(left: usize, right: usize): i32 {
  const a = changetype<Group>(load<usize>(left, GROUP));
  const b = changetype<Group>(load<usize>(right, GROUP));
  if (a.length <= 16 || b.length <= 16) return i32(a.length) - i32(b.length);
  return compareBytes(a.pointer, a.length, b.pointer, b.length);
}

@inline
function copyItem(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  store<u64>(to, load<u64>(from, GROUP), GROUP);
}
