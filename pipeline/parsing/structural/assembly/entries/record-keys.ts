// The keys of a batch's selected records, in bytes of the order of their values, as pipeline/exchange/
// key-arena.ts has them. pipeline/execution/sort-kernel.ts fills the frame.
import { BOOLEAN, NUMBER, STRING } from '../column-type';
import { fieldAt, fieldLength, findText, isNullField } from '../field';
import { bitmapEnd, FilterFrame, validOf, valuesOf } from '../filter/frame';
import { loadColumn } from '../filter/load-column';
import { matches } from '../profile/blocks';

/** Of a condition's frame what loads columns is used, each as a load of its own. */
@unmanaged
class KeyFrame extends FilterFrame {
  /** `KeyColumn`s, one behind another. */
  columns: usize;
  columnCount: u32;
  /** Written to; sixteen bytes behind it are scratch. */
  keys: usize;
  keysBytes: u32;
  /** Out: where each record's key ends in the keys. */
  ends: usize;
}

@unmanaged
class KeyColumn {
  position: u32;
  type: u32;
  isDescending: u32;
  /** What stands for NULL. */
  nullByte: u32;
}

const COLUMN_BYTES: usize = 16;
const VALUE: u8 = 1;
/** A value and its marker; of texts, what stands around them. */
const VALUE_BYTES: u32 = 9;
const TEXT_EXTRA_BYTES: u32 = 3;
const SIGN: u64 = 0x8000000000000000;

/** Returns the bytes of all keys; 2^32 - 1 where a record is left to the reference, or there is no
 *  room. */
export function writeKeys(frame: KeyFrame): u32 {
  if (!loadValues(frame)) return u32.MAX_VALUE;
  const columnsEnd = frame.columns + <usize>frame.columnCount * COLUMN_BYTES;
  const limit = frame.keys + frame.keysBytes - frame.columnCount * VALUE_BYTES;
  const ends = frame.ends;
  let at = frame.keys;
  for (let i: u32 = 0; i < frame.selectedCount; i++) {
    if (at > limit) return u32.MAX_VALUE;
    let number: u32 = 0;
    for (let place = frame.columns; place < columnsEnd; place += COLUMN_BYTES, number++) {
      const column = changetype<KeyColumn>(place);
      if (column.type != STRING) {
        at = appendValue(frame, column, number, i, at);
        continue;
      }
      if (!findText(frame, i, column.position, frame.scratch, frame.scratchBytes)) {
        return u32.MAX_VALUE;
      }
      if (isNullField(frame)) store<u8>(at++, u8(column.nullByte));
      else if (at + 2 * fieldLength + TEXT_EXTRA_BYTES > limit) return u32.MAX_VALUE;
      else at = appendText(at, column.isDescending != 0);
    }
    store<u32>(ends + (<usize>i << 2), u32(at - frame.keys));
  }
  return u32(at - frame.keys);
}

/** False where a value is left to the reference. */
function loadValues(frame: KeyFrame): bool {
  const end = bitmapEnd(frame);
  for (let word: usize = 0; word < end; word += 8) store<u64>(frame.left + word, 0);
  for (let number: u32 = 0; number < frame.columnCount; number++) {
    const column = changetype<KeyColumn>(frame.columns + <usize>number * COLUMN_BYTES);
    if (column.type != STRING) loadColumn(frame, column.position, column.type, number);
  }
  let left: u64 = 0;
  for (let word: usize = 0; word < end; word += 8) left |= load<u64>(frame.left + word);
  return left == 0;
}

@inline
function appendValue(frame: KeyFrame, column: KeyColumn, number: u32, i: u32, at: usize): usize {
  const valid = load<u64>(validOf(frame, number) + (<usize>(i >> 6) << 3)) >> (i & 63);
  if ((valid & 1) == 0) {
    store<u8>(at, u8(column.nullByte));
    return at + 1;
  }
  store<u8>(at, VALUE);
  const bits = load<u64>(valuesOf(frame, number) + (<usize>i << 3));
  const flip: u64 = column.isDescending != 0 ? ~(<u64>0) : 0;
  if (column.type == BOOLEAN) {
    store<u8>(at, u8((bits ^ flip) & 1), 1);
    return at + 2;
  }
  const ordered = column.type == NUMBER && bits >> 63 != 0 ? ~bits : bits ^ SIGN;
  store<u64>(at + 1, bswap<u64>(ordered ^ flip));
  return at + VALUE_BYTES;
}

/** 00 is written 00 FF, and 00 00 ends the text. */
@inline
function appendText(at: usize, isDescending: bool): usize {
  const text = fieldAt;
  const length = fieldLength;
  const flip: u8 = isDescending ? 0xff : 0;
  store<u8>(at++, VALUE);
  for (let i: u32 = 0; i < length; i += 16) {
    const block = v128.load(text + i);
    const zeros = matches(block, 0);
    if (zeros != 0 && i + u32(ctz(zeros)) < length) return appendZeros(at, text, length, flip);
    v128.store(at + i, v128.xor(block, i8x16.splat(i8(flip))));
  }
  store<u16>(at + length, u16(flip) * 0x101);
  return at + length + 2;
}

/** The same of a text with 00 in it. */
function appendZeros(at: usize, text: usize, length: u32, flip: u8): usize {
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    store<u8>(at++, byte ^ flip);
    if (byte == 0) store<u8>(at++, 0xff ^ flip);
  }
  store<u16>(at, u16(flip) * 0x101);
  return at + 2;
}
