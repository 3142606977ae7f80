// Filters: what pipeline/execution/condition-kernel.ts calls.
import { bitmapEnd, FilterFrame, Instruction, INSTRUCTION_BYTES, noOf, recordsOf, yesOf } from './frame';
import {
  compareDoubleColumns,
  compareDoubles,
  compareWholeColumns,
  compareWholes,
} from './compare-values';
import { loadColumn } from './load-column';
import { AND, combine } from './logic';
import { NULL_FIELD, testTexts } from './test-texts';

export { addMember } from './text-set';

/** a: position of the field; b: its type; c: number of the load. */
const LOAD: u32 = 0;
const COMPARE_WHOLES: u32 = 1;
const COMPARE_DOUBLES: u32 = 2;
const COMPARE_COLUMNS: u32 = 3;
/** In d of COMPARE_COLUMNS: both are compared as whole numbers. */
const AS_WHOLES: u32 = 4;

/** Narrows the selection to the records that stay for sure; returns how many they are. Those that
 *  the reference has to decide on are listed. */
export function select(frame: FilterFrame): u32 {
  const end = bitmapEnd(frame);
  for (let word: usize = 0; word < end; word += 8) store<u64>(frame.left + word, 0);
  let step = changetype<Instruction>(frame.instructions);
  for (let i: u32 = 0; i < frame.instructionCount; i++) {
    run(frame, step);
    step = changetype<Instruction>(changetype<usize>(step) + INSTRUCTION_BYTES);
  }
  return divide(frame, end);
}

@inline
function run(frame: FilterFrame, step: Instruction): void {
  const kind = step.kind;
  if (kind >= NULL_FIELD) {
    if (kind < AND - 1) testTexts(frame, step);
    else combine(frame, step);
  } else if (kind == LOAD) loadColumn(frame, step.a, step.b, step.c);
  else if (kind == COMPARE_WHOLES) compareWholes(frame, step);
  else if (kind == COMPARE_DOUBLES) compareDoubles(frame, step);
  else if (kind == COMPARE_COLUMNS) {
    if (step.d == AS_WHOLES) compareWholeColumns(frame, step);
    else compareDoubleColumns(frame, step);
  }
}

function divide(frame: FilterFrame, end: usize): u32 {
  const selection = frame.selection;
  const leftRecords = frame.leftRecords;
  let kept: usize = selection;
  let left: usize = leftRecords;
  for (let word: usize = 0; word < end; word += 8) {
    let leftBits = load<u64>(frame.left + word);
    let keptBits = load<u64>(yesOf(frame, 0) + word) & ~leftBits;
    if (frame.keepsUnknown != 0) {
      leftBits |= load<u64>(noOf(frame, 0) + word);
      keptBits = recordsOf(frame, word) & ~leftBits;
    }
    const records = selection + (word << 5);
    // Left ones first: those kept are written over the selection.
    for (; leftBits != 0; leftBits &= leftBits - 1, left += 4) {
      store<u32>(left, load<u32>(records + (<usize>ctz(leftBits) << 2)));
    }
    for (; keptBits != 0; keptBits &= keptBits - 1, kept += 4) {
      store<u32>(kept, load<u32>(records + (<usize>ctz(keptBits) << 2)));
    }
  }
  frame.leftCount = u32(left - leftRecords) >> 2;
  return u32(kept - selection) >> 2;
}
