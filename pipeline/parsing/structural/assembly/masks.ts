// Bit masks of 64 bytes at a time, and their arithmetic.

/** Bit i of the result is set when an odd number of bits of x at or below i is set. */
@inline
export function prefixXor(x: u64): u64 {
  x ^= x << 1;
  x ^= x << 2;
  x ^= x << 4;
  x ^= x << 8;
  x ^= x << 16;
  x ^= x << 32;
  return x;
}

/** 64 bytes from p as four vectors compared with one byte: bit i is set where byte i equals it. */
@inline
export function equalMask(a: v128, b: v128, c: v128, d: v128, byte: v128): u64 {
  return (
    bits(i8x16.eq(a, byte)) |
    (bits(i8x16.eq(b, byte)) << 16) |
    (bits(i8x16.eq(c, byte)) << 32) |
    (bits(i8x16.eq(d, byte)) << 48)
  );
}

/** Ones where a byte of 64 equals `byte`, those of four to a lane. */
@inline
export function anyEqual(a: v128, b: v128, c: v128, d: v128, byte: v128): v128 {
  return v128.or(
    v128.or(i8x16.eq(a, byte), i8x16.eq(b, byte)),
    v128.or(i8x16.eq(c, byte), i8x16.eq(d, byte)),
  );
}

@inline
function bits(lanes: v128): u64 {
  return u64(u32(i8x16.bitmask(lanes)));
}

/** The lowest n bits, n from 0 to 64. */
@inline
export function lowBits(n: u32): u64 {
  return n >= 64 ? ~u64(0) : (u64(1) << u64(n)) - 1;
}
