import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * Installs Polars for the bench alone: its binary is for one platform, and an engine that it asks
 * for would have `npm ci` leave it out. False, with a word, where it cannot be had.
 */
export function ensurePolars(): boolean {
  const folder = path.join(import.meta.dirname, '..', '..', 'bench', 'polars');
  if (existsSync(path.join(folder, 'node_modules', 'nodejs-polars-linux-x64-gnu'))) return true;
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder });
  if (done.status === 0) return true;
  console.error(`without Polars: npm ci in bench/polars: ${String(done.stderr).trim()}`);
  return false;
}
