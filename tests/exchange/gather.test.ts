import { describe, expect, it } from 'vitest';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan, type RunOptions } from '../support/run-plan.ts';

const RECORDS = 45;
const input = [
  'id,name,size',
  ...Array.from({ length: RECORDS }, (_, i) => {
    return `${i},${'abc'[(i * 7) % 3] ?? ''}${(i * 13) % 10},${(i * 29) % 17}`;
  }),
  '',
].join('\n');

const lookup = {
  name: 'sizes.csv',
  text: ['size,label', ...Array.from({ length: 20 }, (_, i) => `${i % 11},l${i}`), ''].join('\n'),
  types: { size: 'integer' as const },
};

/** So many results are read at a time that those of 45 chunks take several levels. */
const GATHERING = {
  ...{ ...EXCHANGE_LIMITS, fanInMax: 4, gatheredFanInMax: 2, gatheredBlockBytes: 60 },
  ...{ blockBytes: 20, partitionBytes: 80, partitionBytesMax: 80, taskBytesMax: 1e6 },
};

const aggregate = (measures: Readonly<Record<string, string>>) => [
  { aggregate: { by: ['name'], measures } },
];
const join = (how: string, select?: readonly string[]) => [
  { join: { with: 'sizes.csv', on: { size: 'size' }, how, ...(select ? { select } : {}) } },
];

describe('results of more tasks than are read at a time', () => {
  it.each([
    ['a sort', [{ sort: ['name', { by: 'size', desc: true }] }]],
    ['the first of a sort', [{ sort: ['name'] }, { limit: { count: 7, offset: 2 } }]],
    ['steps behind a sort', [{ sort: ['size'] }, { derive: { x: 'size * 2' } }]],
    ['groups', aggregate({ n: 'count(*)', total: 'sum(size)', mean: 'avg(size)' })],
    [
      'groups that know the order of records',
      aggregate({ f: 'first(id)', l: 'last(id)', s: "string_agg(id, '-')", a: 'any_value(size)' }),
    ],
    ['sketches', aggregate({ d: 'approx_count_distinct(id)', q: 'approx_quantile(size, 0.5)' })],
    [
      'values of groups',
      aggregate({ d: 'count(DISTINCT size)', m: 'median(size)', o: 'mode(size)', f: 'first(id)' }),
    ],
    [
      'values of the one group',
      [{ aggregate: { measures: { m: 'median(id)', o: 'mode(size)' } } }],
    ],
    ['the first of equal records', [{ dedupe: { by: ['name'] } }]],
    ['the last of equal records', [{ dedupe: { by: ['size'], keep: 'last' } }]],
    ['duplicates that are rejected', [{ unique: ['size'] }, { derive: { x: 'size + 1' } }]],
    ['an inner join', join('inner', ['label'])],
    ['a left join', join('left', ['label'])],
    ['an anti join', join('anti')],
    ['waves behind waves', [{ dedupe: { by: ['name'] } }, ...join('left'), { sort: ['label'] }]],
  ])('are gathered for %s: the result is the same', (_, steps) => {
    const plan = JSON.stringify({ steps });
    const common = {
      lookups: [lookup],
      types: { id: 'integer', size: 'integer' } as const,
    } satisfies RunOptions;
    const whole = runPlan(plan, input, common);
    for (const kernel of [null, builtKernel()]) {
      const levels: number[] = [];
      const cut = runPlan(plan, input, {
        ...{ ...common, chunkRecords: 1, partRecords: 2, limits: GATHERING },
        ...(kernel === null ? {} : { kernel }),
        onGathered: (results) => levels.push(results.length),
      });
      expect(cut.output.toString()).toBe(whole.output.toString());
      expect(cut.rejects.map(({ raw }) => raw)).toEqual(whole.rejects.map(({ raw }) => raw));
      expect(levels.length).toBeGreaterThan(1);
    }
  });

  it('are read as they are where they are no more than the bound', () => {
    const limits = { ...GATHERING, fanInMax: RECORDS };
    const onGathered = () => expect.fail('nothing is to be gathered');
    runPlan('steps: [{ sort: [name] }]', input, { chunkRecords: 1, limits, onGathered });
  });

  it('fit a task however many they are', () => {
    const run = (fanInMax: number) =>
      runPlan('steps: [{ sort: [size] }]', input, {
        chunkRecords: 5,
        limits: { ...GATHERING, blockBytes: 1000, taskBytesMax: 500, fanInMax },
      });
    expect(() => run(RECORDS)).toThrow('more than the');
    expect(run(4).output.toString().split('\n')).toHaveLength(RECORDS + 2);
  });
});
