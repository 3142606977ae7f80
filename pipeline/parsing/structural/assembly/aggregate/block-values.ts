// The measured values of a block's records, column by column. What the kernel cannot cast exactly
// leaves the whole record to the reference, and so does what does not cast.
import { INTEGER as INTEGER_KIND, NUMBER as NUMBER_KIND } from '../profile/column-state';
import { mantissa, scale, scanNumber } from '../profile/number-scan';
import { daysOfTime, microsOfTime, scanTimeField } from '../calendar';
import { DATE, INTEGER, NUMBER, STRING } from '../column-type';
import {
  areNumbersPlain,
  fieldAt,
  fieldLength,
  findText,
  isNullField,
  SCRATCH,
  SCRATCH_BYTES,
} from '../field';
import {
  NOT_PLAIN,
  PLAIN_BYTES_MAX,
  plainMantissa,
  plainNumber,
  plainScale,
} from '../plain-number';
import {
  BlockKey,
  Frame,
  InputColumn,
  KEEPS_BOUNDS,
  LEFT,
  NULL_SCALE,
  VALUE_BYTES,
  keyOf,
  valueOf,
} from './frame';

/** Bounds of numbers are doubles in the end: exact ones are rounded once only up to here. */
const SAFE: i64 = 9007199254740991;

/** What `readValue` found. */
let value: i64 = 0;
let valueScale: u32 = 0;

/** Reads the column, the frame's `number`th, of the selected records [from, to). */
export function readValues(
  frame: Frame,
  column: InputColumn,
  number: u32,
  from: u32,
  to: u32,
): void {
  const type = column.type;
  const isPlain = (type == NUMBER || type == INTEGER) && areNumbersPlain(frame);
  for (let i = from; i < to; i++) {
    if (isPlain) {
      i = readPlain(frame, column, valueOf(frame, number, i - from), i, to);
      if (i == to) return;
    }
    readOther(frame, column, i, keyOf(frame, i - from), valueOf(frame, number, i - from));
  }
}

/** Reads values from place `from` on as `plainNumber` does, up to one that it does not read; returns
 *  its place. Without a call in the loop what it needs stays in registers. */
@inline
function readPlain(frame: Frame, column: InputColumn, target: usize, from: u32, to: u32): u32 {
  const text = frame.text;
  const fieldStarts = frame.fieldStarts + (<usize>column.position << 2);
  const fieldEnds = frame.fieldEnds + (<usize>column.position << 2);
  const scaleMax: u32 = column.type == INTEGER ? 0 : PLAIN_BYTES_MAX;
  const end = frame.firstFields + (<usize>to << 2);
  let at = frame.firstFields + (<usize>from << 2);
  for (; at < end; at += 4, target += VALUE_BYTES) {
    const first = <usize>load<u32>(at) << 2;
    const start = load<u32>(fieldStarts + first);
    const length = load<u32>(fieldEnds + first) - start;
    if (length - 1 >= PLAIN_BYTES_MAX) break;
    const plain = plainNumber(text + start, length);
    if (plain == NOT_PLAIN || plainScale(plain) > scaleMax) break;
    store<i64>(target, plainMantissa(plain));
    store<u32>(target, plainScale(plain), 8);
  }
  return to - (u32(end - at) >> 2);
}

/** Reads a value of any spelling. */
function readOther(frame: Frame, column: InputColumn, i: u32, key: BlockKey, target: usize): void {
  const isFound = findText(frame, i, column.position, SCRATCH, SCRATCH_BYTES);
  if (!isFound || !readValue(frame, column, column.type)) {
    key.length = LEFT;
    return;
  }
  store<i64>(target, value);
  store<u32>(target, valueScale, 8);
}

/** Casts the field that was found; false when it is left. */
@inline
function readValue(frame: Frame, column: InputColumn, type: u32): bool {
  valueScale = 0;
  if (isNullField(frame)) {
    valueScale = NULL_SCALE;
    return true;
  }
  if (type == STRING) return true;
  const length = fieldLength;
  if (length == 0) return false;
  if (type != INTEGER && type != NUMBER) return readTime(type, length);
  const kind = scanNumber(fieldAt, length);
  if (kind != INTEGER_KIND && kind != NUMBER_KIND) return false;
  value = mantissa;
  valueScale = scale;
  if (type == INTEGER) return scale == 0;
  return (column.keeps & KEEPS_BOUNDS) == 0 || (value <= SAFE && value >= -SAFE);
}

/** Days since 1970 of a date, microseconds of a timestamp. */
function readTime(type: u32, length: u32): bool {
  if (!scanTimeField(fieldAt, length)) return false;
  value = type == DATE ? daysOfTime() : microsOfTime();
  return true;
}
