import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkKey } from '../../pipeline/keys/index.ts';
import type { ChunkLimits } from '../../pipeline/limits.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { cutAll } from '../support/chunks.ts';

/** The production limits, 4096 times smaller. */
const limits: ChunkLimits = { minBytes: 256, targetBytes: 1024, easeBytes: 2048, maxBytes: 4096 };
const KEPT_MIN = 0.97;

/** A generator of numbers in [0, 1) (mulberry32): records differ by seed and place only. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some 200 chunks of records whose lengths are up to `recordBytes` and differ. */
function recordsOf(seed: number, recordBytes: number): string[] {
  const next = random(seed);
  const records: string[] = [];
  for (let size = 0; size < 200 * 1230; size += records.at(-1)!.length) {
    const name = Math.floor(next() * 1e9).toString(36);
    const text = name.repeat(Math.ceil((next() * recordBytes) / name.length));
    records.push(
      `${records.length % 7},"${text.slice(0, recordBytes)}",${Math.floor(next() * 1e6)}\n`,
    );
  }
  return records;
}

function keysOf(records: readonly string[]): string[] {
  return cutAll(Buffer.from(records.join('')), RFC_4180, limits).map(({ bytes }) =>
    chunkKey(bytes),
  );
}

const EDITS: Readonly<Record<string, (records: string[], at: number) => string[]>> = {
  'an insertion': (records, at) => records.toSpliced(at, 0, '9,"a record, newly written",1\n'),
  'a deletion': (records, at) => records.toSpliced(at, 1),
  'an edit': (records, at) => records.toSpliced(at, 1, records[at]!.replace(',"', ',"changed ')),
};

describe.each([12, 60, 300])('a file of records of up to %i bytes', (recordBytes) => {
  it.each(Object.entries(EDITS))(
    'keeps its chunk keys, but for three in a hundred, after %s at front, middle and end',
    (_, edit) => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.double({ min: 0.2, max: 0.8, noNaN: true }),
          (seed, middle) => {
            const records = recordsOf(seed, recordBytes);
            const before = keysOf(records);
            expect(before.length).toBeGreaterThan(150);
            expect(before.length).toBeLessThan(280);
            for (const at of [0, Math.floor(records.length * middle), records.length - 1]) {
              const after = new Set(keysOf(edit(records, at)));
              const kept = before.filter((key) => after.has(key)).length;
              expect(kept / before.length).toBeGreaterThanOrEqual(KEPT_MIN);
            }
          },
        ),
        // How many chunks an edit changes is chance, by the seed: fixed, so that it is no lottery.
        { numRuns: 25, seed: 2, endOnFailure: true },
      );
    },
  );
});
