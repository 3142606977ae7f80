import { expect, it } from 'vitest';
import {
  addStatistics,
  emptyWave,
  INITIAL_JOB_STATE,
  ZERO_STATISTICS,
} from '../../master/coordination/job-state.ts';
import type { JobState } from '../../master/coordination/job-state.ts';
import { failedRecords, waveAccounts } from '../../master/coordination/wave-accounts.ts';
import { derivedRejects, jobTotals } from '../../master/coordination/waves.ts';
import { comparesKeys } from '../../master/storage/job-record.ts';
import { isAccountedFor, isBalanced } from '../../master/views/account.ts';
import { kindOf } from '../../master/views/job-document.ts';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';
import type { CompiledPlan } from '../../pipeline/plan/compile.ts';
import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import { runPlan, type RunOutcome } from '../support/run-plan.ts';

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
    const { waves, compiled } = runPlan(JSON.stringify({ steps }), input, {
      chunkRecords,
      lookups,
    });
    const state = stateOf(waves);
    const totals = jobTotals(state, waves.length);
    expect(totals.recordsIn).toBe(20);
    expect(isBalanced(totals)).toBe(true);
    const rejects = state.waves.reduce((sum, wave) => sum + wave.totals.rejected, 0);
    expect(derivedRejects(state)).toBe(rejects - totals.rejected);
    if (steps.some((step) => 'check' in step)) expect(derivedRejects(state)).toBe(1);
    expectAccounted(state, compiled.waves);
  }
});

it('one group of no records is none of them', () => {
  const none = [{ aggregate: { measures: { n: 'count(*)' } } }, { check: { expr: 'n > 0' } }];
  for (const steps of [none, [{ sort: ['k'] }, { filter: 'false' }, ...none, { sort: ['n'] }]]) {
    for (const text of [input, 'k,id\n']) {
      const { waves, compiled } = runPlan(JSON.stringify({ steps }), text);
      const state = stateOf(waves);
      expectAccounted(state, compiled.waves);
      const isRejected = text !== input || steps.length > 2;
      expect([jobTotals(state, 1).rejected, derivedRejects(state)]).toEqual([
        0,
        isRejected ? 1 : 0,
      ]);
    }
  }
});

it.each([
  [[{ sort: ['k'] }], 20],
  [[{ dedupe: { by: ['id'] } }], 20],
  [[{ limit: 15 }, join, { sort: ['v'] }], null],
  [[groups, { sort: ['n'] }], null],
] as const)('records of tasks that failed are told: %j', (steps, failed) => {
  const { waves, compiled } = runPlan(JSON.stringify({ steps }), input, {
    ...{ chunkRecords: 3, lookups, limits: { ...EXCHANGE_LIMITS, partitionBytes: 20 } },
  });
  const last = waves.length - 1;
  const state = stateOf(waves.with(last, []), waves[last]!.length);
  const comes = waves[last]!.reduce((sum, { statistics }) => sum + statistics.recordsIn, 0);
  const keysOnly = comparesKeys(compiled.waves);
  expect(waveAccounts(state, keysOnly)[last]).toEqual({ handedOn: comes, failed: comes });
  expect(failedRecords(state, keysOnly)).toBe(failed ?? 0);
  expectAccounted(state, compiled.waves);
  expect(isAccountedFor({ ...state, failed: [] }, keysOnly, [])).toBe(false);
});

function expectAccounted(state: JobState, waves: CompiledPlan['waves']): void {
  expect(isAccountedFor(state, comparesKeys(waves), [])).toBe(true);
}

/** A completed job of these results, with so many further tasks of the last wave that failed. */
function stateOf(waves: RunOutcome['waves'], failedCount = 0): JobState {
  const chunkCount = waves.flat().length + failedCount;
  let start = 0;
  const states = waves.map((results) => {
    const own = start;
    start += results.length;
    const totals = results.reduce<ChunkStatistics>(
      (sum, { statistics }) => addStatistics(sum, statistics),
      ZERO_STATISTICS,
    );
    return { start: own, doneCount: results.length, reusedCount: 0, totals };
  });
  const failed = Array.from({ length: failedCount }, (_, i) => start + i);
  const status = 'completed_with_failures';
  return { ...INITIAL_JOB_STATE, status, chunkCount, waves: states, failed };
}

it('a wave that gathers for another is told by a name of its own', () => {
  const { compiled } = runPlan(JSON.stringify({ steps: [{ sort: ['k'] }] }), input);
  const sort = { ...compiled.waves[1]!, contextKey: '' };
  expect(kindOf(sort, undefined)).toBe('sort');
  expect(kindOf(sort, emptyWave(1))).toBe('sort');
  expect(kindOf(sort, { ...emptyWave(1), gathers: true })).toBe('gather');
});
