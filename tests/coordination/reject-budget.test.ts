import { describe, expect, it } from 'vitest';
import { JobAssembly } from '../../master/aggregator/job-assembly.ts';
import type { ChunkRecord } from '../../master/storage/job-record.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

const UNREAD = {} as BlobStore;

function chunkOf(index: number, wave: number, recordsIn: number, rejected: number): ChunkRecord {
  const counts = { recordsIn, rejected, lines: 0, bytesIn: 0, outputBytes: 0, outputRecords: 0 };
  return { index, wave, statistics: counts } as unknown as ChunkRecord;
}

/** Merges chunks up to the last, which is to be refused, or is not looked at. */
function mergeAll(ratio: number, chunks: readonly ChunkRecord[]): Promise<void> {
  const assembly = new JobAssembly(null, { maxRejects: null, maxRejectRatio: ratio });
  for (const chunk of chunks.slice(0, -1)) assembly.append(chunk, 1);
  return assembly.merge(UNREAD, chunks.at(-1)!, 1);
}

describe('the share of rejects that a plan allows', () => {
  const waves = [
    chunkOf(0, 0, 20_000, 50),
    chunkOf(1, 1, 10_000, 100),
    chunkOf(2, 1, 9_950, 100),
    chunkOf(3, 1, 0, 0),
  ];

  it('stops a job in a later wave, by the records of the input', async () => {
    const details = { rejected: 250, recordsIn: 20_000, chunks: 3 };
    const over = { code: 'rejects-over-budget', details };
    await expect(mergeAll(0.0124, waves)).rejects.toMatchObject(over);
  });

  it('lets a job go on that keeps within it, counted in all waves', async () => {
    for (const [ratio, chunks] of [
      [0.0125, waves],
      [0.0124, waves.slice(0, 3)],
    ] as const) {
      // The next thing that a merge does is to read, which this store cannot.
      await expect(mergeAll(ratio, chunks)).rejects.not.toHaveProperty('code');
    }
  });
});
