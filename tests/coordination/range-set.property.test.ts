import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RangeSet } from '../../master/coordination/range-set.ts';
import {
  rangesAdd,
  rangesFrom,
  rangesHave,
  rangesNextMissing,
  rangesRemove,
} from '../../master/coordination/range-set.ts';
import { nextInTurn } from '../../master/coordination/turns.ts';

describe('range set', () => {
  it('behaves as a set of integers, and stays normalised', () => {
    const action = fc.tuple(fc.constantFrom('add', 'remove', 'from'), fc.nat(40));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        let ranges: RangeSet = [];
        let model = new Set<number>();
        for (const [kind, value] of actions) {
          if (kind === 'add') {
            ranges = rangesAdd(ranges, value);
            model.add(value);
          } else if (kind === 'remove') {
            ranges = rangesRemove(ranges, value);
            model.delete(value);
          } else if (value % 5 === 0) {
            ranges = rangesFrom(ranges, value);
            model = new Set([...model].filter((one) => one >= value));
          }
          const held = Array.from({ length: 42 }, (_, n) => n).filter((n) => rangesHave(ranges, n));
          expect(held).toEqual([...model].sort((a, b) => a - b));
          let missing = value;
          while (model.has(missing)) missing += 1;
          expect(rangesNextMissing(ranges, value)).toBe(missing);
          let end = -1;
          for (const [from, to] of ranges) {
            expect(from).toBeGreaterThan(end);
            expect(to).toBeGreaterThan(from);
            end = to;
          }
        }
      }),
    );
  });
});

describe('turns', () => {
  it('serves jobs in rotation, so that each gets every n-th slot', () => {
    const served: string[] = [];
    let last: string | null = null;
    for (let slot = 0; slot < 9; slot++) {
      last = nextInTurn(['c', 'a', 'b'], last);
      if (last !== null) served.push(last);
    }
    expect(served.join('')).toBe('abcabcabc');
    expect(nextInTurn([], 'a')).toBeNull();
  });
});
