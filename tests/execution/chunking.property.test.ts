import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import { runPlan } from '../support/run-plan.ts';
import { runs } from '../support/runs.ts';

const cell = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom('', '""', '"a,b"', '"x ""y"" z"', 'é', '"1\n2"', 'x"y', '0.1', 'abc', '"5"'),
);
const record = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(cell, cell, cell).map((cells) => cells.join(',')) },
  { weight: 1, arbitrary: fc.array(cell, { minLength: 1, maxLength: 5 }).map((c) => c.join(',')) },
);
const body = fc
  .tuple(fc.array(record, { maxLength: 40 }), fc.constantFrom('\n', '\r\n', '\r'))
  .map(([records, newline]) => records.map((text) => text + newline).join(''));

const plans = [
  '',
  'steps: [{ filter: "n > 0 OR s IS NULL" }, { select: [s, n] }]',
  'steps: [{ drop: [s] }, { rename: { n: m } }, { filter: "m <= 5 AND m <> 0" }]\nwrite: { format: json }',
  'steps: [{ filter: "s > t" }]\nwrite: { format: ndjson }\nread: { on_error: "null" }',
  'steps: [{ aggregate: { by: [], measures: { k: count(*), l: count(*) } } }]',
  'steps: [{ aggregate: { by: [s], measures: { k: count(*), q: sum(n), a: avg(n) } } }]',
];

describe('any chunking', () => {
  it.each(plans)('gives what no chunking gives: %s', (plan) => {
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 9 }), (text, chunkRecords) => {
        const input = `s,t,n\n${text}`;
        const types = { n: 'integer' as const };
        const whole = runPlan(plan, input, { types });
        const cut = runPlan(plan, input, { types, chunkRecords });
        expect(cut.output.toString()).toBe(whole.output.toString());
        expect(cut.rejects.map(({ code, raw, message }) => [code, raw, message])).toEqual(
          whole.rejects.map(({ code, raw, message }) => [code, raw, message]),
        );
        for (const key of [
          'recordsIn',
          'recordsOut',
          'rejected',
          'filtered',
          'aggregated',
        ] as const) {
          const total = cut.results.reduce((sum, result) => sum + result.statistics[key], 0);
          expect(total).toBe(whole.results[0]?.statistics[key]);
        }
        const merged = [whole, cut].map(({ results }) => {
          const merger = new PartialMerger(partialOptions(whole.compiled.waves[0].context));
          for (const { partial } of results) merger.add(partial);
          return Buffer.from(merger.toPartial()).toString('hex');
        });
        expect(merged[1]).toBe(merged[0]);
      }),
      { numRuns: runs(60) },
    );
  });

  it('gives JSON that reads back, with a column named __proto__', () => {
    const plan = 'write: { format: json }';
    const { output } = runPlan(plan, '__proto__,n,b\n"a""\\\t",1.50,t\n,x,\n', {
      types: { n: 'number', b: 'boolean' },
    });
    expect(output.toString()).toBe(
      '[\n{"__proto__":"a\\"\\\\\\t","n":1.50,"b":true},\n{"__proto__":null,"n":"x","b":null}\n]\n',
    );
    const [first] = JSON.parse(output.toString()) as object[];
    expect(Object.keys(first ?? {})).toEqual(['__proto__', 'n', 'b']);
    expect(runPlan(plan, 'a\n').output.toString()).toBe('[\n]\n');
  });

  it('renders steps behind an aggregate over its one group', async () => {
    const { renderAggregate } = await import('../../pipeline/execution/render-aggregate.ts');
    const plan =
      'steps: [{ aggregate: { measures: { k: count(*), q: sum(n) } } }, { select: [q, k] }]';
    const types = { n: 'integer' as const };
    const { compiled } = runPlan(plan, 's,n\na,1\nb,2\na,9007199254740993\n', { types });
    const { finalSteps: steps, groupColumns, waves } = compiled;
    const { output } = renderAggregate(Buffer.from('2,9007199254740994\n'), {
      columns: groupColumns ?? [],
      steps,
      write: waves[0].context.write,
    });
    expect(Buffer.concat(output).toString()).toBe('9007199254740994,2\n');
    expect(compiled.outputColumns.map(({ type }) => type)).toEqual(['integer', 'integer']);
  });
});
