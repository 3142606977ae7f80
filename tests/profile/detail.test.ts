import path from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import type { ColumnProfile } from '../../pipeline/protocol/job.ts';
import { queryDuckDB } from '../support/duckdb-oracle.ts';
import { builtKernel } from '../support/kernel.ts';
import { runPlan } from '../support/run-plan.ts';

const file = path.resolve(import.meta.dirname, '../../node_modules/vega-datasets/data/species.csv');
const weather = path.join(path.dirname(file), 'weather.csv');
const plan = 'steps: [profile: { detail: true }]';

function profileOf(
  input: string | Buffer,
  chunkRecords: number,
  isByKernel = false,
): ColumnProfile[] {
  const kernel = isByKernel ? { kernel: builtKernel() } : {};
  const merger = new PartialMerger();
  const { results } = runPlan(plan, input, { chunkRecords, ...kernel });
  for (const { partial } of results.toReversed()) merger.add(partial);
  return merger.profile()!;
}

describe('a detailed profile', () => {
  it.each([file, weather])(
    'is the same whatever the chunks, their order and the kernel: %s',
    (name) => {
      const input = readFileSync(name);
      const whole = profileOf(input, Infinity);
      expect(profileOf(input, 997)).toEqual(whole);
      expect(profileOf(input, 313, true)).toEqual(whole);
    },
  );

  it('has DuckDB’s deviation, quantiles near the exact ones, and the frequent values', async () => {
    const columns = profileOf(readFileSync(weather), 500);
    const wind = columns.find(({ name }) => name === 'wind')!.detail!;
    const source = `read_csv('${weather}', header = true)`;
    const [row = []] = await queryDuckDB(
      `SELECT stddev_samp(wind), quantile_cont(wind, 0.25), median(wind), max(wind) FROM ${source}`,
    );
    const [deviation, quarter, median] = row.map(Number);
    expect(Math.abs(wind.stddev! / deviation! - 1)).toBeLessThan(1e-12);
    const quantile = (share: number) => wind.quantiles.find((one) => one.share === share)!.value;
    expect(Math.abs(quantile(0.25) / quarter! - 1)).toBeLessThan(0.01);
    expect(Math.abs(quantile(0.5) / median! - 1)).toBeLessThan(0.01);
    expect(wind.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(2922);
    const kinds = columns.find(({ name }) => name === 'weather')!.detail!.frequent!;
    const wanted = await queryDuckDB(
      `SELECT weather, count(*) AS n FROM ${source} GROUP BY 1 ORDER BY n DESC, 1`,
    );
    expect(kinds.map(({ value, count }) => [value, String(count)])).toEqual(wanted);
  });

  it('says so when there are too many different values', () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${String(i)},x`).join('\n');
    const [many, one] = profileOf(`a,b\n${lines}\n`, 700);
    expect(many!.detail!.frequent).toBeNull();
    expect(many!.detail!.stddev).toBeCloseTo(1443.5200033, 6);
    expect(one!.detail).toEqual({
      ...{ stddev: null, quantiles: [], histogram: [] },
      frequent: [{ value: 'x', count: 5000 }],
    });
  });

  it('is not there unless it is asked for', () => {
    const { results } = runPlan('', 'a\n1\n');
    const merger = new PartialMerger();
    merger.add(results[0]!.partial);
    expect(merger.profile()![0]).not.toHaveProperty('detail');
  });
});
