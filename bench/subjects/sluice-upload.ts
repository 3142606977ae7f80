import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Job, Profile } from '../../pipeline/protocol/index.ts';
import { assignmentFromArguments, planFor, report } from '../assignment.ts';

/** Upload over HTTP to a running server, until the result is downloaded. The start is not counted. */
const assignment = assignmentFromArguments();
const { task, file, output, threads, broker } = assignment;
const cli = path.join(import.meta.dirname, '..', '..', 'cli', 'main.js');
const dataDir = mkdtempSync(path.join(tmpdir(), 'sluice-bench-'));
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const args = ['serve', '--port', String(port), '--data', dataDir, '--workers', String(threads)];
if (broker !== null) args.push('--broker', broker);
const server = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
const ended = new Promise((resolve) => server.once('exit', resolve));
try {
  await waitUntilReady();
  const startedMs = performance.now();
  const id = await upload();
  if (task === 'profile') await writeProfile(id);
  else await download(`/api/jobs/${id}/result?follow=1`, output);
  report({ ms: performance.now() - startedMs });
} finally {
  server.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
}

async function upload(): Promise<string> {
  const query = new URLSearchParams({ name: path.basename(file), plan: planFor(assignment) });
  const answer = await fetch(`${url}/api/jobs?${query.toString()}`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: Readable.toWeb(createReadStream(file, { highWaterMark: 1 << 20 })),
    duplex: 'half',
  });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as Job).id;
}

async function download(from: string, to: string): Promise<void> {
  const answer = await fetch(`${url}${from}`);
  if (!answer.ok || answer.body === null) throw new Error(`${from}: ${answer.status}`);
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(to));
}

async function writeProfile(id: string): Promise<void> {
  for (;;) {
    const profile = (await (await fetch(`${url}/api/jobs/${id}/profile`)).json()) as Profile;
    if (!profile.complete) {
      await pause(20);
      continue;
    }
    const lines = profile.columns.map(({ name, count }) => `${name},${count}\n`);
    writeFileSync(output, `column,records\n${lines.join('')}`);
    return;
  }
}

async function waitUntilReady(): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (server.exitCode !== null) throw new Error('the server ended before it was ready');
    const ready = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    await pause(50);
  }
  throw new Error('the server was not ready within 30 s');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
