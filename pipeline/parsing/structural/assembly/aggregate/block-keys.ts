// The keys of a block's records, encoded as pipeline/aggregation/key-encoder.ts has it: for each key
// column 0 for NULL, else the length plus one, seven bits a byte, and the canonical text.
import { loadPadded, matches } from '../profile/blocks';
import { hashOfBlock, hashOfBytes } from '../profile/value-hash';
import { INTEGER, STRING } from '../column-type';
import {
  fieldAt,
  fieldLength,
  findField,
  findText,
  isNullField,
  SCRATCH,
  SCRATCH_BYTES,
} from '../field';
import {
  BLOCK_KEY_BYTES,
  BlockKey,
  Frame,
  InputColumn,
  KEY_BYTES_MAX,
  KEY_STEP,
  LEFT,
  keyColumn,
  keyOf,
} from './frame';
import { CANONICAL, LACKS_FRACTION, OTHER, isWholeNumber, keyForm } from './key-text';

/** Texts that fit sixteen bytes with the byte of their length. */
const SHORT_TEXT_MAX: u32 = 15;
/** ".0" as a little-endian number. */
const NO_FRACTION: u16 = 0x302e;

/** Encodes the keys of the selected records [from, to). */
export function readKeys(frame: Frame, from: u32, to: u32): void {
  if (frame.keyColumnCount == 1) {
    readSingleKeys(frame, keyColumn(frame, 0), from, to);
    return;
  }
  let longKeys = frame.longKeys;
  for (let i = from; i < to; i++) longKeys = readKey(frame, i, keyOf(frame, i - from), longKeys);
}

/** The usual case, mostly without a copy: the length takes the place of the byte before the text. */
function readSingleKeys(frame: Frame, column: InputColumn, from: u32, to: u32): void {
  const isKnown = column.type == STRING || column.type == INTEGER;
  const isPlain = isKnown && frame.nullTextCount == 0;
  let longKeys = frame.longKeys;
  for (let i = from; i < to; i++) {
    if (isPlain) {
      i = readPlainKeys(frame, column, i, to, keyOf(frame, i - from));
      if (i == to) return;
    }
    const key = keyOf(frame, i - from);
    if (!readShortKey(frame, column, i, key)) longKeys = readKey(frame, i, key, longKeys);
  }
}

/** Reads texts or integers from place `from` on up to one that is empty, long, not canonical, or
 *  holds quotes; returns its place. Without a call in the loop what it needs stays in registers. */
@inline
function readPlainKeys(frame: Frame, column: InputColumn, from: u32, to: u32, key: BlockKey): u32 {
  const text = frame.text;
  const quote = frame.quote;
  const isInteger = column.type == INTEGER;
  const fieldStarts = frame.fieldStarts + (<usize>column.position << 2);
  const fieldEnds = frame.fieldEnds + (<usize>column.position << 2);
  const end = frame.firstFields + (<usize>to << 2);
  let at = frame.firstFields + (<usize>from << 2);
  for (; at < end; at += 4) {
    const first = <usize>load<u32>(at) << 2;
    const start = load<u32>(fieldStarts + first);
    let length = load<u32>(fieldEnds + first) - start;
    let p = text + start;
    if (length != 0 && u32(load<u8>(p)) == quote) {
      // Its next quote has to be its last byte.
      p += 1;
      length -= 2;
      if (u32(ctz(matches(v128.load(p), u8(quote)))) != length) break;
    }
    if (length - 1 >= SHORT_TEXT_MAX) break;
    if (isInteger && !isWholeNumber(p, length, SHORT_TEXT_MAX)) break;
    finishText(key, p, length);
    key = changetype<BlockKey>(changetype<usize>(key) + BLOCK_KEY_BYTES);
  }
  return to - (u32(end - at) >> 2);
}

/** A text of 1 to 15 bytes that is quoted, or may stand for NULL. */
function readShortKey(frame: Frame, column: InputColumn, i: u32, key: BlockKey): bool {
  if (!findField(frame, i, column.position)) return false;
  const length = fieldLength;
  if (length - 1 >= SHORT_TEXT_MAX || isNullField(frame)) return false;
  if (keyForm(column.type, fieldAt, length) != CANONICAL) return false;
  finishText(key, fieldAt, length);
  return true;
}

/** Returns where the next long key can be written. */
function readKey(frame: Frame, i: u32, key: BlockKey, target: usize): usize {
  key.length = LEFT;
  let at = target;
  for (let k: u32 = 0; k < frame.keyColumnCount; k++) {
    const column = keyColumn(frame, k);
    if (!findText(frame, i, column.position, SCRATCH, SCRATCH_BYTES)) return target;
    at = appendField(frame, column.type, at, target + KEY_BYTES_MAX);
    if (at == 0) return target;
  }
  const length = u32(at - target);
  if (length <= 16) {
    finishShort(key, loadPadded(target, length), length);
    return target;
  }
  key.pointer = target;
  key.first = load<u64>(target);
  key.second = load<u64>(target, 8);
  key.length = length;
  key.hash = u32(hashOfBytes(target, length));
  return target + KEY_STEP;
}

@inline
function finishText(key: BlockKey, p: usize, length: u32): void {
  const block = loadPadded(p - 1, length + 1);
  finishShort(key, i8x16.replace_lane(block, 0, i8(length + 1)), length + 1);
}

@inline
function finishShort(key: BlockKey, block: v128, length: u32): void {
  v128.store(changetype<usize>(key), block);
  key.length = length;
  key.hash = u32(hashOfBlock(block, length));
}

/** Appends the field that was found; returns where it ends, or 0 when it is left. */
function appendField(frame: Frame, type: u32, target: usize, targetMax: usize): usize {
  if (isNullField(frame)) {
    if (target >= targetMax) return 0;
    store<u8>(target, 0);
    return target + 1;
  }
  const length = fieldLength;
  const form = length == 0 ? u32(type == STRING) : keyForm(type, fieldAt, length);
  const suffix: u32 = form == LACKS_FRACTION ? 2 : 0;
  if (form == OTHER || length > KEY_BYTES_MAX || target + length + 8 > targetMax) return 0;
  let at = target;
  let tag = length + suffix + 1;
  for (; tag > 0x7f; tag >>= 7) store<u8>(at++, u8(tag) | 0x80);
  store<u8>(at++, u8(tag));
  if (length <= 16) v128.store(at, v128.load(fieldAt));
  else memory.copy(at, fieldAt, length);
  at += length;
  if (suffix != 0) store<u16>(at, NO_FRACTION);
  return at + suffix;
}
