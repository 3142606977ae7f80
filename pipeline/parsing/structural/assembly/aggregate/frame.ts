// What a grouping is and where it is at work. pipeline/aggregation/aggregate-kernel.ts fills it.
import { FieldFrame } from '../field';

/** Records that are taken at a time, and how many the areas for a block have room for. */
export const BLOCK_RECORDS: u32 = 256;
/** A longer encoded key is left to the reference. */
export const KEY_BYTES_MAX: u32 = 1024;
/** Room of a block for keys of more than sixteen bytes; a copy may run 32 bytes too far. */
export const KEY_STEP: u32 = KEY_BYTES_MAX + 64;

/** Instead of a key's length: the record is left to the reference. */
export const LEFT: u32 = 0xffffffff;

/** What is kept of a measured column, beside how many values it has that are not NULL. */
export const KEEPS_SUM: u32 = 1;
export const KEEPS_BOUNDS: u32 = 2;

/** Pointers are to areas of the kernel's memory; the rest says so. */
@unmanaged
export class Frame extends FieldFrame {
  /** `InputColumn`s, one behind another. */
  keyColumns: usize;
  keyColumnCount: u32;
  measured: usize;
  measuredCount: u32;
  /** `Measure`s, one behind another. */
  measures: usize;
  measureCount: u32;
  /** Out: places of the records left to the reference, ascending. */
  left: usize;
  /** Of a block's records: `BlockKey`s, the texts of long keys, and the measured values. */
  keys: usize;
  longKeys: usize;
  values: usize;
  /** The table: see group-table.ts. */
  slots: usize;
  slotCount: u32;
  groups: usize;
  groupBytes: u32;
  groupCount: u32;
  groupCountMax: u32;
  arena: usize;
  arenaUsed: u32;
  arenaBytes: u32;
  /** All ones; tests make hashes meet. */
  hashMask: u32;
  /** Two areas of `groupCountMax` sort items, the second behind the first. */
  sortItems: usize;
  /** Where the groups are written, and how far. */
  output: usize;
  outputBytes: u32;
  groupsWritten: u32;
}

/** A key column, or a measured one. */
@unmanaged
export class InputColumn {
  position: u32;
  type: u32;
  /** Of a measured one: `KEEPS_` bits, and where its state is in a group. */
  keeps: u32;
  offset: u32;
}

export const INPUT_COLUMN_BYTES: usize = 16;

/** The key of one record of a block. */
@unmanaged
export class BlockKey {
  /** The encoded key's first sixteen bytes, zero-padded. */
  first: u64;
  second: u64;
  /** Where the whole key is, when it has more. */
  pointer: usize;
  length: u32;
  hash: u32;
}

export const BLOCK_KEY_BYTES: usize = 32;

/** A measured value of a block: the number, and its scale or NULL_SCALE. */
export const VALUE_BYTES: usize = 16;
export const NULL_SCALE: u32 = 0xff;

@inline
export function keyOf(frame: Frame, i: u32): BlockKey {
  return changetype<BlockKey>(frame.keys + <usize>i * BLOCK_KEY_BYTES);
}

@inline
export function keyColumn(frame: Frame, i: u32): InputColumn {
  return changetype<InputColumn>(frame.keyColumns + <usize>i * INPUT_COLUMN_BYTES);
}

@inline
export function measuredColumn(frame: Frame, i: u32): InputColumn {
  return changetype<InputColumn>(frame.measured + <usize>i * INPUT_COLUMN_BYTES);
}

/** Value of the measured column `column` in the block's record `i`. */
@inline
export function valueOf(frame: Frame, column: u32, i: u32): usize {
  return frame.values + (<usize>column * BLOCK_RECORDS + i) * VALUE_BYTES;
}
