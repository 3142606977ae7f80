import { describe, expect, it } from 'vitest';
import { waveProgress } from '../../dashboard-vue/src/format/wave-progress.ts';
import type { JobWave } from '../../pipeline/protocol/index.ts';

const read: JobWave = { kind: 'read', firstChunk: 0, chunks: 9, answered: 9 };
const sort: JobWave = { kind: 'sort', firstChunk: 9, chunks: 4, answered: 1 };
const toCome: JobWave = { kind: 'limit', firstChunk: null, chunks: 0, answered: 0 };

describe('the waves of a job', () => {
  it('are not spoken of where there is one', () => {
    expect(waveProgress({ waves: [], status: 'receiving' })).toBeNull();
    expect(waveProgress({ waves: [read], status: 'processing' })).toBeNull();
  });

  it('are told by the one that is under way, and what it does', () => {
    const status = 'processing';
    const first = { ...read, answered: 3 };
    expect(waveProgress({ waves: [first, toCome], status })).toBe(
      'Wave 1 of 2: reading, 3 of 9 chunks',
    );
    expect(waveProgress({ waves: [read, sort, toCome], status })).toBe(
      'Wave 2 of 3: sorting, 1 of 4 chunks',
    );
    // A chunk of an earlier wave that is made again.
    const again = { ...read, answered: 8 };
    expect(waveProgress({ waves: [again, sort], status })).toMatch(/^Wave 1 of 2/);
  });

  it('are counted when the job is at its end', () => {
    const done = { ...sort, answered: 4 };
    expect(waveProgress({ waves: [read, done], status: 'completed' })).toBe('2 waves');
  });
});
