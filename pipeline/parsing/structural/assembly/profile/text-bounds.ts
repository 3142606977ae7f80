// Least and greatest text by bytes, over the first 256 of each.
import { compareBytes, reversed } from './blocks';
import { BOUND_BYTES, ColumnState, textMaxOf, textMinOf } from './column-state';

/** Takes the text at p; `block` is its first sixteen bytes, zero-padded. The bounds' own first bytes
 *  settle most texts. */
@inline
export function widenTexts(state: ColumnState, p: usize, length: u32, block: v128): void {
  const words = reversed(block);
  const high: u64 = i64x2.extract_lane(words, 1);
  const low: u64 = i64x2.extract_lane(words, 0);
  const min = state.textMinHigh;
  if (high < min || (high == min && low <= state.textMinLow)) offerMin(state, p, length, high, low);
  const max = state.textMaxHigh;
  if (high > max || (high == max && low >= state.textMaxLow)) offerMax(state, p, length, high, low);
}

function offerMin(state: ColumnState, p: usize, fullLength: u32, high: u64, low: u64): void {
  const length = min(fullLength, BOUND_BYTES);
  const held = state.textMinLength;
  const bound = textMinOf(state);
  if (held != 0 && compareBytes(p, length, bound, held) >= 0) return;
  memory.copy(bound, p, length);
  state.textMinLength = length;
  state.textMinHigh = high;
  state.textMinLow = low;
}

function offerMax(state: ColumnState, p: usize, fullLength: u32, high: u64, low: u64): void {
  const length = min(fullLength, BOUND_BYTES);
  const held = state.textMaxLength;
  const bound = textMaxOf(state);
  if (held != 0 && compareBytes(p, length, bound, held) <= 0) return;
  memory.copy(bound, p, length);
  state.textMaxLength = length;
  state.textMaxHigh = high;
  state.textMaxLow = low;
}
