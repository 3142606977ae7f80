import { runSeed } from './run-seed.ts';
import type { RunReport } from './run-seed.ts';

/** Every so many seeds one is run twice. */
const TWICE_EVERY = 25;

export interface Totals {
  seeds: number;
  steps: number;
  /** How many jobs ended in which way. */
  readonly ended: Record<string, number>;
  /** Blobs that the garbage collector removed. */
  collected: number;
  /** What to read of runs that broke a promise. */
  readonly failures: string[];
}

/** Runs seed after seed; `onSeed` is told the totals after each. */
export async function runSeeds(
  from: number,
  count: number,
  onSeed: (totals: Totals) => void = () => undefined,
): Promise<Totals> {
  const totals: Totals = { seeds: 0, steps: 0, ended: {}, collected: 0, failures: [] };
  const { ended, failures } = totals;
  // Errors are normal here, and to note where each came from takes longer than to handle it.
  if (count > 1) Error.stackTraceLimit = 0;
  for (let seed = from; seed < from + count; seed++) {
    const report = await runSeed(seed);
    if (report.violation !== null) failures.push(describeFailure(report));
    else if (seed % TWICE_EVERY === 0) {
      const again = await runSeed(seed);
      const isSame = again.traceHash === report.traceHash && again.steps === report.steps;
      if (!isSame) failures.push(`seed ${seed} does not run the same again`);
    }
    totals.seeds += 1;
    totals.steps += report.steps;
    totals.collected += report.collected;
    for (const status of report.statuses) ended[status] = (ended[status] ?? 0) + 1;
    onSeed(totals);
  }
  return totals;
}

export function describeTotals({ seeds, steps, ended, collected }: Totals): string {
  const statuses = Object.entries(ended).map(([status, count]) => `${count} ${status}`);
  return (
    `${seeds} seeds, ${steps} steps; jobs: ${statuses.join(', ')}; ` +
    `${collected} blobs were garbage`
  );
}

function describeFailure({ seed, violation, trace }: RunReport): string {
  return (
    `seed ${seed}: ${violation}\n` +
    `again: npm run simulate -- --seeds 1 --from ${seed}\n` +
    trace.slice(-60).join('\n')
  );
}
