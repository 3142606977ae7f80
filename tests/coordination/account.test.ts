import { expect, it } from 'vitest';
import { addStatistics, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import type { JobState } from '../../master/coordination/job-state.ts';
import { jobTotals, rejectedOutsideTotals } from '../../master/coordination/waves.ts';
import { isBalanced } from '../../master/views/account.ts';
import { runPlan } from '../support/run-plan.ts';

const join = { join: { with: 'l.csv', on: { k: 'k' }, how: 'inner' } };
const left = { join: { with: 'l.csv', on: { k: 'k' }, how: 'left' } };
const groups = { aggregate: { by: ['k'], measures: { n: 'count(*)' } } };
const lookups = [{ name: 'l.csv', text: 'k,v\na,1\na,2\nb,3\n' }];
const input = `k,id\n${Array.from({ length: 20 }, (_, i) => `${'abc'[i % 3] ?? ''},${i}\n`).join('')}`;

it.each([
  [[join]],
  [[join, { limit: 3 }]],
  [[{ limit: 15 }, join, { sort: ['v'] }, { filter: 'v > 1' }]],
  [[left, { dedupe: { by: ['v'] } }, { limit: { offset: 1 } }]],
  [[{ unique: ['k'] }, join, { unique: ['v'] }]],
  [[groups, join, { limit: 2 }]],
  [[{ unique: ['id'] }, groups, { check: { expr: "k <> 'a'" } }, { sort: ['n'] }]],
  [[left, groups, { sort: ['n'] }, { limit: 1 }]],
  [[{ dedupe: { by: ['k'] } }, { sort: ['id'] }, { limit: 2 }]],
] as const)('every record of the input counts once: %j', (steps) => {
  for (const chunkRecords of [3, Infinity]) {
    const { waves } = runPlan(JSON.stringify({ steps }), input, { chunkRecords, lookups });
    const states = waves.map((results) => ({
      totals: results
        .map(({ statistics }) => statistics)
        .reduce((sum, one) => addStatistics(sum, one), ZERO_STATISTICS),
    }));
    const state = { waves: states } as unknown as JobState;
    const totals = jobTotals(state, waves.length);
    expect(totals.recordsIn).toBe(20);
    expect(isBalanced(totals)).toBe(true);
    const rejects = states.reduce((sum, wave) => sum + wave.totals.rejected, 0);
    expect(rejectedOutsideTotals(state)).toBe(rejects - totals.rejected);
    if (steps.some((step) => 'check' in step)) expect(rejectedOutsideTotals(state)).toBe(1);
  }
});
