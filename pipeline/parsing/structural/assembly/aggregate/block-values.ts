// The measured values of a block's records, column by column. What the kernel cannot cast exactly
// leaves the whole record to the reference, and so does what does not cast.
import { INTEGER as INTEGER_KIND, NUMBER as NUMBER_KIND } from '../profile/column-state';
import { mantissa, scale, scanNumber } from '../profile/number-scan';
import { daysOfTime, microsOfTime, scanTimeField } from '../calendar';
import { DATE, INTEGER, NUMBER, STRING } from '../column-type';
import { fieldAt, fieldLength, findText, isNullField, SCRATCH, SCRATCH_BYTES } from '../field';
import { Frame, InputColumn, KEEPS_BOUNDS, LEFT, NULL_SCALE, keyOf, valueOf } from './frame';

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
  const position = column.position;
  const type = column.type;
  for (let i = from; i < to; i++) {
    const isFound = findText(frame, i, position, SCRATCH, SCRATCH_BYTES);
    if (!isFound || !readValue(frame, column, type)) {
      keyOf(frame, i - from).length = LEFT;
      continue;
    }
    const target = valueOf(frame, number, i - from);
    store<i64>(target, value);
    store<u32>(target, valueScale, 8);
  }
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
