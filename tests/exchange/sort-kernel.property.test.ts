import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { SortKernel } from '../../pipeline/execution/sort-kernel.ts';
import { builtKernel } from '../support/kernel.ts';
import { cutPlan } from '../support/run-plan.ts';

const module = builtKernel();
const HEADER = 'text,whole,value,day,time,truth\n';
const TYPES = {
  whole: 'integer',
  value: 'number',
  day: 'date',
  time: 'datetime',
  truth: 'boolean',
} as const;

const text = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'ä', '', 'NA', 'k'.repeat(40)) },
  fc.constantFrom('"q""r"', '""', '"NA"', 'a\0b', '\0', 'sixteen bytes!!\0', '"x,\ny"'),
);
const whole = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -300, max: 300 }).map(String) },
  fc.constantFrom('', '007', '"12"', '-0', '9007199254740993', '-9223372036854775808', 'NA'),
);
const value = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -99, max: 9999 }).map((n) => String(n / 100)) },
  fc.constantFrom('-0', '-0.0', '1e3', '12345678901234567890.5', '', '0.000000000000000001', ' 1'),
);
const day = fc.constantFrom('2024-02-29', '1969-12-31', '', '0044-03-15');
const time = fc.constantFrom('2024-02-29 12:00:00', '1969-12-31T23:59:59.999999', '', 'NA');
const truth = fc.constantFrom('true', 'f', '', 'NO');
/** Now and then a record that does not cast, or is too short. */
const record = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.tuple(text, whole, value, day, time, truth).map((cells) => cells.join(',')),
  },
  fc.constantFrom('x,y,z,,,', 'x', 'a,1.5,,,,', 'a,1,1,1,1,1'),
);
const key = fc.record({
  by: fc.constantFrom('text', 'whole', 'value', 'day', 'time', 'truth'),
  desc: fc.boolean(),
  nulls: fc.constantFrom('first', 'last'),
});

test('a chunk leaves the same sorted run with the kernel and without', () => {
  const append = vi.spyOn(SortKernel.prototype, 'append');
  const records = fc.array(record, { minLength: 1, maxLength: 60 });
  const keys = fc.array(key, { minLength: 1, maxLength: 3 });
  const onError = fc.constantFrom('reject', 'null');
  try {
    fc.assert(
      fc.property(records, keys, onError, (list, sort, on_error) => {
        const read = { on_error, nullstr: ['', 'NA'] };
        const plan = JSON.stringify({ read, steps: [{ sort }] });
        const { compiled } = cutPlan(plan, HEADER, { types: TYPES });
        const { context } = compiled.waves[0];
        const chunk = Buffer.from(list.map((one) => `${one}\n`).join(''));
        const [mine, theirs] = [module, null].map((one) => {
          const { output, exchange, rejects, ...rest } = createChunkProgram(context, one).run(
            chunk,
          );
          const texts = [...output, exchange, rejects].map((part) =>
            Buffer.from(part).toString('hex'),
          );
          return { ...rest, texts: texts.join(' ') };
        });
        expect(mine).toEqual(theirs);
      }),
      { numRuns: 100 },
    );
    const taken = append.mock.results.filter(({ value }) => value === true).length;
    expect(taken).toBeGreaterThan(20);
    expect(append.mock.results.length).toBeGreaterThan(taken);
  } finally {
    append.mockRestore();
  }
});
