// Text sixteen bytes at a time. Sixteen bytes behind any text must be readable.

/** Sixteen bytes of ones, then sixteen of zeros: at 16 - n stands the mask of the first n bytes. */
const ONES_THEN_ZEROS: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/** The `length` bytes from p, 16 at most, zero-padded. */
@inline
export function loadPadded(p: usize, length: u32): v128 {
  return v128.and(v128.load(p), v128.load(ONES_THEN_ZEROS + 16 - <usize>length));
}

/** The bytes in reverse: the upper lane is the big-endian number of the first eight. */
@inline
export function reversed(block: v128): v128 {
  return i8x16.shuffle(block, block, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/** Bit i is set where byte i equals `byte`. */
@inline
export function matches(block: v128, byte: u8): u32 {
  return u32(i8x16.bitmask(i8x16.eq(block, i8x16.splat(i8(byte)))));
}

/** Bytes that continue a character of UTF-8: 0x80 to 0xbf. */
@inline
function continuations(block: v128): u32 {
  return u32(popcnt(i8x16.bitmask(i8x16.lt_s(block, i8x16.splat(-64)))));
}

/** Characters of a text of at most sixteen bytes, given zero-padded. */
@inline
export function charactersOf(block: v128, length: u32): u32 {
  return length - continuations(block);
}

/** Characters of a text of any length. */
export function countCharacters(p: usize, length: u32): u32 {
  let count = length;
  let left = length;
  for (; left > 16; left -= 16, p += 16) count -= continuations(v128.load(p));
  return count - continuations(loadPadded(p, left));
}

/** Whether `byte`, not 0, is among the `length` bytes from p. */
export function holds(p: usize, length: u32, byte: u8): bool {
  for (; length > 16; length -= 16, p += 16) if (matches(v128.load(p), byte) != 0) return true;
  return matches(loadPadded(p, length), byte) != 0;
}

/** Negative, zero or positive, as the bytes at a are below, the same as or above those at b. */
export function compareBytes(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const common = min(aLength, bLength);
  for (let i: u32 = 0; i < common; i += 16) {
    const same = u32(i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i))));
    if (same == 0xffff) continue;
    const at = i + u32(ctz(~same));
    if (at >= common) break;
    return i32(load<u8>(a + at)) - i32(load<u8>(b + at));
  }
  return i32(aLength) - i32(bLength);
}
