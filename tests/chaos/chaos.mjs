import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/** `npm run chaos -- [--megabytes N] [--faults N] [--seed N]`: the long form of the test in `npm test`. */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    faults: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^[1-9][0-9]*$/.test(value)) {
    process.stderr.write(`--${name} takes a number from 1 on, not ${value}\n`);
    process.exit(2);
  }
}
const { status } = spawnSync('vitest', ['run', '--project', 'e2e', 'tests/chaos'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    CHAOS_MEGABYTES: values.megabytes,
    CHAOS_FAULTS: values.faults,
    CHAOS_SEED: values.seed,
  },
});
process.exit(status ?? 1);
