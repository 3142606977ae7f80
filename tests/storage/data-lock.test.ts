import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockDataDir } from '../../master/storage/data-lock.ts';
import { bundleEntry } from '../support/bundle-entry.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'sluice-lock-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('lets one master into a folder at a time', () => {
  const release = lockDataDir(dir);
  expect(() => lockDataDir(dir)).toThrow(new RegExp(`process ${process.pid} on .*--data DIR`));
  release();
  lockDataDir(dir)();
});

it('does not mind what a master left that had the same process id', () => {
  writeFileSync(path.join(dir, 'master.lock'), `${process.pid}\n`);
  lockDataDir(dir)();
});

it('is held while its master is stopped, and free when it was killed', async () => {
  const entry = path.join(dir, 'entry.ts');
  const module = path.join(import.meta.dirname, '..', '..', 'master', 'storage', 'data-lock.ts');
  writeFileSync(
    entry,
    `import { lockDataDir } from ${JSON.stringify(module)};
     lockDataDir(process.argv[2]!); console.log('locked'); setInterval(() => undefined, 1e6);`,
  );
  const folder = path.join(dir, 'data');
  const bundle = await bundleEntry(entry);
  const child = spawn(process.execPath, [bundle.path, folder]);
  const ended = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    child.kill('SIGSTOP');
    expect(() => lockDataDir(folder)).toThrow(`process ${child.pid} on`);
  } finally {
    child.kill('SIGKILL');
    await ended;
    bundle.remove();
  }
  lockDataDir(folder)();
});
