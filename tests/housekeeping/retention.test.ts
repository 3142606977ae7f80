import { describe, expect, it } from 'vitest';
import { expiredJobs, parseDuration } from '../../master/housekeeping/retention.ts';

const finished = [90, 60, 30, 10].map((updatedMs) => ({ id: `job ${updatedMs}`, updatedMs }));
const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);

describe('retention', () => {
  it.each([
    [null, null, []],
    [50, null, ['job 30', 'job 10']],
    [70, null, ['job 10']],
    [null, 1, ['job 60', 'job 30', 'job 10']],
    [null, 0, ['job 90', 'job 60', 'job 30', 'job 10']],
    [80, 3, ['job 10']],
    [20, 3, ['job 60', 'job 30', 'job 10']],
  ])('of %s ms and %s jobs lets go %j', (forMs, jobs, wanted) => {
    expect(idsOf(expiredJobs(finished, { forMs, jobs }, 100))).toEqual(wanted);
  });

  it.each([
    ['30d', 2_592_000_000],
    ['12h', 43_200_000],
    ['10m', 600_000],
    ['1.5s', 1_500],
    ['500ms', 500],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text, '--retention')).toBe(ms);
  });

  it.each(['', '30', 'd', '-1d', '1 d', '1w', '1e3s'])('refuses %j', (text) => {
    expect(() => parseDuration(text, '--retention')).toThrow(/--retention takes a duration/);
  });
});
