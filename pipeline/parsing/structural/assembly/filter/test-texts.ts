// Tests of a column's texts, record by record, but for those that need no look.
import { fieldAt, fieldLength, findText, isNullField } from '../field';
import { compareBytes, loadPadded } from '../profile/blocks';
import { EQUAL, GREATER, LESS } from './compare-values';
import { bitmapEnd, FilterFrame, Instruction, noOf, recordsOf, yesOf } from './frame';
import { isLike, LikePattern } from './like';
import { hasFew, isMember, isOneOfFew, TextSet } from './text-set';

/** a: position of the field. */
export const NULL_FIELD: u32 = 4;
/** b: orders that make it true; c, d: the other text and its length. */
export const COMPARE_TEXT: u32 = 5;
/** b: whether NULL is in the list; c: a `TextSet`. */
export const TEXT_IN: u32 = 6;
/** c: a `LikePattern`. */
export const LIKE: u32 = 7;

const NO: u32 = 0;
const YES: u32 = 1;
const UNKNOWN: u32 = 2;

export function testTexts(frame: FilterFrame, step: Instruction): void {
  const end = bitmapEnd(frame);
  const yes = yesOf(frame, step.target);
  const no = noOf(frame, step.target);
  const isFew = isAmongFew(frame, step);
  for (let word: usize = 0; word < end; word += 8) {
    let open = recordsOf(frame, word);
    if (step.skip != 0) open &= ~load<u64>(step.skip + word);
    let yesBits: u64 = 0;
    let noBits: u64 = 0;
    let leftBits: u64 = 0;
    for (; open != 0; open &= open - 1) {
      const bit = open & (0 - open);
      const i = (u32(word) << 3) + u32(ctz(open));
      const few = isFew ? testFew(frame, step, i) : UNKNOWN;
      if (few != UNKNOWN) {
        yesBits |= bit & (0 - u64(few));
        noBits |= bit & (u64(few) - 1);
        continue;
      }
      if (!findText(frame, i, step.a, frame.scratch, frame.scratchBytes)) {
        leftBits |= bit;
        continue;
      }
      const truth = testText(frame, step);
      if (truth == YES) yesBits |= bit;
      else if (truth == NO) noBits |= bit;
    }
    store<u64>(yes + word, yesBits);
    store<u64>(no + word, noBits);
    store<u64>(frame.left + word, load<u64>(frame.left + word) | leftBits);
  }
}

/** Whether `testFew` can be asked: few texts, and no NULL among them or in the column but the empty
 *  field. */
function isAmongFew(frame: FilterFrame, step: Instruction): bool {
  if (step.kind != TEXT_IN || step.b != 0 || frame.nullTextCount != 0) return false;
  return hasFew(changetype<TextSet>(<usize>step.c));
}

/** YES or NO for a short text without quotes, else UNKNOWN. */
@inline
function testFew(frame: FilterFrame, step: Instruction, i: u32): u32 {
  const field = <usize>(load<u32>(frame.firstFields + (<usize>i << 2)) + step.a) << 2;
  const start = load<u32>(frame.fieldStarts + field);
  const length = load<u32>(frame.fieldEnds + field) - start;
  const p = frame.text + start;
  if (length - 1 >= 16 || u32(load<u8>(p)) == frame.quote) return UNKNOWN;
  return isOneOfFew(changetype<TextSet>(<usize>step.c), loadPadded(p, length), length);
}

@inline
function testText(frame: FilterFrame, step: Instruction): u32 {
  const kind = step.kind;
  if (isNullField(frame)) return kind == NULL_FIELD ? YES : UNKNOWN;
  if (kind == TEXT_IN) {
    if (isMember(changetype<TextSet>(<usize>step.c), fieldAt, fieldLength)) return YES;
    return step.b != 0 ? UNKNOWN : NO;
  }
  if (kind == COMPARE_TEXT) return u32((orderOf(step) & step.b) != 0);
  if (kind == LIKE) return u32(isLike(changetype<LikePattern>(<usize>step.c), fieldAt, fieldLength));
  return NO;
}

@inline
function orderOf(step: Instruction): u32 {
  const order = compareBytes(fieldAt, fieldLength, step.c, step.d);
  return order < 0 ? LESS : order > 0 ? GREATER : EQUAL;
}
