import { daysFromCivil } from '../values/calendar.ts';
import { exactOf } from '../values/exact-sum.ts';
import { VALUE_KIND_COUNT, ValueKind } from '../values/value-kind.ts';
import type { ColumnStatistics } from './column-statistics.ts';

/**
 * What the kernel knows of one column, as `assembly/profile/column-state.ts` lays it out: offsets in
 * bytes from the column's pointer. The value cache follows.
 */
const NULL_TEXT_COUNT = 0;
const LENGTH_MIN = 32;
const LENGTH_MAX = 36;
const TEXT_MIN_LENGTH = 40;
const TEXT_MAX_LENGTH = 44;
const TIME_MIN = 80;
const TIME_MAX = 88;
const BLANK_COUNT = 100;
const NUMBERS = 112;
const TEXT_MIN = 720;
const TEXT_MAX = 992;
const REGISTERS = 1280;
const REGISTER_COUNT = 16_384;

/** Bytes of a column without its cache, and of an entry of that. */
export const KERNEL_COLUMN_BYTES = REGISTERS + REGISTER_COUNT;
export const KERNEL_CACHE_ENTRY_BYTES = 32;

/** Within `NUMBERS`, for each scale: the sum's halves, and the bounds, all mantissas. */
const SCALE_COUNT = 19;
const NUMBERS_BYTES = 32;
const SUM_HIGH = 8;
const NUMBER_MIN = 16;
const NUMBER_MAX = 24;

/** A time is a date, as the number YYYYMMDD, above the microseconds of the day. */
const DAY_BITS = 37n;
const DAY_MICROS = 86_400_000_000;

/** Registers that are not 0, as the kernel lists them. */
export interface RegisterList {
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Adds a column of the kernel to the statistics; its cache must have been flushed. `list` holds its
 *  registers, unless they are too many. `emptyIsNull` says what fields without text are. */
export function moveColumn(
  buffer: ArrayBuffer,
  pointer: number,
  list: RegisterList | null,
  emptyIsNull: boolean,
  to: ColumnStatistics,
): void {
  const view = new DataView(buffer, pointer, KERNEL_COLUMN_BYTES);
  to.nullCount += view.getUint32(NULL_TEXT_COUNT, true);
  const blankCount = view.getUint32(BLANK_COUNT, true);
  if (emptyIsNull) to.nullCount += blankCount;
  else to.kindCounts[ValueKind.empty]! += blankCount;
  for (let kind: number = ValueKind.integer; kind < VALUE_KIND_COUNT; kind++) {
    to.kindCounts[kind]! += view.getUint32(kind * 4, true);
  }
  const lengthMax = view.getUint32(LENGTH_MAX, true);
  if (lengthMax === 0) return;
  to.lengthMin = Math.min(to.lengthMin, view.getUint32(LENGTH_MIN, true));
  to.lengthMax = Math.max(to.lengthMax, lengthMax);
  moveNumbers(view, to);
  moveTimes(view, to);
  moveText(view, TEXT_MIN, TEXT_MIN_LENGTH, to);
  moveText(view, TEXT_MAX, TEXT_MAX_LENGTH, to);
  if (list === null) {
    to.sketch.mergeRegisters(new Uint8Array(buffer, pointer + REGISTERS, REGISTER_COUNT));
  } else to.sketch.mergeList(list.count, list.bytes);
}

function moveNumbers(view: DataView, to: ColumnStatistics): void {
  for (let scale = 0; scale < SCALE_COUNT; scale++) {
    const at = NUMBERS + scale * NUMBERS_BYTES;
    const min = view.getBigInt64(at + NUMBER_MIN, true);
    const max = view.getBigInt64(at + NUMBER_MAX, true);
    if (min > max) continue;
    const sum = (view.getBigInt64(at + SUM_HIGH, true) << 64n) + view.getBigUint64(at, true);
    to.sums.addExact(0, sum, scale);
    for (const big of [min, max]) to.numbers.addExact(exactOf({ mantissa: 0, big, scale }));
  }
}

function moveTimes(view: DataView, to: ColumnStatistics): void {
  const min = view.getBigUint64(TIME_MIN, true);
  const max = view.getBigUint64(TIME_MAX, true);
  if (min > max) return;
  to.times.add(microsOf(min));
  to.times.add(microsOf(max));
}

/** Microseconds since 1970, a bigint when not safe. */
function microsOf(time: bigint): number | bigint {
  const date = Number(time >> DAY_BITS);
  const year = Math.floor(date / 10_000);
  const days = daysFromCivil(year, Math.floor(date / 100) % 100, date % 100);
  const micros = BigInt(days) * BigInt(DAY_MICROS) + BigInt.asUintN(Number(DAY_BITS), time);
  return Number.isSafeInteger(Number(micros)) ? Number(micros) : micros;
}

function moveText(view: DataView, at: number, lengthAt: number, to: ColumnStatistics): void {
  const length = view.getUint32(lengthAt, true);
  const text = new Uint8Array(view.buffer, view.byteOffset + at, length);
  to.texts.addText(text);
}
