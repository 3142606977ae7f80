import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AggregateAccumulator } from '../../pipeline/aggregation/aggregate-accumulator.ts';
import { mergeAggregates } from '../../pipeline/aggregation/merge-aggregates.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import type { Column } from '../../pipeline/protocol/job.ts';
import { batchOf, csvOf } from '../support/batch-of.ts';
import { runs } from '../support/runs.ts';

const COLUMNS: Column[] = [
  { name: 'key', type: 'string' },
  { name: 'value', type: 'number' },
  { name: 'whole', type: 'integer' },
];
const SPEC = {
  by: [0],
  measures: [
    { function: 'count', column: null },
    { function: 'count', column: 1 },
    { function: 'sum', column: 1 },
    { function: 'avg', column: 2 },
    { function: 'min', column: 1 },
    { function: 'max', column: 2 },
    { function: 'max', column: 0 },
  ] as const,
};

const record = fc.tuple(
  fc.option(fc.constantFrom('a', 'b', 'ä', '"', '', 'long key '.repeat(9))),
  fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
  fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
);
/** Records, each with the chunk it goes to, and the order in which chunks are merged. */
const chunked = fc.array(fc.tuple(record, fc.nat({ max: 4 })), { maxLength: 60 });

function partialOf(records: readonly (readonly (string | null)[])[]): Uint8Array {
  const options = { columns: COLUMNS, dialect: RFC_4180, nullstr: [''], tellsEmpty: false };
  const accumulator = new AggregateAccumulator(SPEC, { ...options, onError: 'fail' });
  accumulator.add(batchOf(csvOf(records)), (fault) => expect.fail(fault.message));
  return accumulator.toPartial();
}

test('any chunking, merged in any order and grouping, equals no chunking, byte for byte', () => {
  fc.assert(
    fc.property(
      chunked,
      fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
      (records, order) => {
        const whole = partialOf(records.map(([fields]) => fields));
        const chunks = order.map((chunk) =>
          partialOf(records.filter(([, home]) => home === chunk).map(([fields]) => fields)),
        );
        expect(mergeAggregates(chunks)).toEqual(whole);
        const [first, second, ...rest] = chunks;
        const left = mergeAggregates([mergeAggregates([first!, second!]), ...rest]);
        const right = mergeAggregates([first!, mergeAggregates([second!, ...rest].reverse())]);
        expect(left).toEqual(whole);
        expect(right).toEqual(whole);
      },
    ),
    { numRuns: runs(100) },
  );
});
