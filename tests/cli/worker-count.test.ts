import { expect, test } from 'vitest';
import { workerCount } from '../../cli/worker-count.ts';

test('a run has a worker for each core, and no more than its file has chunks', () => {
  const megabyte = 1024 * 1024;
  expect(workerCount(null, 8)).toBe(8);
  expect(workerCount(1000 * megabyte, 8)).toBe(8);
  expect(workerCount(9 * megabyte, 8)).toBe(3);
  expect(workerCount(0, 8)).toBe(1);
});
