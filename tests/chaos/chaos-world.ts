import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitMq } from '../support/rabbitmq.ts';
import { freePort, startServer, type TestServer } from '../support/server.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const WORKERS = 3;
/** A result that comes when its job is gone is the collector's: a test cannot wait for the usual pause. */
const SWEEPS = { SLUICE_SWEEP: '1s', SLUICE_SWEEP_GRACE: '5s' };
const TOKEN = 'a-worker-token-for-chaos';
const MIB = 1024 * 1024;

/** Something that goes wrong, and is over when `strike` resolves; the job may not be. */
export interface Fault {
  readonly name: string;
  strike(): Promise<void>;
}

/**
 * A master and workers as on machines of their own: each reaches the broker and the master through a
 * network that can be made bad, and the master's folder is a small disk where one can be mounted.
 */
export class ChaosWorld {
  readonly #broker: RabbitMq;
  readonly #brokerNetwork: TcpProxy;
  readonly #masterNetwork: TcpProxy;
  readonly #port: number;
  readonly #disk: string;
  readonly #isMounted: boolean;
  readonly #random: () => number;
  readonly #workers: WorkerProcess[] = [];
  #master: TestServer | null = null;
  #workerCount = 0;

  private constructor(parts: {
    broker: RabbitMq;
    brokerNetwork: TcpProxy;
    masterNetwork: TcpProxy;
    port: number;
    disk: { folder: string; isMounted: boolean };
    random: () => number;
  }) {
    this.#broker = parts.broker;
    this.#brokerNetwork = parts.brokerNetwork;
    this.#masterNetwork = parts.masterNetwork;
    this.#port = parts.port;
    this.#disk = parts.disk.folder;
    this.#isMounted = parts.disk.isMounted;
    this.#random = parts.random;
  }

  /** `diskBytes`: size of the master's disk. */
  static async start(
    broker: RabbitMq,
    diskBytes: number,
    random: () => number,
  ): Promise<ChaosWorld> {
    const port = await freePort();
    const brokerNetwork = await startTcpProxy([Number(new URL(broker.url).port)]);
    const masterNetwork = await startTcpProxy([port]);
    const disk = smallDisk(diskBytes);
    const world = new ChaosWorld({ broker, brokerNetwork, masterNetwork, port, disk, random });
    await world.#startMaster();
    for (let i = 0; i < WORKERS; i++) world.#startWorker();
    return world;
  }

  /** Where clients reach the master. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What can go wrong here. */
  faults(): Fault[] {
    const faults: Fault[] = [
      { name: 'worker killed', strike: () => this.#killWorker() },
      { name: 'worker stopped past its heartbeat', strike: () => this.#stopWorker(12_000) },
      { name: 'master killed and started again', strike: () => this.#killMaster() },
      { name: 'broker killed and started again', strike: () => this.#killBroker() },
      { name: 'connections to the broker cut', strike: async () => this.#brokerNetwork.cut() },
      { name: 'connections to the master cut', strike: async () => this.#masterNetwork.cut() },
      { name: 'broker slow', strike: () => slow(this.#brokerNetwork, 80) },
      { name: 'master slow', strike: () => slow(this.#masterNetwork, 40) },
      { name: 'broker out of reach', strike: () => partition(this.#brokerNetwork) },
      { name: 'master out of reach', strike: () => partition(this.#masterNetwork) },
      { name: 'stored result changed', strike: () => this.#damage('results') },
      { name: 'stored chunk changed', strike: () => this.#damage('chunks') },
    ];
    if (this.#isMounted) faults.push({ name: 'disk full', strike: () => this.#fillDisk() });
    return faults;
  }

  /** Blobs that are on the disk now, by the start of their names. */
  async blobs(room: 'chunks' | 'results' | 'outputs'): Promise<string[]> {
    const folder = path.join(this.#dataDir, 'blobs', room);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name));
  }

  /** What the processes wrote, for a failure's report. */
  output(): string {
    const workers = this.#workers.map((one) => `${one.name}: ${one.output().slice(-2_000)}`);
    return [`master: ${this.#master?.output().slice(-6_000) ?? ''}`, ...workers].join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end('SIGKILL')));
    await this.#master?.stop();
    await this.#brokerNetwork.close();
    await this.#masterNetwork.close();
    if (this.#isMounted) spawnSync('umount', [this.#disk]);
    rmSync(this.#disk, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  get #dataDir(): string {
    return path.join(this.#disk, 'data');
  }

  get #brokerUrl(): string {
    const url = new URL(this.#broker.url);
    url.port = String(this.#brokerNetwork.port);
    return url.href;
  }

  async #startMaster(): Promise<void> {
    this.#master = await startServer({
      ...{ workers: 0, port: this.#port, dataDir: this.#dataDir, broker: this.#brokerUrl },
      env: { SLUICE_WORKER_TOKEN: TOKEN, SLUICE_LOG_LEVEL: 'error', ...SWEEPS },
    });
  }

  #startWorker(): void {
    const worker = startWorkerProcess({
      name: `chaos-${++this.#workerCount}`,
      storage: ['--master', `http://127.0.0.1:${this.#masterNetwork.port}`],
      broker: this.#brokerUrl,
      env: { SLUICE_WORKER_TOKEN: TOKEN },
    });
    this.#workers.push(worker);
  }

  #someWorker(): WorkerProcess {
    const worker = this.#workers[Math.floor(this.#random() * this.#workers.length)];
    if (worker === undefined) throw new Error('there are workers');
    return worker;
  }

  async #killWorker(): Promise<void> {
    const worker = this.#someWorker();
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    await worker.end('SIGKILL');
    this.#startWorker();
  }

  async #stopWorker(ms: number): Promise<void> {
    const { pid } = this.#someWorker();
    process.kill(pid, 'SIGSTOP');
    await sleep(ms);
    process.kill(pid, 'SIGCONT');
  }

  async #killMaster(): Promise<void> {
    await this.#master?.kill();
    await sleep(this.#random() * 500);
    await this.#startMaster();
  }

  async #killBroker(): Promise<void> {
    await this.#broker.kill();
    await sleep(this.#random() * 500);
    await this.#broker.restart();
  }

  async #fillDisk(): Promise<void> {
    const ballast = path.join(this.#disk, 'ballast');
    const { bavail, bsize } = await statfs(this.#disk);
    await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - MIB), 1)).catch(() => null);
    await sleep(1_500);
    await rm(ballast, { force: true });
  }

  /** Flips a bit of a result or of a chunk that may not have been read yet. */
  async #damage(room: 'results' | 'chunks'): Promise<void> {
    const files = await this.blobs(room);
    const file = files[Math.floor(this.#random() * files.length)];
    if (file === undefined) return;
    const handle = await open(file, 'r+').catch(() => null);
    if (handle === null) return;
    const { size } = await handle.stat();
    const at = Math.floor(this.#random() * size);
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.of(byte[0]! ^ 1), 0, 1, at);
    await handle.close();
  }
}

async function slow(network: TcpProxy, delayMs: number): Promise<void> {
  network.delay(delayMs);
  await sleep(2_000);
  network.delay(0);
}

async function partition(network: TcpProxy): Promise<void> {
  network.partition(true);
  await sleep(4_000);
  network.partition(false);
}

/** A folder on a file system of its own where one may be mounted, else just a folder. */
function smallDisk(bytes: number): { folder: string; isMounted: boolean } {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-chaos-'));
  const options = ['-t', 'tmpfs', '-o', `size=${Math.ceil(bytes / MIB)}m`, 'sluice-chaos', folder];
  return { folder, isMounted: spawnSync('mount', options).status === 0 };
}
