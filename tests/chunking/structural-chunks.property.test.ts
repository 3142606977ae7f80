import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChunkLimits } from '../../pipeline/limits.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { cutAll } from '../support/chunks.ts';
import { delimitedBytes, DIALECTS } from '../support/delimited-text.ts';
import { builtKernel } from '../support/kernel.ts';
import { runs } from '../support/runs.ts';

const kernel = builtKernel();

const limitsArbitrary = fc
  .tuple(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(200))
  .map(([a, b, c, d]): ChunkLimits => {
    const minBytes = a + 1;
    const targetBytes = minBytes + b;
    const easeBytes = targetBytes + c;
    return { minBytes, targetBytes, easeBytes, maxBytes: easeBytes + d };
  });

describe.each(Object.entries(DIALECTS))('the chunks that the kernel cuts with %s', (_, dialect) => {
  it('are those that the scalar scanner cuts, however the input is split', () => {
    fc.assert(
      fc.property(
        delimitedBytes(400),
        limitsArbitrary,
        fc.integer({ min: 5, max: 400 }),
        fc.constantFrom(1, 3, 64, 100, 1000),
        (bytes, limits, recordBytesMax, bufferBytes) => {
          const options = { recordBytesMax, startOffset: 7, startLine: 3 };
          const wanted = cutAll(bytes, dialect, limits, options);
          expect(cutAll(bytes, dialect, limits, { ...options, bufferBytes, kernel })).toEqual(
            wanted,
          );
        },
      ),
      { numRuns: runs(300) },
    );
  });
});

it('are the same in a text of many blocks, steps and chunks', () => {
  const records = Array.from({ length: 40_000 }, (_, i) => {
    const number = (i * 2_654_435_761) % 2 ** 32;
    const note = i % 7 === 0 ? `"two\r\nlines, ""${number}"""` : `plain ${number % 1000}`;
    return `${i},${number},${i % 5000 === 0 ? 'it"s "odd"' : note}\r\n`;
  });
  const bytes = Buffer.from(records.join(''));
  const limits = { minBytes: 10_000, targetBytes: 40_000, easeBytes: 80_000, maxBytes: 160_000 };
  const wanted = cutAll(bytes, RFC_4180, limits);
  expect(wanted.length).toBeGreaterThan(20);
  for (const bufferBytes of [1 << 20, 65_536, 1000]) {
    const cut = cutAll(bytes, RFC_4180, limits, { bufferBytes, kernel });
    expect(cut.map(summary)).toEqual(wanted.map(summary));
  }
});

function summary({ bytes, ...about }: ReturnType<typeof cutAll>[number]): unknown {
  return { ...about, sha256: createHash('sha256').update(bytes).digest('hex') };
}
