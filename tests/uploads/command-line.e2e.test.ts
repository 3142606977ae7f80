import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { JobPage } from '../../pipeline/protocol/index.ts';
import { cuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { generateFile } from '../support/generate.ts';
import { eventually, getJson } from '../support/jobs.ts';
import { CLI, freePort, startServer, type TestServer } from '../support/server.ts';
import { sha256OfRun } from '../support/sluice.ts';

/** `sluice run --server` over a network that is cut, and a server that is killed. */

let folder = '';
let file = '';
let wanted = '';
let server: TestServer;
let proxy: CuttingProxy;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-cli-uploads-'));
  file = path.join(folder, 'people.csv');
  await generateFile(file, { bytes: 40_000_000, seed: 33, malformedEvery: 1500 });
  wanted = await sha256OfRun(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const start = async (): Promise<TestServer> =>
  startServer({ workers: 1, dataDir: path.join(folder, 'data'), port });
let port = 0;
beforeEach(async () => {
  port = await freePort();
  server = await start();
  proxy = await cuttingProxy(server);
});
afterEach(async () => {
  await proxy.close();
  await server.stop();
  await rm(path.join(folder, 'data'), { recursive: true, force: true });
});

it.each(['file', 'stdin'] as const)(
  'a %s goes on when the network is cut and when the server is killed',
  async (kind) => {
    const output = path.join(folder, `${kind}.csv`);
    const source = kind === 'file' ? file : '-';
    const child = spawn(process.execPath, [
      ...[CLI, 'run', source, '--server', proxy.url, '-o', output],
    ]);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    if (kind === 'stdin') createReadStream(file).pipe(child.stdin);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    let restarted: Promise<void> = Promise.resolve();
    const steps = [
      { at: 10_000_000, pass: () => proxy.cut() },
      {
        at: 25_000_000,
        pass: () => {
          restarted = server.kill().then(async () => {
            server = await start();
          });
        },
      },
    ];
    proxy.onBytes = (bytes) => {
      if (bytes > (steps[0]?.at ?? Infinity)) steps.shift()?.pass();
    };
    expect([await ended, stderr]).toEqual([0, expect.stringContaining('going on at')]);
    await restarted;
    expect(steps).toEqual([]);
    expect(stderr).toContain('the connection is lost, trying again');
    const sha256 = createHash('sha256')
      .update(await readFile(output))
      .digest('hex');
    expect(sha256).toBe(wanted);
    const { jobs } = await getJson<JobPage>(server, '/api/jobs');
    expect(jobs).toHaveLength(1);
  },
);

it('an upload that is interrupted leaves no job waiting', async () => {
  const child = spawn(process.execPath, [CLI, 'run', '-', '--server', server.url]);
  child.stdin.on('error', () => undefined);
  child.stdin.write('a,b\n1,2\n');
  await eventually(async () => {
    const page = await getJson<JobPage>(server, '/api/jobs');
    expect(page).toMatchObject({ jobs: [{ status: 'receiving' }] });
  });
  child.kill('SIGINT');
  await new Promise((resolve) => child.once('close', resolve));
  expect(await getJson<JobPage>(server, '/api/jobs')).toMatchObject({
    jobs: [{ status: 'cancelled' }],
  });
});
