// Kind of a value, by the grammar of pipeline/values/value-kind.ts. A number's value is left in
// number-scan's variables, a time's in time-scan's.
import { BOOLEAN, STRING } from './column-state';
import { scanLongNumber, scanShortNumber } from './number-scan';
import { scanTime } from './time-scan';

const NINE: u32 = 0x39;
const MINUS: u32 = 0x2d;
const LOWER_4: u32 = 0x20202020;
const LOWER_5: u64 = 0x2020202020;
/** "true" and "false" as little-endian numbers. */
const TRUE: u32 = 0x65757274;
const FALSE: u64 = 0x65736c6166;

/** Kind of a value of 1 to 16 bytes, which `block` holds zero-padded. */
@inline
export function shortKind(p: usize, length: u32, block: v128): u32 {
  const first = u32(load<u8>(p));
  if (first > NINE) return wordKind(p, length);
  if (!beginsNumber(first)) return STRING;
  if (beginsTime(p, length, first)) return scanTime(p, length);
  return scanShortNumber(p, length, block);
}

/** Kind of a value of more than 16 bytes. */
@inline
export function longKind(p: usize, length: u32): u32 {
  const first = u32(load<u8>(p));
  if (first > NINE || !beginsNumber(first)) return STRING;
  return beginsTime(p, length, first) ? scanTime(p, length) : scanLongNumber(p, length);
}

@inline
function wordKind(p: usize, length: u32): u32 {
  if (length == 4 && (load<u32>(p) | LOWER_4) == TRUE) return BOOLEAN;
  if (length == 5 && ((load<u64>(p) & 0xffffffffff) | LOWER_5) == FALSE) return BOOLEAN;
  return STRING;
}

/** Of a byte that is not above `9`. */
@inline
function beginsNumber(first: u32): bool {
  return first >= 0x30 || first == MINUS;
}

@inline
function beginsTime(p: usize, length: u32, first: u32): bool {
  return length >= 10 && first != MINUS && load<u8>(p, 4) == MINUS;
}
