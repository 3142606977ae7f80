// A block of records into its groups: keys, values, groups, and then record by record the state of
// each measured column. A record is taken whole or left whole.
//
// State of a measured column: how many values (u32), their scale (u32); when it keeps a sum, the
// sum's mantissa (128 bits); when it keeps bounds, the least and the greatest mantissa (64 bits).
import { readKeys } from './block-keys';
import { readValues } from './block-values';
import {
  Frame,
  InputColumn,
  KEEPS_BOUNDS,
  KEEPS_SUM,
  LEFT,
  NULL_SCALE,
  keyOf,
  measuredColumn,
  valueOf,
} from './frame';
import {
  Group,
  findGroup,
  growForBlock,
  hasRoomForBlock,
  isSpread,
  knownGroup,
  onlyGroup,
  touchGroup,
  touchSlot,
} from './group-table';
import { add128, isInt64, storeProduct } from './int128';

/** Powers of ten up to 10^18. */
const POWERS: usize = memory.data<i64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
  1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
  1_000_000_000_000_000_000,
]);

const SUM: usize = 8;
const SUM_BYTES: usize = 16;

/** Where a column's bounds are in its state. */
@inline
export function boundsAt(keeps: u32): usize {
  return (keeps & KEEPS_SUM) != 0 ? SUM + SUM_BYTES : SUM;
}

/** Keeps the loads that only bring memory near. */
let touched: u32 = 0;

/** Whether a block can be added; else the groups have to be written and cleared first. */
export function hasRoom(frame: Frame): bool {
  return hasRoomForBlock(frame);
}

/** Takes the selected records [from, to), a block at most. Returns how many of them it leaves. */
export function addBlock(frame: Frame, from: u32, to: u32): u32 {
  const count = to - from;
  growForBlock(frame);
  const only = frame.keyColumnCount == 0 ? onlyGroup(frame) : null;
  if (only && frame.measuredCount == 0) {
    only.recordCount += count;
    return 0;
  }
  readKeys(frame, from, to);
  for (let c: u32 = 0; c < frame.measuredCount; c++) {
    readValues(frame, measuredColumn(frame, c), c, from, to);
  }
  if (isSpread(frame)) touchGroups(frame, count);
  let leftCount: u32 = 0;
  const isNear = !only && !isSpread(frame);
  for (let i: u32 = 0; i < count; i++) {
    if (isNear) {
      i = addKnown(frame, i, count);
      if (i == count) break;
    }
    const key = keyOf(frame, i);
    if (key.length != LEFT) {
      const group = only ? only : findGroup(frame, key);
      if (addRecord(frame, group, i)) continue;
    }
    store<u32>(frame.left + (<usize>leftCount << 2), from + i);
    leftCount++;
  }
  return leftCount;
}

/** Brings what the block's keys lead to near, all at the same time. */
function touchGroups(frame: Frame, count: u32): void {
  for (let i: u32 = 0; i < count; i++) touched += touchSlot(frame, keyOf(frame, i));
  for (let i: u32 = 0; i < count; i++) touched += touchGroup(frame, keyOf(frame, i));
}

/** Takes records from place `from` on while their groups are there and have nothing to align; returns
 *  the place of the first other one. Without a call in the loop what it needs stays in registers. */
@inline
function addKnown(frame: Frame, from: u32, count: u32): u32 {
  let i = from;
  for (; i < count; i++) {
    const group = knownGroup(frame, keyOf(frame, i));
    if (!group || !isAligned(frame, group, i)) break;
    addValues(frame, group, i);
  }
  return i;
}

/** Whether all values of the record have the scale that the group has. */
@inline
function isAligned(frame: Frame, group: Group, i: u32): bool {
  const columns = frame.measuredCount;
  for (let c: u32 = 0; c < columns; c++) {
    const scale = load<u32>(valueOf(frame, c, i), 8);
    const held = load<u32>(changetype<usize>(group) + measuredColumn(frame, c).offset, 4);
    if (scale != held && scale != NULL_SCALE) return false;
  }
  return true;
}

@inline
function addRecord(frame: Frame, group: Group, i: u32): bool {
  const count = frame.measuredCount;
  for (let c: u32 = 0; c < count; c++) {
    const column = measuredColumn(frame, c);
    const value = valueOf(frame, c, i);
    const scale = load<u32>(value, 8);
    const state = changetype<usize>(group) + column.offset;
    if (scale == NULL_SCALE || load<u32>(state, 4) == scale) continue;
    if (!align(state, column.keeps, value, scale)) return false;
  }
  addValues(frame, group, i);
  return true;
}

@inline
function addValues(frame: Frame, group: Group, i: u32): void {
  const count = frame.measuredCount;
  group.recordCount++;
  for (let c: u32 = 0; c < count; c++) {
    const value = valueOf(frame, c, i);
    if (load<u32>(value, 8) == NULL_SCALE) continue;
    const column = measuredColumn(frame, c);
    addValue(changetype<usize>(group) + column.offset, column, load<i64>(value));
  }
}

@inline
function addValue(state: usize, column: InputColumn, value: i64): void {
  const keeps = column.keeps;
  const count = load<u32>(state);
  store<u32>(state, count + 1);
  if ((keeps & KEEPS_SUM) != 0) add128(state + SUM, value);
  if ((keeps & KEEPS_BOUNDS) == 0) return;
  const bounds = state + boundsAt(keeps);
  if (count == 0 || value < load<i64>(bounds)) store<i64>(bounds, value);
  if (count == 0 || value > load<i64>(bounds, 8)) store<i64>(bounds, value, 8);
}

/** Brings state and value to one scale, the greater; false, and nothing is changed, when one of
 *  their numbers would not fit. */
function align(state: usize, keeps: u32, value: usize, scale: u32): bool {
  const held = load<u32>(state, 4);
  if (load<u32>(state) == 0) {
    store<u32>(state, scale, 4);
    return true;
  }
  if (scale < held) {
    const power = load<i64>(POWERS + (<usize>(held - scale) << 3));
    const mantissa = load<i64>(value);
    if (!fits(mantissa, power)) return false;
    store<i64>(value, mantissa * power);
    store<u32>(value, held, 8);
    return true;
  }
  const power = load<i64>(POWERS + (<usize>(scale - held) << 3));
  const bounds = state + boundsAt(keeps);
  const hasBounds = (keeps & KEEPS_BOUNDS) != 0;
  if ((keeps & KEEPS_SUM) != 0 && !isInt64(state + SUM)) return false;
  if (hasBounds && !(fits(load<i64>(bounds), power) && fits(load<i64>(bounds, 8), power))) {
    return false;
  }
  if ((keeps & KEEPS_SUM) != 0) storeProduct(state + SUM, load<i64>(state + SUM), power);
  if (hasBounds) {
    store<i64>(bounds, load<i64>(bounds) * power);
    store<i64>(bounds, load<i64>(bounds, 8) * power, 8);
  }
  store<u32>(state, scale, 4);
  return true;
}

@inline
function fits(mantissa: i64, power: i64): bool {
  const most = i64.MAX_VALUE / power;
  return mantissa <= most && mantissa >= -most;
}
