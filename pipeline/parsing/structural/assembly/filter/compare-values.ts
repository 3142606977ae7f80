// Comparisons of loaded columns, 64 records a step: one bit each.
import { bitmapEnd, FilterFrame, Instruction, noOf, recordsOf, validOf, valuesOf, yesOf } from './frame';

/** Orders that make a comparison true, as in pipeline/plan/expression/bound.ts. */
export const LESS: u32 = 1;
export const EQUAL: u32 = 2;
export const GREATER: u32 = 4;

/** Which sides of a comparison of doubles are whole numbers. */
const LEFT_WHOLE: u32 = 1;
const RIGHT_WHOLE: u32 = 2;

/** A bit for each record, of those whose value is less, and of those whose value is greater. */
let less: u64 = 0;
let greater: u64 = 0;

/** a: load; b: orders; c: pointer to the literal's whole number, and then whether the literal is a
 *  fraction above it. */
export function compareWholes(frame: FilterFrame, step: Instruction): void {
  const literal = i64x2.splat(load<i64>(step.c));
  const hasFraction = load<u32>(step.c, 8) != 0;
  const values = valuesOf(frame, step.a);
  const end = bitmapEnd(frame);
  for (let word: usize = 0; word < end; word += 8) {
    less = 0;
    greater = 0;
    const from = values + (word << 6);
    for (let i: usize = 0; i < 64; i += 2) {
      const pair = v128.load(from + (i << 3));
      less |= u64(i64x2.bitmask(i64x2.lt_s(pair, literal))) << i;
      greater |= u64(i64x2.bitmask(i64x2.gt_s(pair, literal))) << i;
    }
    if (hasFraction) less = ~greater;
    storeTruths(frame, step, word, load<u64>(validOf(frame, step.a) + word));
  }
}

/** a: load; b: orders; c: pointer to the literal's double; d: LEFT_WHOLE or 0. */
export function compareDoubles(frame: FilterFrame, step: Instruction): void {
  const literal = f64x2.splat(load<f64>(step.c));
  const values = valuesOf(frame, step.a);
  const end = bitmapEnd(frame);
  for (let word: usize = 0; word < end; word += 8) {
    less = 0;
    greater = 0;
    const from = values + (word << 6);
    for (let i: usize = 0; i < 64; i += 2) comparePair(doublesAt(from, i, step.d), literal, i);
    storeTruths(frame, step, word, load<u64>(validOf(frame, step.a) + word));
  }
}

/** a: load; b: orders; c: the other load; both whole. */
export function compareWholeColumns(frame: FilterFrame, step: Instruction): void {
  const values = valuesOf(frame, step.a);
  const others = valuesOf(frame, step.c);
  const end = bitmapEnd(frame);
  for (let word: usize = 0; word < end; word += 8) {
    less = 0;
    greater = 0;
    const at = word << 6;
    for (let i: usize = 0; i < 64; i += 2) {
      const left = v128.load(values + at + (i << 3));
      const right = v128.load(others + at + (i << 3));
      less |= u64(i64x2.bitmask(i64x2.lt_s(left, right))) << i;
      greater |= u64(i64x2.bitmask(i64x2.gt_s(left, right))) << i;
    }
    storePair(frame, step, word);
  }
}

/** a: load; b: orders; c: the other load; d: which of them are whole. */
export function compareDoubleColumns(frame: FilterFrame, step: Instruction): void {
  const values = valuesOf(frame, step.a);
  const others = valuesOf(frame, step.c);
  const end = bitmapEnd(frame);
  for (let word: usize = 0; word < end; word += 8) {
    less = 0;
    greater = 0;
    const at = word << 6;
    for (let i: usize = 0; i < 64; i += 2) {
      const left = doublesAt(values + at, i, step.d & LEFT_WHOLE);
      comparePair(left, doublesAt(others + at, i, step.d & RIGHT_WHOLE), i);
    }
    storePair(frame, step, word);
  }
}

@inline
function comparePair(left: v128, right: v128, i: usize): void {
  less |= u64(i64x2.bitmask(f64x2.lt(left, right))) << i;
  greater |= u64(i64x2.bitmask(f64x2.gt(left, right))) << i;
}

@inline
function doublesAt(from: usize, i: usize, isWhole: u32): v128 {
  const at = from + (i << 3);
  if (!isWhole) return v128.load(at);
  return f64x2.replace_lane(f64x2.splat(f64(load<i64>(at))), 1, f64(load<i64>(at, 8)));
}

@inline
function storePair(frame: FilterFrame, step: Instruction, word: usize): void {
  const known = load<u64>(validOf(frame, step.a) + word) & load<u64>(validOf(frame, step.c) + word);
  storeTruths(frame, step, word, known);
}

@inline
function storeTruths(frame: FilterFrame, step: Instruction, word: usize, known: u64): void {
  const orders = step.b;
  let yes: u64 = 0;
  if ((orders & LESS) != 0) yes |= less;
  if ((orders & GREATER) != 0) yes |= greater;
  if ((orders & EQUAL) != 0) yes |= ~(less | greater);
  known &= recordsOf(frame, word);
  store<u64>(yesOf(frame, step.target) + word, yes & known);
  store<u64>(noOf(frame, step.target) + word, ~yes & known);
}
