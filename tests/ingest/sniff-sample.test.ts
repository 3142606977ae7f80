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

  it('is refused when nothing of it can be read', async () => {
    const sample = RECORDS.packed.subarray(0, 1000);
    await expect(sniffSample(sample, false, parsePlan(''))).rejects.toMatchObject({
      code: 'input-compression',
    });
  });
});
