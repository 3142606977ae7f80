import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { eventually } from '../support/jobs.ts';
import { CLI } from '../support/server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-interrupt-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

it('sluice run that is interrupted leaves nothing behind', async () => {
  const args = ['run', '-', '-o', path.join(folder, 'out.csv'), '--workers', '1'];
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, TMPDIR: folder },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.stdin.on('error', () => undefined);
  child.stdin.write('a,b\n1,2\n');
  // The input goes on; the work has begun.
  await eventually(() => expect(readdirSync(folder)).not.toEqual([]));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(readdirSync(folder)).toEqual([]);
});
