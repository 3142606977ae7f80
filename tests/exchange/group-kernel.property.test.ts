import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AggregateAccumulator } from '../../pipeline/aggregation/aggregate-accumulator.ts';
import { readAggregateHead } from '../../pipeline/aggregation/partial-codec.ts';
import { shapeOf, type AggregateSpec } from '../../pipeline/aggregation/shape.ts';
import { readBlockIndex } from '../../pipeline/exchange/block-index.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { groupEntries, mergeGroups } from '../../pipeline/exchange/group-entries.ts';
import { KernelEngine } from '../../pipeline/exchange/kernel-engine.ts';
import { SCRIPT_ENGINE } from '../../pipeline/exchange/script-engine.ts';
import { sliceOf } from '../../pipeline/exchange/wave-document.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { batchOf, csvOf } from '../support/batch-of.ts';
import { builtKernel } from '../support/kernel.ts';
import { cutPlan, runPlan } from '../support/run-plan.ts';
import { runs } from '../support/runs.ts';

const module = builtKernel();
const kernel = new KernelEngine(module);
const COLUMNS: Column[] = [
  { name: 'text', type: 'string' },
  { name: 'whole', type: 'integer' },
  { name: 'value', type: 'number' },
  { name: 'day', type: 'date' },
];
const MEASURES = [
  { function: 'count', column: null },
  { function: 'sum', column: 1 },
  { function: 'avg', column: 1 },
  { function: 'count', column: 2 },
  { function: 'sum', column: 2 },
  { function: 'avg', column: 2 },
] as const;
/** What all kinds of measures write. */
const ANY_MEASURES = [
  ...MEASURES,
  { function: 'min', column: 0 },
  { function: 'max', column: 1 },
  { function: 'min', column: 2 },
  { function: 'count', column: 2, distinct: true },
  { function: 'var_samp', column: 2 },
  { function: 'first', column: 0 },
  { function: 'approx_count_distinct', column: 1 },
] as const;

const decimal = fc
  .tuple(fc.oneof(fc.integer({ min: -999, max: 999 }), fc.maxSafeInteger()), fc.nat(20))
  .map(([digits, scale]) => `${String(digits)}e-${String(scale)}`);
const record = fc.tuple(
  fc.option(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          'a',
          'b',
          'ä',
          'a\0b',
          '\0',
          'sixteen bytes yes',
          'k'.repeat(70),
        ),
      },
      fc.constantFrom('x,y', '"', 'a\nb', '', '"'.repeat(17), 'fifteen bytes, "and" some "more"'),
    ),
  ),
  fc.option(
    fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: -9, max: 99 }) },
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    ),
  ),
  fc.option(
    fc.oneof(
      fc.constantFrom('0', '-0.0', '0.1', '2.50', '100', '0.0001', '0.00009', '999999999999999'),
      fc.constantFrom('1000000000000000', '0.3333333333333333', '1e22', '1e300', '123456789.125'),
      decimal,
      {
        weight: 9,
        arbitrary: fc.integer({ min: -5000, max: 5000 }).map((cents) => String(cents / 100)),
      },
    ),
  ),
  fc.option(fc.constantFrom('2024-02-29', '1969-12-31')),
);

function partialOf(
  by: readonly number[],
  records: readonly (readonly (string | number | bigint | null)[])[],
  measures: AggregateSpec['measures'],
): Uint8Array {
  const options = {
    columns: COLUMNS,
    dialect: RFC_4180,
    nullstr: [],
    onError: 'null',
    tellsEmpty: false,
  } as const;
  const accumulator = new AggregateAccumulator({ by, measures }, options);
  const cells = records.map((one) => one.map((cell) => (cell === null ? null : String(cell))));
  accumulator.add(batchOf(csvOf(cells)), (fault) => expect.fail(fault.message));
  return accumulator.toPartial();
}

test('groups merge in the kernel as in the reference', () => {
  let taken = 0;
  let left = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(record, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
      fc.subarray([0, 1, 2, 3], { maxLength: 2 }),
      (chunks, by) => {
        const written = chunks.map((records) => {
          const partial = partialOf(by, records, MEASURES);
          return groupEntries(partial, 300, SCRIPT_ENGINE);
        });
        const documents = written.map(({ index }, i) => {
          const blocks = readBlockIndex(index);
          return sliceOf(String(i), blocks, 0, blocks.count);
        });
        const slices = written.map(({ output }) => Buffer.concat(output));
        const shape = shapeOf({ by, measures: MEASURES }, COLUMNS);
        const [mine, theirs] = [kernel, SCRIPT_ENGINE].map((engine) => {
          const entries = engine.read(documents, slices);
          const order = engine.order(entries);
          const { csv, groups } = mergeGroups(entries, order, shape, engine);
          const merger = engine.mergerOf(entries, shape);
          for (let place = 0; merger !== null && place < order.length;) {
            const run = merger.run(place);
            taken += run.groups;
            if (run.groups === 0) left += 1;
            place = run.groups === 0 ? place + 1 : run.next;
          }
          return { csv: Buffer.from(csv).toString(), groups };
        });
        expect(mine).toEqual(theirs);
      },
    ),
    { numRuns: runs(150) },
  );
  expect(taken).toBeGreaterThan(150);
  expect(left).toBeGreaterThan(150);
});

test('sums and means of many digits are written as by the reference', () => {
  const digits = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: 1, max: 15 }));
  const decimal = fc
    .tuple(fc.boolean(), digits, fc.nat(14))
    .map(([isNegative, [digit, length], scale]) => {
      const text = String(digit)
        .slice(0, length)
        .padStart(scale + 1, '0');
      const whole = text.slice(0, text.length - scale);
      return `${isNegative ? '-' : ''}${whole}.${text.slice(whole.length)}0`;
    });
  const group = fc.array(decimal, { minLength: 1, maxLength: 7 });
  const plan = JSON.stringify({
    steps: [{ aggregate: { by: ['key'], measures: { total: 'sum(value)', mean: 'avg(value)' } } }],
  });
  let long = 0;
  fc.assert(
    fc.property(fc.array(group, { minLength: 200, maxLength: 400 }), (groups) => {
      const records = groups.flatMap((values, key) => values.map((value) => `${key},${value}\n`));
      const text = `key,value\n${records.join('')}`;
      const types = { value: 'number' } as const;
      const theirs = runPlan(plan, text, { types, chunkRecords: 500 }).output.toString();
      const mine = runPlan(plan, text, { types, chunkRecords: 500, kernel: module });
      expect(mine.output.toString()).toBe(theirs);
      long += theirs.match(/[\d.]{17,}/g)?.length ?? 0;
    }),
    { numRuns: 10 },
  );
  expect(long).toBeGreaterThan(500);
});

test('groups become entries in the kernel as in the reference', () => {
  let taken = 0;
  const records = fc.array(record, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(records, fc.subarray([0, 1, 2, 3], { maxLength: 3 }), (list, by) => {
      const partial = partialOf(by, list, ANY_MEASURES);
      const [mine, theirs] = [kernel, SCRIPT_ENGINE].map((engine) => {
        const { output, index, groups } = groupEntries(partial, 300, engine);
        return { output: Buffer.concat(output), index: Buffer.from(index), groups };
      });
      expect(mine).toEqual(theirs);
      if (kernel.writeGroups(partial, readAggregateHead(partial), 300) !== null) taken += 1;
    }),
    { numRuns: runs(150) },
  );
  expect(taken).toBeGreaterThan(30);
});

test('a chunk leaves the same groups with the kernel and without', () => {
  const cell = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'k'.repeat(40), '"q""r"', '') },
    fc.integer({ min: 0, max: 500 }).map((n) => `t${String(n)}`),
  );
  const whole = fc.oneof(fc.integer({ min: -30, max: 30 }).map(String), fc.constantFrom('', '007'));
  const value = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: -99, max: 9999 }).map((n) => String(n / 100)) },
    fc.constantFrom('-0', '0', '1e3', '12345678901234567890.5', ''),
  );
  const records = fc.array(fc.tuple(cell, whole, value), { minLength: 1, maxLength: 200 });
  const keys = [['text'], ['whole'], ['value'], ['text', 'whole'], ['whole', 'value']];
  for (const by of keys) {
    const measures = { n: 'count(*)', total: 'sum(value)', mean: 'avg(whole)' };
    const plan = JSON.stringify({ steps: [{ aggregate: { by, measures } }] });
    const types = { whole: 'integer', value: 'number' } as const;
    const { compiled } = cutPlan(plan, 'text,whole,value\n', { types });
    const { context } = compiled.waves[0];
    const programs = [module, null].map((one) => createChunkProgram(context, one));
    fc.assert(
      fc.property(records, (list) => {
        const chunk = Buffer.from(list.map((one) => `${one.join(',')}\n`).join(''));
        const [mine, theirs] = programs.map((program) => {
          const { output, ...rest } = program.run(chunk);
          return { ...rest, output: Buffer.concat(output) };
        });
        expect(mine).toEqual(theirs);
      }),
      { numRuns: runs(40) },
    );
  }
});
