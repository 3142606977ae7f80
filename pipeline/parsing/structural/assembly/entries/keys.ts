// Keys: slices of one text, by place. At least eight bytes behind the text must be readable.
import { compareBytes } from '../profile/blocks';

@unmanaged
export class Keys {
  text: usize;
  /** Offsets in the text, by place. */
  starts: usize;
  ends: usize;
}

@inline
export function startOf(keys: Keys, place: u32): usize {
  return keys.text + load<u32>(keys.starts + (<usize>place << 2));
}

@inline
export function lengthOf(keys: Keys, place: u32): u32 {
  const at = <usize>place << 2;
  return load<u32>(keys.ends + at) - load<u32>(keys.starts + at);
}

/** Eight bytes of a key from `at` on, as a big-endian number; zeros behind its end. */
@inline
export function wordOf(keys: Keys, place: u32, at: u32): u64 {
  const left = i32(lengthOf(keys, place)) - i32(at);
  if (left <= 0) return 0;
  const word = bswap<u64>(load<u64>(startOf(keys, place) + at));
  return left >= 8 ? word : word & (~(<u64>0) << (64 - (<u64>left << 3)));
}

/** Compares keys that are the same in their first `at` bytes, where zeros stand behind an end. */
export function compareFrom(keys: Keys, left: u32, right: u32, at: u32): i32 {
  const leftLength = lengthOf(keys, left);
  const rightLength = lengthOf(keys, right);
  if (leftLength <= at || rightLength <= at) return i32(leftLength) - i32(rightLength);
  return compareBytes(
    startOf(keys, left) + at,
    leftLength - at,
    startOf(keys, right) + at,
    rightLength - at,
  );
}
