// The measured values of a block's records, column by column. What the kernel cannot cast exactly
// leaves the whole record to the reference, and so does what does not cast.
import { loadPadded } from '../profile/blocks';
import {
  DATE as DATE_KIND,
  DATETIME as DATETIME_KIND,
  INTEGER as INTEGER_KIND,
  NUMBER as NUMBER_KIND,
} from '../profile/column-state';
import { mantissa, scale, scanLongNumber, scanShortNumber } from '../profile/number-scan';
import { scanTime, timeKey } from '../profile/time-scan';
import { fieldAt, fieldLength, findField, isNullField } from './field';
import {
  DATE,
  Frame,
  INTEGER,
  InputColumn,
  KEEPS_BOUNDS,
  LEFT,
  NULL_SCALE,
  NUMBER,
  STRING,
  keyOf,
  valueOf,
} from './frame';

/** Bounds of numbers are doubles in the end: exact ones are rounded once only up to here. */
const SAFE: i64 = 9007199254740991;
/** As in time-scan.ts: bits of the microseconds of the day, below the date as YYYYMMDD. */
const DAY_BITS: u64 = 37;
const DAY_MICROS: i64 = 86_400_000_000;
const MINUS: u8 = 0x2d;

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
    if (!findField(frame, i, position) || !readValue(frame, column, type)) {
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
  const kind =
    length <= 16
      ? scanShortNumber(fieldAt, length, loadPadded(fieldAt, length))
      : scanLongNumber(fieldAt, length);
  if (kind != INTEGER_KIND && kind != NUMBER_KIND) return false;
  value = mantissa;
  valueScale = scale;
  if (type == INTEGER) return scale == 0;
  return (column.keeps & KEEPS_BOUNDS) == 0 || (value <= SAFE && value >= -SAFE);
}

/** Days since 1970 of a date, microseconds of a timestamp. */
function readTime(type: u32, length: u32): bool {
  if (length < 10 || load<u8>(fieldAt, 4) != MINUS) return false;
  const kind = scanTime(fieldAt, length);
  if (kind != DATE_KIND && kind != DATETIME_KIND) return false;
  const date = u32(timeKey >> DAY_BITS);
  const days = daysFromCivil(date / 10_000, (date / 100) % 100, date % 100);
  value = type == DATE ? days : days * DAY_MICROS + i64(timeKey & ((1 << DAY_BITS) - 1));
  return true;
}

/** As in pipeline/values/calendar.ts; years from 0. */
function daysFromCivil(year: u32, month: u32, day: u32): i64 {
  const marchYear = i64(year) + 400 - i64(month <= 2);
  const era = marchYear / 400;
  const yearOfEra = marchYear - era * 400;
  const marchMonth = (month + 9) % 12;
  const dayOfYear = i64((153 * marchMonth + 2) / 5 + day - 1);
  const leapDays = yearOfEra / 4 - yearOfEra / 100;
  return (era - 1) * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}
