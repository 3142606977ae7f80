import { expect, it } from 'vitest';
import { runSeed } from './run-seed.ts';
import type { RunReport } from './run-seed.ts';

const seedCount = Number(process.env['SIM_SEEDS'] ?? 2_000);
const firstSeed = Number(process.env['SIM_FROM'] ?? 1);
/** Every so many seeds one is run twice. */
const TWICE_EVERY = 25;

it(`keeps every promise over ${seedCount} seeds from ${firstSeed}`, { timeout: 0 }, async () => {
  const ended: Record<string, number> = {};
  let steps = 0;
  let collected = 0;
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const report = await runSeed(seed);
    expect(report.violation, describeFailure(report)).toBeNull();
    if (seed % TWICE_EVERY === 0) {
      const again = await runSeed(seed);
      expect(again.traceHash, `seed ${seed} runs the same again`).toBe(report.traceHash);
      expect(again.steps).toBe(report.steps);
    }
    steps += report.steps;
    collected += report.collected;
    for (const status of report.statuses) ended[status] = (ended[status] ?? 0) + 1;
  }
  const statuses = Object.entries(ended).map(([status, count]) => `${count} ${status}`);
  process.stdout.write(`${seedCount} seeds, ${steps} steps; jobs: ${statuses.join(', ')}; `);
  process.stdout.write(`${collected} blobs were garbage\n`);
  expect(ended['completed'] ?? 0).toBeGreaterThan(0);
});

function describeFailure({ seed, violation, trace }: RunReport): string {
  if (violation === null) return '';
  return (
    `seed ${seed}: ${violation}\n` +
    `again: npm run simulate -- --seeds 1 --from ${seed}\n` +
    trace.slice(-60).join('\n')
  );
}
