import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface BenchServer {
  readonly url: string;
  /** Of the master. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** A server of its own with an empty data folder; resolves when it is ready. */
export async function startServer(
  workers: number,
  broker: string | null = null,
): Promise<BenchServer> {
  const cli = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sluice-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ['serve', '--port', String(port), '--data', dataDir, '--workers', String(workers)];
  if (broker !== null) args.push('--broker', broker);
  const server = spawn(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 600; tries++) {
    if (server.exitCode !== null) break;
    const ready = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return { url, pid: server.pid ?? -1, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error('the server was not ready within 30 s');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
