import { describe, expect, it } from 'vitest';
import { addStatistics, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import { encodeResult } from '../../pipeline/result/result-format.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan } from '../support/run-plan.ts';

const plan = (checks: readonly object[]): string =>
  JSON.stringify({ steps: checks.map((check) => ({ check })) });
const big = { expr: 'CAST(n AS integer) < 3', name: 'small', severity: 'warn' };
const even = { expr: 'CAST(n AS integer) % 2 = 0', severity: 'warn' };
const known = { expr: "s <> 'x'", name: 'known' };
const kernel = builtKernel();
const input = 'n,s\n1,a\n2,x\n3,a\n4,\n5,a\n,a\n';

describe('checks of severity warn', () => {
  it('count the records that do not meet them, and keep them; NULL meets all', () => {
    for (const chunkRecords of [Infinity, 2, 1]) {
      const run = runPlan(plan([big, known, even]), input, { chunkRecords });
      const byKernel = runPlan(plan([big, known, even]), input, { chunkRecords, kernel });
      expect(byKernel.results.map(({ statistics }) => statistics)).toEqual(
        run.results.map(({ statistics }) => statistics),
      );
      expect(run.output.toString()).toBe('n,s\n1,a\n3,a\n4,\n5,a\n,a\n');
      expect(run.rejects).toMatchObject([{ code: 'constraint-error', message: /"known"/ }]);
      expect(run.compiled.checks).toEqual(['small', even.expr]);
      const total = run.results
        .map(({ statistics }) => statistics)
        .reduce((sum, one) => addStatistics(sum, one), ZERO_STATISTICS);
      expect(total.warned).toEqual([3, 3]);
    }
  });

  it('have counts that fit the head of a result', () => {
    const checks = Array.from({ length: 12 }, (_, i) => ({ ...big, name: `check ${String(i)}` }));
    const { results } = runPlan(plan(checks), input);
    const { statistics } = results[0]!;
    const warned = Array.from({ length: 12 }, () => 16 * 1024 * 1024);
    const counts = { ...statistics, recordsIn: 16777216, recordsOut: 16777216, warned };
    expect(() => encodeResult({ ...results[0]!, statistics: counts })).not.toThrow();
    expect(() => runPlan(plan([...checks, even]), input)).toThrow(/13 checks/);
  });

  it('count groups behind an aggregate', () => {
    const aggregate = { by: ['s'], measures: { n: 'count(*)' } };
    const steps = [{ aggregate }, { check: big }, { sort: ['n'] }, { check: even }];
    const { waves, output } = runPlan(JSON.stringify({ steps }), input, { chunkRecords: 2 });
    expect(output.toString()).toBe('s,n\nx,1\n,1\na,4\n');
    const total = waves
      .flat()
      .reduce((sum, { statistics }) => addStatistics(sum, statistics), ZERO_STATISTICS);
    expect(total.warned).toEqual([1, 2]);
  });
});
