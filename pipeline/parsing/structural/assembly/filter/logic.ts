// SQL's three-valued logic on bitmaps, 64 records a step.
import { bitmapEnd, FilterFrame, Instruction, noOf, recordsOf, yesOf } from './frame';

export const CONSTANT: u32 = 8;
export const AND: u32 = 9;
export const OR: u32 = 10;
export const NOT: u32 = 11;
export const IS_UNKNOWN: u32 = 12;
export const IS_TRUE: u32 = 13;
export const IS_FALSE: u32 = 14;

/** CONSTANT: a is 0 for false, 1 for true, 2 for unknown. Else a, and b of AND and OR, are truths. */
export function combine(frame: FilterFrame, step: Instruction): void {
  const end = bitmapEnd(frame);
  const kind = step.kind;
  for (let word: usize = 0; word < end; word += 8) {
    const all = recordsOf(frame, word);
    let yes: u64 = 0;
    let no: u64 = 0;
    if (kind == CONSTANT) {
      yes = step.a == 1 ? all : 0;
      no = step.a == 0 ? all : 0;
    } else {
      const a = load<u64>(yesOf(frame, step.a) + word);
      const notA = load<u64>(noOf(frame, step.a) + word);
      if (kind == AND) {
        yes = a & load<u64>(yesOf(frame, step.b) + word);
        no = notA | load<u64>(noOf(frame, step.b) + word);
      } else if (kind == OR) {
        yes = a | load<u64>(yesOf(frame, step.b) + word);
        no = notA & load<u64>(noOf(frame, step.b) + word);
      } else if (kind == NOT) {
        yes = notA;
        no = a;
      } else {
        yes = kind == IS_TRUE ? a : kind == IS_FALSE ? notA : all & ~(a | notA);
        no = all & ~yes;
      }
    }
    store<u64>(yesOf(frame, step.target) + word, yes);
    store<u64>(noOf(frame, step.target) + word, no);
  }
}
