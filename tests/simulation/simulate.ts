import { parseArgs } from 'node:util';
import { describeTotals, runSeeds } from './run-seeds.ts';

/** `npm run simulate -- --seeds N --from S`: more runs than `npm test`, or one of them again. */
const PROGRESS_EVERY = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^[1-9][0-9]*$/.test(value)) {
    process.stderr.write(`--${name} takes a number from 1 on, not ${value}\n`);
    process.exit(2);
  }
}
const from = Number(values.from);
let failed = 0;
const totals = await runSeeds(from, Number(values.seeds), (sofar) => {
  for (const failure of sofar.failures.slice(failed)) process.stdout.write(`${failure}\n\n`);
  failed = sofar.failures.length;
  if (sofar.seeds % PROGRESS_EVERY > 0) return;
  const cpuSeconds = Math.round(process.cpuUsage().user / 1e6);
  process.stdout.write(
    `to seed ${from + sofar.seeds - 1}: ${describeTotals(sofar)}; ${failed} failed; ` +
      `${cpuSeconds} s of CPU\n`,
  );
});
process.stdout.write(`${describeTotals(totals)}; ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);
