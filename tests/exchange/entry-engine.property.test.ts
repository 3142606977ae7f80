import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBlockIndex } from '../../pipeline/exchange/block-index.ts';
import type { ByteSlices, EntryEngine } from '../../pipeline/exchange/entry-engine.ts';
import { KernelEngine } from '../../pipeline/exchange/kernel-engine.ts';
import { SCRIPT_ENGINE } from '../../pipeline/exchange/script-engine.ts';
import { base64, sliceOf, type Bound } from '../../pipeline/exchange/wave-document.ts';
import { builtKernel } from '../support/kernel.ts';
import { runs } from '../support/runs.ts';

const kernel = new KernelEngine(builtKernel());

/** Keys that share beginnings, end early, hold zeros and come often. */
const key = fc.oneof(
  fc.string({ unit: fc.constantFrom('\0', 'a', 'b'), maxLength: 20 }),
  fc.constantFrom('', 'aaaaaaaa', 'aaaaaaaab', 'aaaaaaaa\0', 'a'.repeat(40), `${'a'.repeat(40)}b`),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const record = fc.oneof(fc.string({ maxLength: 40 }), fc.constant('r'.repeat(700)));
const run = fc.array(fc.tuple(key, record), { maxLength: 300 });
const place = fc.record({ key, slice: fc.nat(4), entry: fc.nat(9) });

function slicesOf(texts: readonly string[]): ByteSlices {
  const parts = texts.map((text) => Buffer.from(text));
  const bounds = new Uint32Array(parts.length + 1);
  parts.forEach((part, i) => (bounds[i + 1] = bounds[i]! + part.length));
  return { bytes: Buffer.concat(parts), starts: bounds, ends: bounds.subarray(1) };
}

function write(engine: EntryEngine, entries: readonly [string, string][], take: number) {
  const keys = slicesOf(entries.map(([text]) => text));
  const records = slicesOf(entries.map(([, text]) => text));
  const { output, index } = engine.writeSorted(keys, records, entries.length, take, 200);
  return { output: Buffer.concat(output), index: Buffer.from(index) };
}

function boundOf(found: { key: string; slice: number; entry: number } | null): Bound | null {
  return found === null ? null : { ...found, key: base64(Buffer.from(found.key)) };
}

describe('the kernel for entries', () => {
  it('sorts and writes as the reference does', () => {
    fc.assert(
      fc.property(run, fc.oneof(fc.constant(Infinity), fc.nat(20)), (entries, take) => {
        expect(write(kernel, entries, take)).toEqual(write(SCRIPT_ENGINE, entries, take));
      }),
      { numRuns: runs(200) },
    );
  });

  it('reads, sorts and copies as the reference does', () => {
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 5 }),
        fc.option(place),
        fc.option(place),
        (runs, low, high) => {
          const written = runs.map((entries) => write(SCRIPT_ENGINE, entries, Infinity));
          const documents = written.map(({ index }, i) => {
            const blocks = readBlockIndex(index);
            return sliceOf(String(i), blocks, 0, blocks.count);
          });
          const slices = written.map(({ output }) => output);
          const [mine, theirs] = [kernel, SCRIPT_ENGINE].map((engine) => {
            const entries = engine.read(documents, slices, boundOf(low), boundOf(high));
            const order = engine.order(entries);
            const { count, keyStarts, keyEnds, recordEnds, sliceStarts } = entries;
            const arrays = [keyStarts, keyEnds, recordEnds].map((all) => [...all.slice(0, count)]);
            const records = Buffer.concat(engine.copyRecords(entries, order.subarray(0, 50)));
            return { count, arrays, sliceStarts, order: [...order], records };
          });
          expect(mine).toEqual(theirs);
        },
      ),
      { numRuns: runs(100) },
    );
  });
});
