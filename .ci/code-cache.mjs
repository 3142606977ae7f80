// Runs the built command over a small file, so that what it compiles is kept: see start.cjs. Each
// run adds to what those before it kept. Without it everything works, and starts more slowly.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const RECORD = path.join(import.meta.dirname, 'record-code-cache.cjs');

/** What is done most; what is not here is compiled when it is needed. */
const STATEMENTS = [
  'SELECT count(*) AS n FROM input',
  "SELECT id, round(price * 1.19, 2) AS gross FROM input WHERE city = 'Bonn' AND price > 3",
  'SELECT city, count(*) AS n, sum(price) AS total, avg(price) AS mean FROM input GROUP BY city ORDER BY n DESC LIMIT 10',
];

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-build-'));
try {
  const input = path.join(folder, 'input.csv');
  const records = Array.from(
    { length: 5_000 },
    (_, i) => `${i},"${i % 7 ? 'Bonn' : 'Ulm'}",${(i % 900) / 100},2026-01-02 03:04:05\n`,
  );
  writeFileSync(input, `id,city,price,at\n${records.join('')}`);
  for (const statement of STATEMENTS) {
    const output = path.join(folder, 'output.csv');
    const args = ['run', input, '--sql', statement, '--quiet', '--output', output];
    const done = spawnSync(process.execPath, [path.join(root, 'dist/cli/main.js'), ...args], {
      // By the environment, so that the worker processes do the same.
      env: { ...process.env, NODE_OPTIONS: `--require ${JSON.stringify(RECORD)}` },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (done.status !== 0) {
      console.error('sluice: no compiled code is kept, every start will take longer');
      process.exit(1);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
