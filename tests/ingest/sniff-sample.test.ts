import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sniffSample } from '../../master/ingest/sniff-sample.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import { FAR, RECORDS } from '../dialect/zstd-samples.ts';

describe('a sample that is cut', () => {
  it('shows the first records of zstd, wherever its end is', async () => {
    for (let end = 1600; end < 1700; end += 9) {
      const found = await sniffSample(FAR.packed.subarray(0, end), false, parsePlan(''));
      expect(found.input.compression).toBe('zstd');
      expect(found.records[1]).toEqual(['1', 'name940', '0.01']);
    }
  });

  it('is of the compression that the client says where its bytes do not tell', async () => {
    const plain = Buffer.from(RECORDS.text);
    const sniff = (sample: Uint8Array, plan = ''): ReturnType<typeof sniffSample> =>
      sniffSample(sample, false, parsePlan(plan), 'brotli');
    for (const packed of [brotliCompressSync(plain).subarray(0, -9), gzipSync(plain)]) {
      expect((await sniff(packed)).records[1]).toEqual(['1', 'name940', '0.01']);
    }
    const stated = await sniff(plain, 'read: { compression: none }');
    expect(stated.input.compression).toBe('none');
    await expect(sniff(plain)).rejects.toMatchObject({ code: 'input-compression' });
  });

  it('is refused when nothing of it can be read', async () => {
    const sample = RECORDS.packed.subarray(0, 1000);
    await expect(sniffSample(sample, false, parsePlan(''))).rejects.toMatchObject({
      code: 'input-compression',
    });
  });
});
