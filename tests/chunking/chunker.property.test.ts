import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChunkLimits } from '../../pipeline/limits.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { readRecords } from '../../pipeline/parsing/record-reader.ts';
import { cutAll } from '../support/chunks.ts';
import { delimitedBytes, DIALECTS } from '../support/delimited-text.ts';
import { runs } from '../support/runs.ts';

const limitsArbitrary = fc
  .tuple(fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(40))
  .map(([a, b, c, d]): ChunkLimits => {
    const minBytes = a + 1;
    const targetBytes = minBytes + b;
    const easeBytes = targetBytes + c;
    return { minBytes, targetBytes, easeBytes, maxBytes: easeBytes + d };
  });

describe.each(Object.entries(DIALECTS))('the chunks of an input with %s', (_, dialect) => {
  it('do not depend on how the input was split into buffers', () => {
    fc.assert(
      fc.property(
        delimitedBytes(120),
        limitsArbitrary,
        fc.integer({ min: 5, max: 200 }),
        (bytes, limits, recordBytesMax) => {
          const whole = cutAll(bytes, dialect, limits, { recordBytesMax });
          for (const bufferBytes of [1, 2, 3, 7, 50]) {
            const split = cutAll(bytes, dialect, limits, { recordBytesMax, bufferBytes });
            expect(split).toEqual(whole);
          }
        },
      ),
      { numRuns: runs(200) },
    );
  });

  it('are the input, in order, and each starts where a record does', () => {
    fc.assert(
      fc.property(delimitedBytes(120), limitsArbitrary, (bytes, limits) => {
        const chunks = cutAll(bytes, dialect, limits, { startOffset: 1000, startLine: 10 });
        expect(Buffer.concat(chunks.map((chunk) => chunk.bytes)).equals(bytes)).toBe(true);
        let byteOffset = 1000;
        let line = 10;
        for (const chunk of chunks) {
          expect(chunk).toMatchObject({ kind: 'records', byteOffset, line });
          expect(chunk.fullBytes).toBe(chunk.bytes.length);
          byteOffset += chunk.bytes.length;
          line += chunk.lines;
        }
        const records = chunks.flatMap((chunk) => readRecords(chunk.bytes, dialect));
        expect(records).toEqual(readRecords(bytes, dialect));
      }),
      { numRuns: runs(500) },
    );
  });

  it('exceed the maximum only where one record does', () => {
    fc.assert(
      fc.property(delimitedBytes(200), limitsArbitrary, (bytes, limits) => {
        for (const chunk of cutAll(bytes, dialect, limits)) {
          if (chunk.bytes.length <= limits.maxBytes) continue;
          const options = { skipBlankLines: 'never' } as const;
          expect(readRecords(chunk.bytes, dialect, options).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('a record that exceeds the maximum', () => {
  const limits = { minBytes: 64, targetBytes: 128, easeBytes: 256, maxBytes: 512 };
  const before = 'a,b\nc,d\n';
  const long = `"${'x\n'.repeat(200_000)}",y\n`;
  const after = 'e,f\ng,h\n';
  const bytes = Buffer.from(before + long + after);

  it.each([1000, 65_536, bytes.length])(
    'is passed, pushed in %i bytes at a time',
    (bufferBytes) => {
      const chunks = cutAll(bytes, RFC_4180, limits, { recordBytesMax: 100_000, bufferBytes });
      expect(chunks.map(({ kind }) => kind)).toEqual(['records', 'oversized', 'records']);
      const [first, second, third] = chunks;
      expect(first!.bytes.toString()).toBe(before);
      expect(second).toMatchObject({
        byteOffset: 8,
        fullBytes: long.length,
        line: 2,
        lines: 200_001,
      });
      expect(second!.bytes.toString()).toBe(long.slice(0, 65_536));
      expect(third).toMatchObject({ byteOffset: 8 + long.length, line: 200_003, lines: 2 });
      expect(third!.bytes.toString()).toBe(after);
    },
  );

  it('is reported at the end of the input where its quote is never closed', () => {
    const open = Buffer.from(`${before}"${'x'.repeat(5000)}`);
    const options = { recordBytesMax: 1000, bufferBytes: 100 };
    const chunks = cutAll(open, RFC_4180, limits, options);
    expect(chunks.map(({ kind }) => kind)).toEqual(['records', 'oversized']);
    expect(chunks[1]).toMatchObject({ fullBytes: 5001, line: 2, lines: 0 });
  });
});

it('cuts one JSON document a line at line feeds, whatever the quotes', () => {
  const text = '{"a":"\\"x"}\n{"a":"it\'s \\" one"}\r\n{"b":1}';
  const limits = { minBytes: 1, targetBytes: 1, easeBytes: 1, maxBytes: 1 };
  const chunks = cutAll(Buffer.from(text), 'ndjson', limits);
  expect(chunks.map(({ bytes }) => bytes.toString())).toEqual(text.split(/(?<=\n)/));
});
