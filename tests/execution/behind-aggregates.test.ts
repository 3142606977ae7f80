import { describe, expect, it } from 'vitest';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import { runWaves } from '../support/run-waves.ts';
import { runPlan, type RunOutcome } from '../support/run-plan.ts';

const LOOKUP = {
  name: 'l.csv',
  text: 'n,label\n2,two\n0,none\n',
  types: { n: 'integer' },
} as const;

function run(steps: readonly object[], input: string, chunkRecords = 2): RunOutcome {
  return runPlan(JSON.stringify({ steps }), input, { chunkRecords, lookups: [LOOKUP] });
}

describe('steps behind an aggregate', () => {
  it('describe its groups in the profile', () => {
    const aggregate = { by: ['a'], measures: { n: 'count(*)' } };
    const { compiled, waves, output } = run([{ aggregate }, { profile: '*' }], 'a\nx\ny\nx\nx\n');
    const merger = new PartialMerger(partialOptions(compiled.waves[1]!.context));
    for (const { partial } of waves.flat()) merger.add(partial);
    expect(merger.profile()).toMatchObject([
      { name: 'a', count: 2, min: 'x', max: 'y' },
      { name: 'n', count: 2, min: '1', max: '3', mean: 2 },
    ]);
    expect(output.toString()).toBe('a,n\nx,3\ny,1\n');
  });

  it('take the one group of no records too, and the account says that nothing came in', () => {
    const aggregate = { measures: { n: 'count(*)', all: "string_agg(a, ',')" } };
    const join = { with: 'l.csv', on: { n: 'n' }, how: 'left' };
    for (const [input, expected] of [
      ['a\n', '0,,none'],
      ['a\nx\ny\n', '2,"x,y",two'],
      ['a\nx\ny\nz\n', '3,"x,y,z",'],
    ] as const) {
      const { output } = run([{ aggregate }, { join }], input);
      expect(output.toString()).toBe(`n,all,label\n${expected}\n`);
    }
    const cut = run([{ aggregate }, { filter: 'n < 1' }, { limit: { offset: 1 } }], 'a\nx\n');
    expect(cut.output.toString()).toBe('n,all\n');
    const [, groups = []] = runWaves(cut.compiled, []);
    expect(groups.map(({ statistics }) => statistics)).toMatchObject([
      { recordsIn: 0, recordsOut: 0, filtered: 0, aggregated: 0, outputRecords: 1 },
    ]);
  });
});
