import { describe, expect, it } from 'vitest';
import type { Job } from '../../pipeline/protocol/index.ts';
import { adviceFor, placeOf, problemFrom } from '../../dashboard-vue/src/api/problem.ts';
import { processedShare, receivedShare } from '../../dashboard-vue/src/format/job-status.ts';
import { createRateMeter, remainingMs } from '../../dashboard-vue/src/live/rate-meter.ts';

const job = (part: Partial<Job>) =>
  ({ status: 'receiving', inputHash: null, bytesTotal: null, bytesReceived: 0, ...part }) as Job;

describe('bars', () => {
  it('are unknown while the size is', () => {
    expect(receivedShare(job({ bytesReceived: 5 }))).toBeNull();
    expect(receivedShare(job({ bytesReceived: 5, bytesTotal: 10 }))).toBe(0.5);
    expect(receivedShare(job({ status: 'processing', inputHash: 'x' }))).toBe(1);
  });

  it('stay within the whole, and are full only when the job is', () => {
    expect(receivedShare(job({ bytesReceived: 12, bytesTotal: 10 }))).toBe(1);
    expect(processedShare(job({ bytesReceived: 10, bytesProcessed: 9 }))).toBe(0.9);
    expect(processedShare(job({ bytesReceived: 0, bytesProcessed: 0 }))).toBe(0);
    expect(processedShare(job({ status: 'completed', bytesReceived: 0 }))).toBe(1);
  });
});

describe('rate meter', () => {
  it('gives bytes a second over its window', () => {
    const meter = createRateMeter(5000);
    expect(meter.rate(0)).toBeNull();
    for (let second = 0; second <= 20; second += 1) meter.add(second * 1000, second * 1000);
    expect(meter.rate(20_000)).toBeCloseTo(1000);
  });

  it('falls to nothing when nothing comes any more', () => {
    const meter = createRateMeter(5000);
    meter.add(0, 0);
    meter.add(10_000, 1000);
    for (let second = 2; second <= 10; second += 1) meter.add(10_000, second * 1000);
    expect(meter.rate(10_000)).toBe(0);
    expect(remainingMs(1, 2, meter.rate(10_000))).toBeNull();
  });

  it('begins anew when the total falls, as after a retry', () => {
    const meter = createRateMeter(5000);
    meter.add(9000, 0);
    meter.add(100, 1000);
    meter.add(600, 2000);
    expect(meter.rate(2000)).toBeCloseTo(500);
  });

  it('tells the time that is left', () => {
    expect(remainingMs(500, 1500, 100)).toBe(10_000);
  });
});

describe('problems', () => {
  it('are taken from the answer', () => {
    const text =
      '{"title":"T","status":422,"detail":"D","code":"plan-invalid","details":{"line":3}}';
    const problem = problemFrom(422, 'x', text);
    expect(problem).toMatchObject({ title: 'T', detail: 'D', code: 'plan-invalid' });
    expect(placeOf(problem.details)).toBe('line 3');
    expect(adviceFor(problem.code)).toContain('plan');
  });

  it('are made from the status where the answer is something else', () => {
    expect(problemFrom(502, 'Bad Gateway', '<html>')).toMatchObject({
      title: 'Bad Gateway',
      status: 502,
    });
    expect(problemFrom(500, '', 'null').title).toBe('HTTP 500');
  });

  it('name every place they have', () => {
    expect(placeOf({ record: 17, line: 18, column: 3, other: [1] })).toBe(
      'record 17 · line 18 · column 3',
    );
    expect(placeOf({})).toBe('');
    expect(adviceFor('toString')).toBe('');
  });
});
