import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { runPlan } from '../support/run-plan.ts';
import { runs } from '../support/runs.ts';

const types: Readonly<Record<string, ColumnType>> = {
  n: 'integer',
  x: 'number',
  d: 'date',
  b: 'boolean',
};
const leaf = fc.constantFrom(
  ...['n', 'x', 's', 'd', 'b', '1', '-3', '2.5', "'a'", "''", 'NULL', 'TRUE', "DATE '2024-02-29'"],
);
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '-', '*', '/', '//', '%', '||', '=', '<', 'AND'),
        tie('expression'),
      )
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc
      .tuple(
        fc.constantFrom('abs', 'upper', 'length', 'coalesce', 'year', 'round', 'trim', 'md5'),
        tie('expression'),
      )
      .map(([name, argument]) => `${name}(${argument})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([when, then, otherwise]) => `CASE WHEN ${when} THEN ${then} ELSE ${otherwise} END`),
    fc
      .tuple(tie('expression'), fc.constantFrom('integer', 'string', 'number', 'date', 'boolean'))
      .map(([value, type]) => `TRY_CAST(${value} AS ${type})`),
    tie('expression').map((value) => `(${value} IS NULL)`),
  ),
}));
const input =
  'n,x,s,d,b\n1,1.5,abc,2024-01-31,true\n,,,,\n-7,-0.0,Ä,1969-12-31,false\n9223372036854775807,1e300,"a,""b",9999-12-31,\n' +
  '0,3,12,2000-02-29,true\n';

describe('random expressions', () => {
  it('give the same at every chunk size, alone and behind another column, or are refused', () => {
    let taken = 0;
    fc.assert(
      fc.property(expression, (text) => {
        const alone = JSON.stringify({ steps: [{ derive: { v: text } }] });
        const behind = JSON.stringify({
          steps: [{ derive: { w: text, v: 'w' } }, { drop: ['w'] }],
        });
        let whole: ReturnType<typeof runPlan>;
        try {
          whole = runPlan(alone, input, { types });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SluiceError);
          expect((thrown as SluiceError).code).toMatch(/^plan-/);
          return;
        }
        taken += 1;
        const cut = runPlan(alone, input, { types, chunkRecords: 1 });
        expect(cut.output.toString()).toBe(whole.output.toString());
        expect(cut.rejects.length).toBe(whole.rejects.length);
        expect(runPlan(behind, input, { types }).output.toString()).toBe(whole.output.toString());
      }),
      { numRuns: runs(1500) },
    );
    expect(taken).toBeGreaterThan(200);
  });
});
