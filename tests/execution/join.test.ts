import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../pipeline/limits.ts';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan, type LookupFile } from '../support/run-plan.ts';

const colours: LookupFile = {
  name: 'colours.csv',
  text: 'code,name,rank\n1,red,1\n2,green,2\n1,rose,x\n,none,9\n3,,3\n',
  types: { code: 'integer', rank: 'integer' },
};

function run(steps: readonly unknown[], input: string, more: Parameters<typeof runPlan>[2] = {}) {
  const types: Readonly<Record<string, ColumnType>> = { colour: 'integer', n: 'integer' };
  return runPlan(JSON.stringify({ steps }), input, {
    types,
    kernel: builtKernel(),
    lookups: [colours],
    ...more,
  });
}

const join = { with: 'colours.csv', on: { colour: 'code' } };

describe('a join', () => {
  it('makes a record for each match, in the order of the lookup, and keeps cells as they are', () => {
    const { output } = run(
      [{ join: { ...join, how: 'left' } }],
      'colour,n\n"1",07\n9,"a, b"\n3,\n',
    );
    expect(output.toString()).toBe(
      'colour,n,name,rank\n"1",07,red,1\n"1",07,rose,x\n9,"a, b",,\n3,,,3\n',
    );
  });

  it('gives a column whose name is taken another one', () => {
    const { compiled } = run(
      [{ join: { ...join, select: ['name', 'code'] } }],
      'colour,name,name_1\n',
    );
    expect(compiled.outputColumns.map(({ name }) => name)).toEqual(
      ...[['colour', 'name', 'name_1', 'name_2', 'code']],
    );
  });

  it('carries what was computed before to every joined record, and computes behind it', () => {
    const steps = [
      { derive: { twice: 'n * 2', text: "'<' || n || '>'" } },
      { join: { ...join, select: ['name'] } },
      { derive: { all: 'text || name || twice' } },
      { select: ['all'] },
    ];
    const { output } = run(steps, 'colour,n\n1,5\n2,9007199254740993\n');
    expect(output.toString()).toBe(
      'all\n<5>red10\n<5>rose10\n<9007199254740993>green18014398509481986\n',
    );
  });

  it.each([1, Infinity])('reads NULL in its lookup as the plan says behind an aggregate', (cut) => {
    const text = 'code,name\n1,NA\nNA,none\n2,\n';
    const steps = [
      { aggregate: { by: ['colour'], measures: { n: 'count(*)' } } },
      { join: { with: 'na.csv', on: { colour: 'code' }, how: 'left', select: ['name'] } },
      { derive: { known: 'name IS NOT NULL' } },
    ];
    const plan = JSON.stringify({ read: { nullstr: 'NA' }, steps });
    const { output } = runPlan(plan, 'colour\n1\nNA\n2\n2\n', {
      lookups: [{ name: 'na.csv', text }],
      chunkRecords: cut,
    });
    expect(output.toString()).toBe('colour,n,name,known\n1,1,,false\n2,2,"",true\n,1,,false\n');
  });

  it('can be joined again', () => {
    const steps = [
      { join: { ...join, select: ['name'] } },
      { join: { with: 'colours.csv', on: { name: 'name' }, select: ['code'] } },
    ];
    const { output, results } = run(steps, 'colour,n\n1,5\n7,6\n');
    expect(output.toString()).toBe('colour,n,name,code\n1,5,red,1\n1,5,rose,1\n');
    expect(results[0]!.statistics).toMatchObject({
      ...{ recordsIn: 2, recordsOut: 1, filtered: 1, outputRecords: 2 },
    });
  });

  it('counts each record that went in once, whatever it became', () => {
    const steps = [
      { join },
      { filter: "name <> 'green'" },
      { check: { expr: "name <> 'rose' OR n > 5" } },
      { derive: { r: 'rank + n' } },
    ];
    // Of colour 1 n 5: red comes out, rose is rejected by the check; of n 6 rose by its rank.
    const input = 'colour,n\n1,5\n1,6\n2,7\n8,8\n3,9\n';
    for (const chunkRecords of [Infinity, 1]) {
      const { results, rejects, output } = run(steps, input, { chunkRecords });
      const sum = (key: 'recordsIn' | 'recordsOut' | 'rejected' | 'filtered' | 'outputRecords') =>
        results.reduce((total, { statistics }) => total + statistics[key], 0);
      expect(sum('recordsIn')).toBe(5);
      expect(sum('rejected')).toBe(2);
      expect(rejects.map(({ raw, code }) => [raw, code])).toEqual([
        ['1,5', 'constraint-error'],
        ['1,6', 'type-error'],
      ]);
      expect(sum('filtered')).toBe(3);
      expect(sum('recordsOut')).toBe(0);
      expect(sum('outputRecords')).toBe(2);
      expect(output.toString()).toBe('colour,n,name,rank,r\n1,5,red,1,6\n1,6,red,1,7\n');
    }
  });

  it('feeds groups and profiles with the joined records', () => {
    const { results } = run(
      [{ join }, { aggregate: { by: ['name'], measures: { n: 'count(*)' } } }],
      'colour,n\n1,5\n1,6\n9,7\n',
    );
    expect(results[0]!.statistics).toMatchObject({ recordsIn: 3, aggregated: 2, filtered: 1 });
  });

  it('of more matches than a batch has records loses none', () => {
    const codes = Array.from({ length: 9000 }, (_, i) => `${String(i % 2)},${String(i)}\n`);
    const big = { name: 'big.csv', text: `k,v\n${codes.join('')}` };
    const { output } = runPlan('steps: [{ join: { with: big.csv, on: { k: k } } }]', 'k\n1\n0\n', {
      lookups: [big],
    });
    const values = output.toString().trimEnd().split('\n').slice(1);
    const odd = Array.from({ length: 4500 }, (_, i) => `1,${String(2 * i + 1)}`);
    const even = Array.from({ length: 4500 }, (_, i) => `0,${String(2 * i)}`);
    expect(values).toEqual([...odd, ...even]);
  });

  it('names the file, or the last part of its path, or it without its extension', () => {
    for (const name of ['colours.csv', './data/colours.csv', 'colours']) {
      const { output } = run([{ join: { ...join, with: name, how: 'semi' } }], 'colour\n1\n4\n');
      expect(output.toString()).toBe('colour\n1\n');
    }
  });

  it.each([
    [{ ...join, with: 'other.csv' }, 'did not come with the input', '/steps/0/join/with'],
    [{ ...join, on: { colour: 'cod' } }, 'Did you mean "code"', '/steps/0/join/on/colour'],
    [{ ...join, how: 'semi', select: ['name'] }, 'adds no columns', '/steps/0/join/select'],
    [{ ...join, on: { day: 'code' } }, 'cannot be compared', '/steps/0/join/on/day'],
  ])('%j is refused', (wrong, message, place) => {
    const types: Readonly<Record<string, ColumnType>> = { day: 'date' };
    const refused = () => run([{ join: wrong }], 'colour,day\n', { types });
    expect(refused).toThrow(
      expect.objectContaining({
        code: 'plan-invalid',
        details: { issues: [expect.objectContaining({ path: place })] },
      }),
    );
    expect(refused).toThrow(message);
  });

  it('of a key that does not cast names record and line of the lookup', () => {
    const broken = { ...colours, text: `${colours.text}\n"x\ny",a,1\n` };
    expect(() => run([{ join }], 'colour\n1\n', { lookups: [broken] })).toThrow(
      expect.objectContaining({
        code: 'input-malformed',
        details: expect.objectContaining({ record: 6, line: 7, column: 1 }) as unknown,
      }),
    );
  });

  it('refuses to make more of a chunk than fits', () => {
    const rows = Array.from({ length: 20_000 }, () => `1,${'x'.repeat(100)}\n`);
    const wide = { name: 'wide.csv', text: `k,v\n${rows.join('')}` };
    const records = Math.ceil(LIMITS.joinOutputBytesMax / 2_000_000) + 1;
    expect(() =>
      runPlan(
        'steps: [{ join: { with: wide.csv, on: { k: k } } }]',
        `k\n${'1\n'.repeat(records)}`,
        {
          lookups: [wide],
        },
      ),
    ).toThrow('match too many records');
  });
});
