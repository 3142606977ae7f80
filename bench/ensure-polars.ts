import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * Installs Polars for the bench alone: its binary is for one platform, and an engine that it asks
 * for would have npm leave it out. False, with a word, where it cannot be had.
 */
export function ensurePolars(): boolean {
  const folder = path.join(import.meta.dirname, '..', '..', 'bench', 'polars');
  if (existsSync(path.join(folder, 'node_modules', 'nodejs-polars-linux-x64-gnu'))) return true;
  // `npm ci` asks for the binaries of all platforms in the lock file, which npm leaves out of it.
  const install = ['install', '--no-save', '--no-audit', '--no-fund'];
  const done = spawnSync('npm', install, { cwd: folder });
  if (done.status === 0) return true;
  console.error(`without Polars: npm install in bench/polars: ${String(done.stderr).trim()}`);
  return false;
}
