import { expect, it } from 'vitest';
import { readRecords } from '../../pipeline/parsing/record-reader.ts';
import { skipLines } from '../../pipeline/parsing/syntax.ts';
import { caseBytes, caseReading, corpusCases, loadCases } from '../support/cases.ts';
import { cutAll, fixedLimits } from '../support/chunks.ts';
import { describeWith } from '../support/needs.ts';

const SMALL_BYTES = 1024;
const smallSizes = Array.from({ length: 64 }, (_, i) => i + 1).concat(100, 1000);
const middleSizes = [1, 61, 997, 4096];
const largeSizes = [4096, 65_536, 1_000_000];

function sizesFor(bytes: Uint8Array): readonly number[] {
  if (bytes.length <= SMALL_BYTES) return smallSizes;
  return bytes.length <= 64 * SMALL_BYTES ? middleSizes : largeSizes;
}

/** Inputs of the class without mark and preamble: what a chunker is given. */
function inputs(name: 'core' | 'ragged') {
  return loadCases(name).map((one) => {
    const { dialect, skipBlankLines } = caseReading(one);
    const all = caseBytes(one);
    const start = all[0] === 0xef && all[1] === 0xbb && all[2] === 0xbf ? 3 : 0;
    const from = skipLines(all, start, all.length, true, dialect.skip, dialect);
    return { ...one, bytes: all.subarray(from), dialect: { ...dialect, skip: 0 }, skipBlankLines };
  });
}

describeWith(corpusCases, 'records of the published cases, chunk by chunk', () => {
  it.each(['core', 'ragged'] as const)(
    'are those of the whole input at any chunk size from 1 byte up: class %s',
    (name) => {
      const differing: string[] = [];
      for (const { id, bytes, dialect, skipBlankLines } of inputs(name)) {
        const whole = JSON.stringify(readRecords(bytes, dialect, { skipBlankLines }));
        for (const size of sizesFor(bytes)) {
          if (size > bytes.length + 1) break;
          const chunks = cutAll(bytes, dialect, fixedLimits(size), { bufferBytes: size * 3 + 1 });
          const records = chunks.flatMap((chunk) =>
            readRecords(chunk.bytes, dialect, { skipBlankLines }),
          );
          if (JSON.stringify(records) !== whole) differing.push(`${id} at ${size}`);
        }
      }
      expect(differing).toEqual([]);
    },
    100_000,
  );
});
