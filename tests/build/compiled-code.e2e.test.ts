import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CLI } from '../support/server.ts';

const TELL = fileURLToPath(new URL('../support/tell-compiled.cjs', import.meta.url));

test('a run compiles none of its large scripts: V8 takes what the build kept', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-compiled-'));
  try {
    const [input, log] = [path.join(folder, 'in.csv'), path.join(folder, 'log.txt')];
    writeFileSync(input, 'a,b\n1,2\n3,4\n');
    const args = ['run', input, '--sql', 'SELECT sum(a) AS total FROM input', '--quiet'];
    const env = { ...process.env, NODE_OPTIONS: `--require ${TELL}`, COMPILED_LOG: log };
    const done = spawnSync(process.execPath, [CLI, ...args], { env, encoding: 'utf8' });
    expect(done).toMatchObject({ status: 0, stdout: 'total\n4\n' });
    const scripts = readFileSync(log, 'utf8').trim().split('\n');
    for (const name of ['base', 'run', 'master', 'ingest-thread'])
      expect(scripts).toContain(`${name} taken`);
    // The command and the worker have the same name.
    expect(scripts.filter((script) => script === 'main taken')).toHaveLength(2);
    expect(scripts.filter((script) => script.endsWith('compiled'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
