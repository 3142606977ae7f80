import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLI } from '../support/server.ts';
import { sluice } from '../support/sluice.ts';

let folder = '';
let sales = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-explain-'));
  sales = path.join(folder, 'sales.csv');
  await writeFile(sales, 'country,amount,day\nDE,1.5,2024-01-01\nFR,2,2024-01-02\n');
  await writeFile(path.join(folder, 'countries.csv'), 'code,label\nDE,Germany\n');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('prints the steps of a statement, their waves, the columns after each, and the output', async () => {
  const sql = 'SELECT country, amount * 2 AS twice FROM input ORDER BY day DESC LIMIT 2';
  const { code, stdout, stderr } = await sluice(['run', sales, '--sql', sql, '--explain']);
  expect(stderr).toBe('');
  expect(stdout.toString().split('\n')).toEqual([
    'input   csv: country string, amount number, day date',
    '',
    'wave 1 of 3',
    '  1 project    record    country, twice = amount * 2, "order by day" = day',
    '                         -> country string, twice number, "order by day" date',
    '  2 sort       global    "order by day" desc (ends in wave 2)',
    '                         -> country string, twice number, "order by day" date',
    '',
    'wave 2 of 3',
    '  3 limit      global    2 (ends in wave 3)',
    '                         -> country string, twice number, "order by day" date',
    '  4 drop       record    "order by day" (done in wave 1)',
    '                         -> country string, twice number',
    '',
    'output  csv: country string, twice number',
    '',
  ]);
  expect(code).toBe(0);
});

it('explains a plan file with its lookups', async () => {
  const plan = path.join(folder, 'plan.yaml');
  await writeFile(plan, 'steps:\n  - join: { with: countries.csv, on: { country: code } }\n');
  const { code, stdout } = await sluice(['run', sales, '--plan', plan, '--explain']);
  expect(code).toBe(0);
  expect(stdout.toString()).toContain('inner with countries.csv on country = code');
  expect(stdout.toString()).toContain(
    'output  csv: country string, amount number, day date, label',
  );
});

it('refuses what is wrong with its place in the statement', async () => {
  const sql = 'SELECT country\nFROM input WHERE amuont > 1';
  for (const more of [[], ['--explain']]) {
    const { code, stderr } = await sluice(['run', sales, '--sql', sql, ...more]);
    expect(code).toBe(2);
    expect(stderr).toContain('--sql:2:18: There is no column "amuont". Did you mean "amount"?');
  }
});

it('reads no more of an input than sniffing takes', () => {
  const endless = `yes 'x,1' | "${process.execPath}" "${CLI}" run - --sql 'FROM input' --explain`;
  const shown = execFileSync('sh', ['-c', endless], { timeout: 60_000 }).toString();
  expect(shown).toContain('no steps: records are written as they are');
});
