// The property tests with so many times their usual cases, each run with fresh seeds:
//   npm run fuzz -- [--times 20] [FILE ...]
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const times = Number(values.times);
if (!(times > 0)) {
  console.error('--times takes a number above 0');
  process.exit(2);
}
const vitest = 'node_modules/vitest/vitest.mjs';
const args = [vitest, 'run', '--project', 'property', ...positionals];
const child = spawn(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, SLUICE_FUZZ: String(times) },
});
child.on('exit', (code) => process.exit(code ?? 1));
