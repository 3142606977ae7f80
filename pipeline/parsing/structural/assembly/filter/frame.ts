// A condition at work: pipeline/execution/condition-kernel.ts fills the frame, its instructions and
// their literals. The truths of a batch's selected records are two bitmaps: those for which the
// condition is true, and those for which it is false; for the others it is unknown.
import { FieldFrame } from '../field';

@unmanaged
export class FilterFrame extends FieldFrame {
  /** In: the selected records, which `select` narrows. */
  selection: usize;
  selectedCount: u32;
  /** `Instruction`s, one behind another; the last one leaves its truths at `truths`. */
  instructions: usize;
  instructionCount: u32;
  /** Values of the loaded columns, 8 bytes a record, column by column. */
  values: usize;
  /** Bitmaps: which of a loaded column's values are not NULL; the truths; and in all, what the
   *  reference has to look at. */
  valids: usize;
  truths: usize;
  left: usize;
  /** Bytes of the values of a column, and of a bitmap. */
  valuesBytes: u32;
  bitmapBytes: u32;
  /** Keep records unless the condition is false for them, and leave those to the reference. */
  keepsUnknown: u32;
  /** For texts with doubled quotes. */
  scratch: usize;
  scratchBytes: u32;
  /** Out: the records left to the reference, ascending. */
  leftRecords: usize;
  leftCount: u32;
}

/** One step of a condition; what its operands are depends on `kind`. */
@unmanaged
export class Instruction {
  kind: u32;
  /** Number of the truths that it writes. */
  target: u32;
  a: u32;
  b: u32;
  c: u32;
  d: u32;
  /** Bitmap of records that need no look, or 0: whatever is written for them does not matter. */
  skip: usize;
  reserved: u32;
}

export const INSTRUCTION_BYTES: usize = 32;

@inline
export function yesOf(frame: FilterFrame, truths: u32): usize {
  return frame.truths + <usize>truths * 2 * frame.bitmapBytes;
}

@inline
export function noOf(frame: FilterFrame, truths: u32): usize {
  return yesOf(frame, truths) + frame.bitmapBytes;
}

@inline
export function valuesOf(frame: FilterFrame, load: u32): usize {
  return frame.values + <usize>load * frame.valuesBytes;
}

@inline
export function validOf(frame: FilterFrame, load: u32): usize {
  return frame.valids + <usize>load * frame.bitmapBytes;
}

/** The lowest bits of a bitmap's word at byte offset `at`, as many as there are records. */
@inline
export function recordsOf(frame: FilterFrame, at: usize): u64 {
  const rest = frame.selectedCount - (u32(at) << 3);
  return rest >= 64 ? ~u64(0) : (u64(1) << u64(rest)) - 1;
}

/** Bytes of a bitmap that the records of the batch use. */
@inline
export function bitmapEnd(frame: FilterFrame): usize {
  return (<usize>(frame.selectedCount + 63) >> 6) << 3;
}
