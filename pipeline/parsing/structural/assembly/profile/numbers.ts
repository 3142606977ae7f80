// Sums and bounds of decimals, kept apart by scale: nothing is ever rescaled or rounded here.
import { ColumnState, numbersOf } from './column-state';

/** Adds `mantissa / 10^scale` to the sum, `times` times. */
@inline
export function addToSum(state: ColumnState, mantissa: i64, scale: u32, times: u32): void {
  const sum = numbersOf(state, scale);
  if (times == 1) {
    add128(sum, u64(mantissa), mantissa >> 63);
  } else {
    const upper = (mantissa >> 32) * i64(times);
    add128(sum, (u64(mantissa) & 0xffffffff) * u64(times), 0);
    add128(sum, u64(upper) << 32, upper >> 32);
  }
}

@inline
export function widenBounds(state: ColumnState, mantissa: i64, scale: u32): void {
  const bounds = numbersOf(state, scale);
  if (mantissa < load<i64>(bounds, 16)) store<i64>(bounds, mantissa, 16);
  if (mantissa > load<i64>(bounds, 24)) store<i64>(bounds, mantissa, 24);
}

/** Two's complement, low half first. Values of 92 bits at most, 2^32 of them: never overflows. */
@inline
function add128(sum: usize, low: u64, high: i64): void {
  const total = load<u64>(sum) + low;
  store<u64>(sum, total);
  store<i64>(sum, load<i64>(sum, 8) + high + i64(total < low), 8);
}
