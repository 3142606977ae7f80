import { describe, expect, it } from 'vitest';
import { runPlan } from '../support/run-plan.ts';
import { total } from '../support/run-waves.ts';
import { EXCHANGE_LIMITS } from '../../pipeline/limits.ts';

const tiny = {
  ...EXCHANGE_LIMITS,
  ...{ blockBytes: 1, partitionBytes: 1, partitionBytesMax: 1, taskBytesMax: 1e6 },
};

describe('a plan of waves', () => {
  it('splits records of one key between tasks, and keeps them in file order', () => {
    const names = Array.from({ length: 40 }, (_, i) => `x,${String(i)}\n`);
    const { waves, output } = runPlan('steps: [{ sort: [a] }]', `a,n\n${names.join('')}`, {
      ...{ chunkRecords: 7, limits: tiny },
    });
    expect(waves.map((results) => results.length)).toEqual([6, 40]);
    expect(output.toString()).toBe(`a,n\n${names.join('')}`);
  });

  it('sorts keys that are longer than those of an index', () => {
    const long = 'k'.repeat(3000);
    const keys = [
      `${long}b`,
      `${long}a`,
      long,
      `${long}b`,
      'k',
      `${'k'.repeat(1023)}a`,
      `${long}a`,
    ];
    const csv = keys.map((key, i) => `${key},${String(i)}\n`).join('');
    for (const chunkRecords of [1, 2, 7]) {
      const plan = 'steps: [{ sort: [a] }, { select: [n] }]';
      const { output } = runPlan(plan, `a,n\n${csv}`, { chunkRecords, limits: tiny });
      expect(output.toString()).toBe('n\n4\n5\n2\n1\n6\n0\n3\n');
    }
  });

  it('reads little of runs of which the first records are wanted', () => {
    const csv = Array.from({ length: 1000 }, (_, i) => `${String((i * 7919) % 1000)}\n`).join('');
    const plan = 'steps: [{ cast: { a: integer } }, { top_k: { by: [a], k: 5 } }]';
    const { waves, output } = runPlan(plan, `a\n${csv}`, {
      ...{ chunkRecords: 100, limits: { ...tiny, partitionBytes: 1e6 } },
    });
    expect(output.toString()).toBe('a\n0\n1\n2\n3\n4\n');
    expect(total(waves[0]!, 'outputRecords')).toBe(50);
    expect(total(waves[1]!, 'outputRecords')).toBe(5);
    const lost = waves.flat().reduce((sum, { statistics }) => sum + statistics.filtered, 0);
    expect(lost).toBe(995);
  });

  it('keeps NULL and the empty text apart, and bytes as they are, from wave to wave', () => {
    const csv = 'a,b\n"x","1"\ny,\n"",2\n';
    const plan =
      'steps: [{ derive: { c: "nullif(a, \'y\')", d: "CASE WHEN b IS NULL THEN \'\' END" } },' +
      ' { sort: [b] }, { derive: { e: "c IS NULL", f: "d IS NULL" } }]';
    const { output } = runPlan(plan, csv, { chunkRecords: 1, limits: tiny });
    expect(output.toString()).toBe(
      'a,b,c,d,e,f\n"x","1",x,,false,true\n"",2,,,true,true\ny,,,"",true,false\n',
    );
  });

  it('of steps one behind the other adds up', () => {
    const csv = Array.from({ length: 60 }, (_, i) => `${String(i % 13)},${String(i % 7)}\n`).join(
      '',
    );
    const plan = `
schema: { fields: [{ name: a, type: integer }] }
steps:
  - dedupe: { by: [a, b] }
  - sort: [{ by: b, desc: true }, a]
  - unique: [b]
  - limit: { count: 5, offset: 1 }
  - filter: a <> 1`;
    const whole = runPlan(plan, `a,b\n${csv}`, {});
    expect(whole.output.toString()).toBe('a,b\n0,5\n0,4\n0,3\n2,2\n');
    for (const chunkRecords of [1, 4, 50]) {
      const { waves, output } = runPlan(plan, `a,b\n${csv}`, { chunkRecords, limits: tiny });
      expect(output.toString()).toBe(whole.output.toString());
      const all = waves.flat();
      const gone = (['rejected', 'filtered', 'deduplicated'] as const).map((n) => total(all, n));
      expect(gone.reduce((sum, count) => sum + count, 0)).toBe(60 - 4);
    }
  });

  it('holds a field to be unique where the schema says so', () => {
    const plan =
      'schema: { fields: [{ name: id, constraints: { unique: true, required: true } }] }';
    const { output, rejects } = runPlan(plan, 'id,n\n1,a\n1,b\n,c\n2,d\n', { chunkRecords: 1 });
    expect(output.toString()).toBe('id,n\n1,a\n2,d\n');
    expect(rejects.map(({ code, raw, columnName }) => [code, raw, columnName])).toEqual([
      ['constraint-error', ',c', 'id'],
      ['unique-error', '1,b', 'id'],
    ]);
  });
});
