// Signed numbers of 128 bits, two's complement, in memory: the low half first.

@inline
export function add128(at: usize, value: i64): void {
  const total = load<u64>(at) + u64(value);
  store<u64>(at, total);
  store<i64>(at, load<i64>(at, 8) + (value >> 63) + i64(total < u64(value)), 8);
}

/** Whether the number is one of 64 bits. */
@inline
export function isInt64(at: usize): bool {
  return load<i64>(at, 8) == load<i64>(at) >> 63;
}

/** Stores a * b, where b is at least 0. */
export function storeProduct(at: usize, a: i64, b: i64): void {
  const low = u64(a) & 0xffffffff;
  const lowProduct = low * (u64(b) & 0xffffffff);
  const middle = low * (u64(b) >> 32) + (lowProduct >> 32); // below 2^63 + 2^32
  const crossed = (a >> 32) * i64(u64(b) & 0xffffffff);
  const sum = middle & 0xffffffff;
  const lower = i64(sum) + (crossed & 0xffffffff);
  store<u64>(at, (u64(lower) << 32) | (lowProduct & 0xffffffff));
  const high = (a >> 32) * i64(u64(b) >> 32) + i64(middle >> 32) + (crossed >> 32) + (lower >> 32);
  store<i64>(at, high, 8);
}

export function negate128(at: usize): void {
  const low = ~load<u64>(at) + 1;
  store<u64>(at, low);
  store<i64>(at, ~load<i64>(at, 8) + i64(low == 0), 8);
}

/** Divides a number that is not negative by ten when it is a multiple; else leaves it. */
export function divideByTen(at: usize): bool {
  let rest: u64 = 0;
  const quotient = memory.data(16);
  for (let limb: isize = 12; limb >= 0; limb -= 4) {
    const part = (rest << 32) | u64(load<u32>(at + limb));
    store<u32>(quotient + limb, u32(part / 10));
    rest = part % 10;
  }
  if (rest != 0) return false;
  v128.store(at, v128.load(quotient));
  return true;
}
