/** Keys of so many records or fewer are compared pair by pair. */
const SMALL_GROUP = 16;
/** Up to here four bytes of a key and a position fit the 53 bits of a safe integer. */
const FOUR_BYTES_MAX = 2 ** 20;

/** Keys at positions `[from, to)` of the order, equal in their first `at` bytes. */
interface Group {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/**
 * Positions of the keys `bytes[starts[i], ends[i])` in ascending order of their bytes; of equal keys
 * in their given order. Works from the front of the keys: some bytes of each and its position make
 * one number, the numbers are sorted as typed arrays are, and where they are equal the next bytes
 * decide.
 */
export function orderByKey(
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  count: number,
): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const before = new Uint32Array(count);
  const packed = new Float64Array(count);
  const open: Group[] = [{ from: 0, to: count, at: 0 }];
  for (let group = open.pop(); group !== undefined; group = open.pop()) {
    const { from, to } = group;
    const size = to - from;
    if (size < 2) continue;
    if (size <= SMALL_GROUP) {
      insertionSort(order, group, bytes, starts, ends);
      continue;
    }
    const at = group.at + sharedLength(order, group, bytes, starts, ends);
    const width = size <= FOUR_BYTES_MAX ? 4 : 3;
    const unit = width === 4 ? FOUR_BYTES_MAX : 2 ** 28;
    for (let i = 0; i < size; i++) {
      const key = order[from + i]!;
      before[i] = key;
      let word = 0;
      const end = ends[key]!;
      for (let b = starts[key]! + at, stop = b + width; b < stop; b++) {
        word = word * 257 + (b < end ? bytes[b]! + 1 : 0);
      }
      packed[i] = word * unit + i;
    }
    const sorted = packed.subarray(0, size).sort();
    let equalFrom = 0;
    let word = -1;
    for (let i = 0; i < size; i++) {
      const value = sorted[i]!;
      const own = Math.floor(value / unit);
      if (own !== word) {
        push(open, from + equalFrom, from + i, at + width, word);
        equalFrom = i;
        word = own;
      }
      order[from + i] = before[value - own * unit]!;
    }
    push(open, from + equalFrom, to, at + width, word);
  }
  return order;
}

/** A word that has room left at its end is of keys that ended: they are equal. */
function push(open: Group[], from: number, to: number, at: number, word: number): void {
  if (to - from > 1 && word % 257 !== 0) open.push({ from, to, at });
}

/** How many more bytes all keys of a group have in common. */
function sharedLength(
  order: Uint32Array,
  { from, to, at }: Group,
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
): number {
  const first = order[from]!;
  const firstStart = starts[first]! + at;
  let shared = ends[first]! - firstStart;
  for (let i = from + 1; i < to && shared > 0; i++) {
    const key = order[i]!;
    const start = starts[key]! + at;
    shared = Math.min(shared, ends[key]! - start);
    for (let b = 0; b < shared; b++) {
      if (bytes[start + b] !== bytes[firstStart + b]) shared = b;
    }
  }
  return Math.max(0, shared);
}

function insertionSort(
  order: Uint32Array,
  { from, to, at }: Group,
  bytes: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
): void {
  for (let i = from + 1; i < to; i++) {
    const key = order[i]!;
    const start = starts[key]! + at;
    const end = ends[key]!;
    let j = i;
    for (; j > from; j--) {
      const other = order[j - 1]!;
      if (compareKeys(bytes, starts[other]! + at, ends[other]!, bytes, start, end) <= 0) break;
      order[j] = other;
    }
    order[j] = key;
  }
}

/** Negative, zero or positive, as the left bytes are below, equal to or above the right ones. */
export function compareKeys(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const length = Math.min(leftEnd - leftStart, rightEnd - rightStart);
  for (let i = 0; i < length; i++) {
    const difference = left[leftStart + i]! - right[rightStart + i]!;
    if (difference !== 0) return difference;
  }
  return leftEnd - leftStart - (rightEnd - rightStart);
}
