import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/** `npm run simulate -- --seeds N --from S`: more runs than `npm test`, or one of them again. */
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
const test = ['run', '--project', 'sim', 'tests/simulation/exactly-once'];
const { status } = spawnSync('vitest', test, {
  stdio: 'inherit',
  env: { ...process.env, SIM_SEEDS: values.seeds, SIM_FROM: values.from },
});
process.exit(status ?? 1);
