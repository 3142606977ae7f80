import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest, Profile, Reject } from '../../pipeline/protocol/index.ts';
import { generateFile, type GeneratedFile } from '../support/generate.ts';
import { CLI, freePort, startServer, type TestServer } from '../support/server.ts';
import { sluice } from '../support/sluice.ts';

let folder = '';
let input = '';
let generated: GeneratedFile;
let expected: string[][];
const inFolder = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-cli-'));
  input = inFolder('people.csv');
  generated = await generateFile(input, { bytes: 3_000_000, seed: 7, malformedEvery: 1000 });
  const all: string[][] = parse(await readFile(input), { relax_column_count: true });
  expected = all.filter((record) => record.length === all[0]?.length);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recordsOf = (csv: Buffer): string[][] => parse(csv);

describe('sluice run', () => {
  it('gives the records that csv-parse reads, and accounts for all others', async () => {
    const [out, rejects] = [inFolder('out.csv'), inFolder('rejects.ndjson')];
    const [profile, manifest] = [inFolder('profile.json'), inFolder('manifest.json')];
    const result = await sluice([
      ...['run', input, '-o', out, '--rejects', rejects],
      ...['--profile', profile, '--manifest', manifest],
    ]);
    expect(result.stderr).toContain(`${generated.malformed} rejected`);
    expect(result.code).toBe(0);
    expect(recordsOf(await readFile(out))).toEqual(expected);
    const lines = (await readFile(rejects, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(generated.malformed);
    expect((JSON.parse(lines[0] ?? '') as Reject).record).toBe(1000);
    const account = JSON.parse(await readFile(manifest, 'utf8')) as Manifest;
    expect(account.balanced).toBe(true);
    expect(account.totals.recordsIn).toBe(generated.records);
    const found = JSON.parse(await readFile(profile, 'utf8')) as Profile;
    expect(found.records).toBe(expected.length - 1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('refuses before it begins what could not be written in the end', async () => {
    const nowhere = path.join(folder, 'no-such-folder', 'out');
    for (const flag of ['-o', '--rejects', '--profile', '--manifest']) {
      const { code, stdout, stderr } = await sluice(['run', input, flag, nowhere]);
      expect([code, stdout.length]).toEqual([2, 0]);
      expect(stderr).toContain(`there is no folder ${path.dirname(nowhere)}`);
      expect(stderr).not.toContain('    at ');
    }
    const unwritable = await sluice(['run', input, '--data', '/proc/nope']);
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toContain('the data folder /proc/nope cannot be written');
    expect((await sluice(['run', input, '--workers', '0'])).code).toBe(2);
  });

  it('writes through a link and into a pipe, and refuses a folder before it begins', async () => {
    const [target, link, pipe] = [inFolder('target.csv'), inFolder('link.csv'), inFolder('pipe')];
    await writeFile(target, 'before');
    await symlink(target, link);
    const query = ['run', input, '-q', '--sql', 'select count(*) as n from input', '-o'];
    expect((await sluice([...query, link])).code).toBe(0);
    const text = await readFile(target, 'utf8');
    expect(text).toMatch(/^n\n\d+\n$/);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const [read] = await Promise.all([readFile(pipe, 'utf8'), sluice([...query, pipe])]);
    expect(read).toBe(text);
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect((await sluice([...query, '-'])).stdout.toString()).toBe(text);
    const stdout = await sluice([...query, target, '--rejects', '-']);
    expect(stdout).toMatchObject({ code: 2, stderr: expect.stringContaining('name a file') });
    const refused = await sluice([...query, folder]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: `sluice: ${folder} is a folder: name a file in it\n`,
    });
  });

  it('keeps a profile that somebody can look at, and makes none where nobody can', async () => {
    const [out, data, manifest] = [inFolder('kept.csv'), inFolder('data'), inFolder('m.json')];
    const flags = ['-o', out, '--manifest', manifest];
    await sluice(['run', input, ...flags]);
    const thrownAway = JSON.parse(await readFile(manifest, 'utf8')) as Manifest;
    await sluice(['run', input, ...flags, '--data', data]);
    const kept = JSON.parse(await readFile(manifest, 'utf8')) as Manifest;
    expect(kept.totals).toEqual(thrownAway.totals);
    expect(kept.contextKey).not.toBe(thrownAway.contextKey);
    expect(recordsOf(await readFile(out))).toEqual(expected);
    const profile = inFolder('kept.json');
    const again = await sluice(['run', input, ...flags, '--data', data, '--profile', profile]);
    expect(again.code).toBe(0);
    expect((JSON.parse(await readFile(profile, 'utf8')) as Profile).columns).toHaveLength(6);
  });

  it('reads standard input, and writes the result and nothing else to standard output', async () => {
    const result = await sluice(['run', '-'], await readFile(input));
    expect(result.code).toBe(0);
    expect(recordsOf(result.stdout)).toEqual(expected);
  });

  it('filters and projects by a plan', async () => {
    const plan = inFolder('plan.yaml');
    await writeFile(
      plan,
      `version: 1\nsteps:\n  - filter: "country = 'DE'"\n  - select: [id, name]\n`,
    );
    const result = await sluice(['run', input, '--plan', plan, '--quiet']);
    expect(result.stderr).toBe('');
    const wanted = expected.slice(1).filter((record) => record[2] === 'DE');
    expect(recordsOf(result.stdout).slice(1)).toEqual(wanted.map((record) => record.slice(0, 2)));
  });

  it('ends quietly when the reader of its output goes away', async () => {
    const command = `"${process.execPath}" "${CLI}" run "${input}" --quiet | head -n 1`;
    const child = spawn('bash', ['-o', 'pipefail', '-c', command]);
    let output = '';
    let errors = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(output.trimEnd()).toBe('id,name,country,amount,born,note');
    expect(errors).toBe('');
  });
});

describe('what is wrong', () => {
  it('in a plan is shown in its place, and exits with 2 before any output', async () => {
    const plan = inFolder('wrong.yaml');
    await writeFile(plan, 'version: 1\nsteps:\n  - filtre: "x = 1"\n');
    const out = inFolder('never.csv');
    const result = await sluice(['run', input, '--plan', plan, '-o', out]);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/wrong\.yaml:3:\d+: /);
    expect(result.stderr).toContain('  3 |   - filtre: "x = 1"');
    expect(result.stderr).toMatch(/\n +\| +\^/);
    expect(existsSync(out)).toBe(false);
  });

  it('in the flags exits with 2', async () => {
    expect((await sluice(['run'])).code).toBe(2);
    expect((await sluice(['run', inFolder('absent.csv')])).code).toBe(2);
    expect((await sluice(['serve', '--port', 'many'])).code).toBe(2);
  });

  it('in the input exits with 1 and says what', async () => {
    const empty = inFolder('empty.csv');
    await writeFile(empty, '');
    const result = await sluice(['run', empty]);
    expect(result.code).toBe(1);
    expect(result.stderr).toBe('sluice: the input has no bytes\n');
  });

  it('with too many rejects exits with 3', async () => {
    const plan = inFolder('strict.yaml');
    await writeFile(plan, 'version: 1\nlimits: { max_rejects: 1 }\n');
    const result = await sluice(['run', input, '--plan', plan]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('rejected');
  });
});

describe('sluice sniff and profile', () => {
  it('describe the file', async () => {
    const seen = await sluice(['sniff', input]);
    expect(seen.stdout.toString()).toContain('delimiter   ","');
    expect(seen.stdout.toString()).toContain('amount:number');
    const profiled = await sluice(['profile', input, '--json']);
    const found = JSON.parse(profiled.stdout.toString()) as Profile;
    expect(found.columns.map(({ name }) => name)).toEqual(expected[0]);
  });
});

describe('with a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ workers: 1 });
  });
  afterAll(() => server.stop());

  it('gives the same bytes as without', async () => {
    const remote = await sluice(['run', input, '--server', server.url]);
    const local = await sluice(['run', input]);
    expect(remote.code).toBe(0);
    expect(remote.stdout.equals(local.stdout)).toBe(true);
    const listed = await sluice(['jobs', '--server', server.url]);
    expect(listed.stdout.toString()).toContain('people.csv');
  });

  it('sends the plan with the file', async () => {
    const plan = inFolder('upload-plan.yaml');
    await writeFile(plan, 'version: 1\nsteps:\n  - select: [country]\n');
    const remote = await sluice(['run', input, '--plan', plan, '--server', server.url]);
    expect(remote.code).toBe(0);
    expect(recordsOf(remote.stdout)).toEqual(expected.map((record) => [record[2]]));
  });

  it('says in a paragraph that its port is taken', async () => {
    const result = await sluice(['serve', '--port', String(server.port), '--data', inFolder('d')]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`port ${server.port} is in use`);
  });

  it('says in a paragraph that no server answers', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const result = await sluice(['jobs', '--server', url]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`no Sluice server answers at ${url}`);
  });
});
