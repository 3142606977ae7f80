import { describe, expect, it } from 'vitest';
import { foldConstants } from '../../pipeline/execution/fold-constants.ts';
import { bindValue } from '../../pipeline/plan/expression/bind.ts';
import { parseExpression } from '../../pipeline/plan/expression/parser.ts';
import { runPlan } from '../support/run-plan.ts';

const folded = (text: string) =>
  foldConstants(bindValue(parseExpression(text), [{ name: 'n', type: 'integer' }]).value);

describe('constants', () => {
  it.each([
    ['2 + 3 * 4', 14],
    ["upper('a') || 'b'", 'Ab'],
    ['CAST(NULL AS integer) + 1', null],
    ['9223372036854775807 - 1', 9223372036854775806n],
    ['0.1 + 0.2', 0.3],
    ["concat('a', NULL, 1)", 'a1'],
    ["CAST('12' AS integer)", 12],
  ])('%s is computed once', (text, value) => {
    expect(folded(text)).toMatchObject({ kind: 'constant', value });
  });

  it('are computed beside columns', () => {
    const value = folded('n + (2 + 3)');
    expect(value).toMatchObject({ kind: 'call', args: [{ kind: 'load' }, { value: 5 }] });
  });

  it('that fail reject every record', () => {
    expect(folded('9223372036854775807 + 1')).toMatchObject({ kind: 'call' });
    const plan = JSON.stringify({ steps: [{ derive: { v: '9223372036854775807 + 1' } }] });
    const { rejects, output } = runPlan(plan, 'a\n1\n2\n');
    expect(output.toString()).toBe('a,v\n');
    expect(rejects.map(({ record }) => record)).toEqual([0, 1]);
  });
});
