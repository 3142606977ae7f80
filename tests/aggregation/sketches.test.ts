import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../pipeline/values/byte-reader.ts';
import { ByteWriter } from '../../pipeline/values/byte-writer.ts';
import { bucketOf, QuantileSketch, valueOf } from '../../pipeline/values/quantile-sketch.ts';
import { finalOutput } from '../support/aggregate-output.ts';
import { runPlan } from '../support/run-plan.ts';

const written = (sketch: QuantileSketch): Uint8Array => {
  const writer = new ByteWriter();
  sketch.write(writer);
  return writer.finish();
};

describe('QuantileSketch', () => {
  it('keeps every double within 0.4 % of its bucket', () => {
    const doubles = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(doubles, (value) => {
        const middle = valueOf(bucketOf(value));
        expect(Math.abs(middle - value)).toBeLessThanOrEqual(Math.abs(value) / 256 + 3e-308);
      }),
    );
  });

  it('has buckets in the order of values', () => {
    const pair = fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }));
    fc.assert(
      fc.property(pair, ([a, b]) => {
        if (a < b) expect(bucketOf(a)).toBeLessThanOrEqual(bucketOf(b));
      }),
    );
  });

  it('is the same however values are split, and near the exact quantile', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
    fc.assert(
      fc.property(
        values,
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, cut, share) => {
          const whole = new QuantileSketch();
          for (const value of all) whole.add(value);
          const merged = new QuantileSketch();
          const at = cut % (all.length + 1);
          for (const part of [all.slice(at), all.slice(0, at)]) {
            const sketch = new QuantileSketch();
            for (const value of part) sketch.add(value);
            merged.merge(new ByteReader(written(sketch)));
          }
          expect(written(merged)).toEqual(written(whole));
          const exact = all.toSorted((a, b) => a - b)[Math.floor(share * (all.length - 1))]!;
          const given = whole.quantile(share)!;
          expect(Math.abs(given - exact)).toBeLessThanOrEqual(Math.abs(exact) / 128 + 3e-308);
        },
      ),
    );
  });
});

describe('approximate aggregates', () => {
  const lines = Array.from(
    { length: 30_000 },
    (_, i) => `${String(i % 3)},${String((i * 7919) % 20_011)}`,
  );
  const input = `g,v\n${lines.join('\n')}\n`;
  const measures = {
    d: 'approx_count_distinct(v)',
    t: "approx_count_distinct('x' || v)",
    q: 'approx_quantile(v, 0.5)',
    x: 'approx_quantile(v / 10, 0.9)',
    e: 'count(DISTINCT v)',
    m: 'median(v)',
  };
  const plan = JSON.stringify({ steps: [{ aggregate: { by: ['g'], measures } }] });
  const run = (chunkRecords: number): string =>
    finalOutput(runPlan(plan, input, { types: { v: 'integer' }, chunkRecords })).toString();

  it('are the same whatever the chunks, and near the exact ones', () => {
    const whole = run(Infinity);
    for (const size of [7001, 500]) expect(run(size)).toBe(whole);
    for (const line of whole.trimEnd().split('\n').slice(1)) {
      const [, d, t, q, x, e, m] = line.split(',').map(Number);
      for (const estimate of [d!, t!]) expect(Math.abs(estimate / e! - 1)).toBeLessThan(0.04);
      expect(Math.abs(q! / m! - 1)).toBeLessThan(0.01);
      expect(Math.abs(x! / ((m! * 1.8) / 10) - 1)).toBeLessThan(0.02);
    }
  });
});

describe('exact aggregates of many values', () => {
  it('count more of them than a task holds at a time', () => {
    const plan = JSON.stringify({
      steps: [
        { aggregate: { measures: { n: 'count(DISTINCT v)', m: 'median(v)', k: 'mode(v)' } } },
      ],
    });
    // Each comes twice, and far apart, but for the last one.
    const many = Array.from({ length: 240_001 }, (_, i) => String((i * 7) % 120_000)).join('\n');
    const { output } = runPlan(plan, `v\n${many}\n120000\n`, { types: { v: 'integer' } });
    expect(output.toString()).toBe('n,m,k\n120001,59999.5,0\n');
  });
});
