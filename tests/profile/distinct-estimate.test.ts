import { describe, expect, test } from 'vitest';
import { HyperLogLog } from '../../pipeline/profile/hyper-log-log.ts';
import { ValueHash } from '../../pipeline/profile/value-hash.ts';
import { ByteReader } from '../../pipeline/values/byte-reader.ts';
import { ByteWriter } from '../../pipeline/values/byte-writer.ts';

const STANDARD_ERROR = 1.04 / Math.sqrt(2 ** 14);

function sketchOf(count: number, textAt: (i: number) => string, from = 0): HyperLogLog {
  const sketch = new HyperLogLog(14);
  const hash = new ValueHash();
  for (let i = from; i < from + count; i++) {
    const bytes = Buffer.from(textAt(i));
    hash.ofBytes(bytes, 0, bytes.length);
    sketch.add(hash.high, hash.low);
  }
  return sketch;
}

function written(sketch: HyperLogLog): Uint8Array {
  const writer = new ByteWriter();
  sketch.write(writer);
  return writer.finish();
}

describe('distinct estimates', () => {
  test.each([10, 100, 1000, 10_000, 100_000, 1_000_000])('of %i values are near', (count) => {
    for (const textAt of [String, (i: number) => `key-${i * 7919}`]) {
      const estimate = sketchOf(count, textAt).estimate();
      const bound = Math.max(3 * STANDARD_ERROR * count, 0.6);
      expect(Math.abs(estimate - count)).toBeLessThan(bound);
    }
  });

  test('the root mean square error over many sets is the standard error', () => {
    const errors = Array.from({ length: 60 }, (_, set) => {
      return sketchOf(20_000, (i) => `set ${set}: ${i}`).estimate() / 20_000 - 1;
    });
    const rootMeanSquare = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
    expect(rootMeanSquare).toBeLessThan(1.3 * STANDARD_ERROR);
    expect(rootMeanSquare).toBeGreaterThan(0.6 * STANDARD_ERROR);
  });

  test.each([0, 3, 3000, 200_000])('a sketch of %i values survives being written', (count) => {
    const bytes = written(sketchOf(count, String));
    const read = new HyperLogLog(14);
    read.merge(new ByteReader(bytes));
    expect(written(read)).toEqual(bytes);
    expect(bytes.length).toBeLessThan(9000);
  });

  test('merging is union: overlapping halves give the whole', () => {
    const merged = sketchOf(60_000, String);
    merged.merge(new ByteReader(written(sketchOf(60_000, String, 40_000))));
    expect(written(merged)).toEqual(written(sketchOf(100_000, String)));
  });

  test('a value hashes the same by words and by bytes', () => {
    const byWords = new ValueHash();
    const byBytes = new ValueHash();
    for (let length = 1; length <= 16; length++) {
      const bytes = Buffer.from('0123456789abcdef'.slice(0, length));
      const padded = Buffer.concat([bytes, Buffer.alloc(16 - length)]);
      const [word0, word1, word2, word3] = [0, 4, 8, 12].map((at) => padded.readInt32LE(at));
      byWords.ofWords(word0!, word1!, word2!, word3!, length);
      byBytes.ofBytes(bytes, 0, length);
      expect([byWords.high, byWords.low]).toEqual([byBytes.high, byBytes.low]);
    }
  });
});
