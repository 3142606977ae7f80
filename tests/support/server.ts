import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
/** The built command line; `npm test` builds it first. */
export const CLI = path.join(root, 'dist', 'cli', 'main.js');

export interface ServerOptions {
  /** Worker processes; 2 when left out. */
  readonly workers?: number;
  /** amqp:// URL; the in-process queue when left out. */
  readonly broker?: string;
  /** Kept by the caller, for instance across a restart; else a throwaway folder. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Further environment, such as SLUICE_TOKENS. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** What it has written to stdout and stderr. */
  output(): string;
  /** SIGTERM, then waits for the end; gives the exit code. Removes a throwaway data folder. */
  stop(): Promise<number | null>;
  /** SIGKILL of the master alone. The data folder stays. */
  kill(): Promise<void>;
}

const READY_MS = 60_000;
const STOP_MS = 30_000;

/** Starts `sluice serve` as a user would, and waits until it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: run npm run build first`);
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'sluice-test-')));
  const port = options.port ?? (await freePort());
  const args = ['serve', '--port', String(port), '--data', dataDir];
  args.push('--workers', String(options.workers ?? 2));
  if (options.broker !== undefined) args.push('--broker', options.broker);
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'test', ...options.env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitUntilReady(child, url, () => output);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    url,
    port,
    dataDir,
    pid: child.pid ?? 0,
    output: () => output,
    stop: async () => {
      const code = await end(child, 'SIGTERM');
      if (options.dataDir === undefined) {
        await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      }
      return code;
    },
    kill: async () => {
      await end(child, 'SIGKILL');
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function waitUntilReady(
  child: ChildProcess,
  url: string,
  output: () => string,
): Promise<void> {
  const untilMs = Date.now() + READY_MS;
  while (Date.now() < untilMs) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server ended before it was ready:\n${output()}`);
    }
    const ready = await fetch(`${url}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server was not ready within ${READY_MS} ms:\n${output()}`);
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}
