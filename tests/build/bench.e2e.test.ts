import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const BENCH = path.join(import.meta.dirname, '..', '..', 'dist', 'bench', 'main.js');

test('the bench measures a run, an upload and a peer, and compares their answers', () => {
  const only = ['--only', 'sluice run,sluice upload,csv-parse', '--task', 'filter', '--no-broker'];
  const size = ['--data', 'people', '--megabytes', '1', '--repeat', '1'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, ...only, ...size], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const verdicts = stdout
    .split('\n')
    .map((line) => /^people +filter +(.*?) {2}.* (\S+)$/.exec(line));
  const found = verdicts.flatMap((match) => (match === null ? [] : [[match[1], match[2]]]));
  expect(found).toEqual([
    ['sluice run', 'same'],
    ['sluice upload', 'same'],
    ['csv-parse', 'same'],
  ]);
});

test.each([
  ['--data', 'taxis', 'taxi, people, wide'],
  ['--task', 'filter,cuont', 'count, filter'],
  ['--only', 'duckdb', 'DuckDB'],
])('the bench tells what %s can be instead of %s', (flag, name, wanted) => {
  const { status, stderr } = spawnSync(process.execPath, [BENCH, flag, name], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain(wanted);
});
