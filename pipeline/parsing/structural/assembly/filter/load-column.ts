// A column's fields as typed values, 8 bytes each: doubles of numbers; whole numbers of integers,
// truths, and of dates and timestamps as microseconds since 1970. Texts in other spellings than the
// usual ones, and those that do not cast, leave the record to the reference.
import { daysOfTime, DAY_MICROS, microsOfTime, scanTimeField } from '../calendar';
import { BOOLEAN, DATE, DATETIME, INTEGER, NUMBER } from '../column-type';
import { areNumbersPlain, fieldAt, fieldLength, findField, isNullField } from '../field';
import { INTEGER as INTEGER_KIND, NUMBER as NUMBER_KIND } from '../profile/column-state';
import { mantissa, scale, scanNumber } from '../profile/number-scan';
import {
  NOT_PLAIN,
  PLAIN_BYTES_MAX,
  plainMantissa,
  plainNumber,
  plainScale,
} from '../plain-number';
import { bitmapEnd, FilterFrame, validOf, valuesOf } from './frame';

/** Mantissas up to here are doubles. */
const SAFE: i64 = 9007199254740992;
/** As in pipeline/values/number.ts. */
const NUMBER_BYTES_MAX: u32 = 1024;
const ZERO: u32 = 0x30;

/** Powers of ten that are doubles; scales are at most 18. */
const POWERS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18,
]);

/** What `readWhole` found. */
let whole: i64 = 0;

/** Loads the field `position` of the batch's records as load number `number`. */
export function loadColumn(frame: FilterFrame, position: u32, type: u32, number: u32): void {
  if (type == NUMBER) loadDoubles(frame, position, number);
  else loadWholes(frame, position, type, number);
}

function loadDoubles(frame: FilterFrame, position: u32, number: u32): void {
  const valid = validOf(frame, number);
  const end = bitmapEnd(frame);
  const isPlain = areNumbersPlain(frame);
  let target = valuesOf(frame, number);
  let i: u32 = 0;
  for (let word: usize = 0; word < end; word += 8) {
    const to = min<u32>(i + 64, frame.selectedCount);
    let known: u64 = 0;
    let left: u64 = 0;
    for (let bit: u64 = 1; i < to; i++, bit <<= 1, target += 8) {
      const plain = isPlain ? plainField(frame, i, position) : NOT_PLAIN;
      if (plain != NOT_PLAIN) {
        known |= bit;
        storeDouble(target, plainMantissa(plain), plainScale(plain));
        continue;
      }
      if (!findField(frame, i, position)) left |= bit;
      else if (isNullField(frame)) continue;
      else if (!scanDouble()) left |= bit;
      else {
        known |= bit;
        storeDouble(target, mantissa, scale);
      }
    }
    store<u64>(valid + word, known);
    store<u64>(frame.left + word, load<u64>(frame.left + word) | left);
  }
}

function loadWholes(frame: FilterFrame, position: u32, type: u32, number: u32): void {
  const valid = validOf(frame, number);
  const end = bitmapEnd(frame);
  const isPlain = type == INTEGER && areNumbersPlain(frame);
  let target = valuesOf(frame, number);
  let i: u32 = 0;
  for (let word: usize = 0; word < end; word += 8) {
    const to = min<u32>(i + 64, frame.selectedCount);
    let known: u64 = 0;
    let left: u64 = 0;
    for (let bit: u64 = 1; i < to; i++, bit <<= 1, target += 8) {
      const plain = isPlain ? plainField(frame, i, position) : NOT_PLAIN;
      if (plain != NOT_PLAIN && plainScale(plain) == 0) {
        known |= bit;
        store<i64>(target, plainMantissa(plain));
        continue;
      }
      if (!findField(frame, i, position)) left |= bit;
      else if (isNullField(frame)) continue;
      else if (!readWhole(type)) left |= bit;
      else {
        known |= bit;
        store<i64>(target, whole);
      }
    }
    store<u64>(valid + word, known);
    store<u64>(frame.left + word, load<u64>(frame.left + word) | left);
  }
}

/** The selected record's field as `plainNumber` reads it. */
@inline
function plainField(frame: FilterFrame, i: u32, position: u32): i64 {
  const field = <usize>(load<u32>(frame.firstFields + (<usize>i << 2)) + position) << 2;
  const start = load<u32>(frame.fieldStarts + field);
  const length = load<u32>(frame.fieldEnds + field) - start;
  return length - 1 < PLAIN_BYTES_MAX ? plainNumber(frame.text + start, length) : NOT_PLAIN;
}

@inline
function storeDouble(target: usize, mantissa: i64, scale: u32): void {
  const whole = f64(mantissa);
  store<f64>(target, scale == 0 ? whole : whole / load<f64>(POWERS + (<usize>scale << 3)));
}

/** Scans the field that was found as a number whose mantissa is a double. */
@inline
function scanDouble(): bool {
  let p = fieldAt;
  let length = fieldLength;
  if (length - 1 >= NUMBER_BYTES_MAX) return false;
  // The scan knows no leading zeros, the cast does.
  while (length > 1 && u32(load<u8>(p)) == ZERO && u32(load<u8>(p, 1)) - ZERO < 10) {
    p++;
    length--;
  }
  const kind = scanNumber(p, length);
  if (kind != INTEGER_KIND && kind != NUMBER_KIND) return false;
  return mantissa <= SAFE && mantissa >= -SAFE;
}

@inline
function readWhole(type: u32): bool {
  if (type == INTEGER) {
    if (!scanDouble() || scale != 0) return false;
    whole = mantissa;
    return true;
  }
  if (type == BOOLEAN) return readBoolean();
  if (!scanTimeField(fieldAt, fieldLength)) return false;
  whole = type == DATE ? daysOfTime() * DAY_MICROS : microsOfTime();
  return true;
}

/** The words of pipeline/values/boolean.ts. Setting the bit of the case makes no other byte a letter. */
function readBoolean(): bool {
  const length = fieldLength;
  const p = fieldAt;
  if (length == 0 || length > 5) return false;
  if (length == 1) {
    const byte = u32(load<u8>(p));
    const letter = byte | 0x20;
    whole = i64(byte == 0x31 || letter == 0x74 || letter == 0x79); // 1 t y
    return whole != 0 || byte == 0x30 || letter == 0x66 || letter == 0x6e; // 0 f n
  }
  const mask = (u64(1) << (u64(length) << 3)) - 1;
  const word = (load<u64>(p) & mask) | (0x2020202020 & mask);
  whole = i64(word == 0x736579 || word == 0x65757274); // yes true
  return whole != 0 || word == 0x6f6e || word == 0x65736c6166; // no false
}
