import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { columnReference, examplePlans } from '../../dashboard-vue/src/plan/example-plans.ts';
import {
  readOptionsOf,
  readPlanOf,
  withReadOption,
} from '../../dashboard-vue/src/plan/read-options.ts';
import { offsetOf } from '../../dashboard-vue/src/plan/text-position.ts';

describe('read options in a plan', () => {
  it('are added to an empty plan, and leave no trace when taken out', () => {
    const set = withReadOption('', 'delim', '\t');
    expect(parse(set ?? '')).toEqual({ version: 1, read: { delim: '\t' } });
    expect(parse(withReadOption(set ?? '', 'delim', null) ?? '')).toEqual({ version: 1 });
  });

  it('leave the rest of the plan as it stands, comments included', () => {
    const plan = 'version: 1\n# why\nread:\n  header: true # first\nsteps:\n  - filter: "a > 1"\n';
    const changed = withReadOption(plan, 'delim', ';') ?? '';
    expect(changed).toContain('# why');
    expect(changed).toContain('header: true # first');
    expect(changed).toContain('- filter: "a > 1"');
    expect(readOptionsOf(changed)).toEqual({ header: true, delim: ';' });
  });

  it('can be read from flow style and from JSON', () => {
    expect(readOptionsOf('read: { delim: "|", skip: 2 }')).toEqual({ delim: '|', skip: 2 });
    expect(readOptionsOf('{"read": {"header": false}}')).toEqual({ header: false });
  });

  it('do not touch a text that is not a map', () => {
    expect(withReadOption('- a\n- b', 'delim', ';')).toBeNull();
    expect(withReadOption('a: [', 'delim', ';')).toBeNull();
    expect(readOptionsOf('a: [')).toEqual({});
  });

  it('alone decide the preview', () => {
    const a = readPlanOf('version: 1\nread:\n  skip: 1\nsteps:\n  - limit: 1\n');
    expect(a).toBe(readPlanOf('read: {skip: 1}'));
    expect(readPlanOf('steps:\n  - limit: 1\n')).toBe('');
  });
});

describe('example plans', () => {
  const columns = [
    { name: 'Order Id', type: 'string' },
    { name: 'amount', type: 'number' },
    { name: 'say "hi"', type: 'string' },
  ] as const;

  it('use the columns of the file, quoted as SQL wants', () => {
    const texts = examplePlans(columns, undefined).map((plan) => parse(plan.text) as unknown);
    expect(texts).toContainEqual({ version: 1, steps: [{ filter: 'amount > 0' }] });
    expect(texts).toContainEqual({
      version: 1,
      steps: [
        {
          aggregate: {
            by: ['Order Id'],
            measures: { records: 'count(*)', total: 'sum(amount)' },
          },
        },
      ],
    });
    expect(columnReference('say "hi"')).toBe('"say ""hi"""');
    expect(columnReference('Order Id')).toBe('"Order Id"');
  });

  it('keep how the file is read', () => {
    const plan = examplePlans(columns, { delim: ';' })[0];
    expect(parse(plan?.text ?? '')).toMatchObject({ read: { delim: ';' } });
  });

  it('are none for a file without columns', () => {
    expect(examplePlans([], undefined)).toEqual([]);
  });
});

describe('places in a text', () => {
  it('become offsets, and stay within the text', () => {
    expect(offsetOf('ab\ncde\n', 2, 3)).toBe(5);
    expect(offsetOf('ab\ncde\n', 1, 99)).toBe(2);
    expect(offsetOf('ab', 9, 9)).toBe(2);
  });
});
