import { expect, it } from 'vitest';
import { describeTotals, runSeeds } from './run-seeds.ts';

const SEEDS = 2_000;

it(`keeps every promise over ${SEEDS} seeds`, { timeout: 0 }, async () => {
  const totals = await runSeeds(1, SEEDS);
  process.stdout.write(`${describeTotals(totals)}\n`);
  expect(totals.failures.join('\n')).toBe('');
  expect(totals.ended['completed'] ?? 0).toBeGreaterThan(0);
  expect(totals.collected).toBeGreaterThan(0);
});
