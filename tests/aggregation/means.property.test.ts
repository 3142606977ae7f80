import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measureState } from '../../pipeline/aggregation/measure-states.ts';
import { ByteReader } from '../../pipeline/values/byte-reader.ts';
import { ByteWriter } from '../../pipeline/values/byte-writer.ts';
import { formatDouble } from '../../pipeline/values/format.ts';
import { decimalToDouble } from '../../pipeline/values/ratio.ts';
import { runs } from '../support/runs.ts';

test('sums and means are the exact values rounded once, whatever way they are computed', () => {
  const mantissa = fc.oneof(
    fc.integer({ min: -2000, max: 2000 }),
    fc.integer(),
    fc.maxSafeInteger(),
  );
  const count = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 31 }));
  fc.assert(
    fc.property(mantissa, fc.nat({ max: 30 }), count, (mantissa, scale, count) => {
      for (const fn of ['sum', 'avg'] as const) {
        const state = measureState({ function: fn, type: 'number' });
        state.reserve(1);
        const writer = new ByteWriter();
        writer.count(count);
        writer.count(scale);
        writer.scalar(mantissa);
        state.merge(0, new ByteReader(writer.finish()), 0);
        const divisor = fn === 'sum' ? 1n : BigInt(count);
        const exact = decimalToDouble(BigInt(mantissa), scale, divisor);
        expect(state.text(0)).toBe(formatDouble(exact));
      }
    }),
    { numRuns: runs(2000) },
  );
});
