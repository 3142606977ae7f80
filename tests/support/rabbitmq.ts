import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
/** A busy machine needs a minute for what takes five seconds otherwise. */
const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 20_000;

/** A RabbitMQ node of one's own: own name, ports and folder, gone after `stop`. */
export interface RabbitMq {
  /** With credentials; addresses the default virtual host. */
  readonly url: string;
  /** Whether `kill` and `restart` work: not on a broker that somebody else provided. */
  readonly owned: boolean;
  /** SIGKILL, as a power cut would. */
  kill(): Promise<void>;
  /** Starts the node again on the same folder and ports; resolves when it answers. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RabbitMqSkipped {
  readonly skipped: string;
}

/**
 * A private node from the Debian package (installed when we may), else the broker that
 * SLUICE_TEST_AMQP_URL names, else the reason why there is none.
 */
export async function startRabbitMq(): Promise<RabbitMq | RabbitMqSkipped> {
  const missing = whyNotInstalled();
  if (missing === null) return await PrivateNode.start();
  const url = process.env['SLUICE_TEST_AMQP_URL'];
  if (url === undefined) return { skipped: missing };
  try {
    await waitUntilAnswering(url, 5_000);
  } catch {
    return { skipped: 'the broker of SLUICE_TEST_AMQP_URL does not answer' };
  }
  const refuse = async (): Promise<void> => {
    throw new Error('the broker of SLUICE_TEST_AMQP_URL is not ours to kill');
  };
  return { url, owned: false, kill: refuse, restart: refuse, stop: async () => {} };
}

/**
 * Nodes that form one cluster: quorum queues have a copy on each. A client of a node that is gone
 * has to turn to another one.
 */
export async function startRabbitMqCluster(
  count: number,
): Promise<readonly RabbitMq[] | RabbitMqSkipped> {
  const missing = whyNotInstalled();
  if (missing !== null) return { skipped: missing };
  return await PrivateNode.startCluster(count);
}

/** Null when the Debian package is here, after an attempt to install it. */
function whyNotInstalled(): string | null {
  if (existsSync(SERVER)) return runnable();
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return 'RabbitMQ is not installed (Debian package rabbitmq-server), and only root can install it';
  }
  return withServiceKeptFromStarting(() => {
    const installed = spawnSync(
      'apt-get',
      ['install', '-y', '--no-install-recommends', 'rabbitmq-server'],
      { stdio: 'ignore', timeout: 300_000, env: installEnvironment() },
    );
    if (installed.status === 0 && existsSync(SERVER)) return runnable();
    return 'RabbitMQ is not installed, and apt-get install rabbitmq-server failed';
  });
}

function installEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
}

function runnable(): string | null {
  const erlang = spawnSync('erl', ['-version'], { stdio: 'ignore', timeout: 20_000 });
  return erlang.status === 0 ? null : 'RabbitMQ is installed, but Erlang does not run';
}

/** Debian asks /usr/sbin/policy-rc.d before it starts a service; 101 forbids it. */
function withServiceKeptFromStarting<T>(install: () => T): T {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policy, { force: true });
  }
}

class PrivateNode implements RabbitMq {
  readonly owned = true;
  readonly url: string;
  readonly #dir: string;
  readonly #environment: NodeJS.ProcessEnv;
  /** Erlang's name server, on a port of our own: the machine's shared one is left alone. */
  readonly #names: ChildProcess;
  readonly #onExit = (): void => {
    this.#names.kill('SIGKILL');
    if (this.#server?.pid !== undefined) signalQuietly(-this.#server.pid, 'SIGKILL');
  };
  #server: ChildProcess | null = null;
  #output = '';

  private constructor(dir: string, ports: readonly number[], cluster: Cluster | null = null) {
    const [port = 0, distributionPort = 0, namesPort = 0] = ports;
    this.#dir = dir;
    this.url = `amqp://guest:guest@127.0.0.1:${port}`;
    mkdirSync(path.join(dir, 'home'));
    if (cluster !== null) {
      writeFileSync(path.join(dir, 'home', '.erlang.cookie'), cluster.cookie, { mode: 0o400 });
    }
    writeFileSync(path.join(dir, 'enabled_plugins'), '[].\n');
    writeFileSync(path.join(dir, 'rabbitmq.conf'), configuration(cluster?.ports ?? []));
    this.#environment = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: path.join(dir, 'home'),
      RABBITMQ_NODENAME: nodeName(port),
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_MNESIA_BASE: path.join(dir, 'data'),
      RABBITMQ_LOG_BASE: path.join(dir, 'log'),
      RABBITMQ_CONFIG_FILE: path.join(dir, 'rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: path.join(dir, 'none'),
      RABBITMQ_ENABLED_PLUGINS_FILE: path.join(dir, 'enabled_plugins'),
      RABBITMQ_PID_FILE: path.join(dir, 'pid'),
      // One scheduler thread: the node shares the machine with the tests.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none +A 8',
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: String(cluster?.namesPort ?? namesPort),
    };
    // One that finds another at its port ends at once.
    this.#names = spawn('epmd', [], { env: this.#environment, stdio: 'ignore', detached: true });
    killWithUs(this.#names);
    process.once('exit', this.#onExit);
  }

  static async start(): Promise<RabbitMq> {
    const dir = await mkdtemp(path.join(tmpdir(), 'sluice-rabbitmq-'));
    const node = new PrivateNode(dir, await freePorts(3));
    try {
      await node.restart();
    } catch (thrown) {
      await node.stop();
      throw thrown;
    }
    return node;
  }

  static async startCluster(count: number): Promise<PrivateNode[]> {
    const [namesPort = 0, ...rest] = await freePorts(1 + 2 * count);
    const ports = rest.slice(0, count);
    const cluster: Cluster = { ports, namesPort, cookie: randomBytes(12).toString('hex') };
    const nodes: PrivateNode[] = [];
    try {
      for (const [index, port] of ports.entries()) {
        const dir = await mkdtemp(path.join(tmpdir(), 'sluice-rabbitmq-'));
        nodes.push(new PrivateNode(dir, [port, rest[count + index] ?? 0], cluster));
      }
      // The first finds nobody, and is the cluster; the others find and join it.
      await nodes[0]?.restart();
      await Promise.all(nodes.slice(1).map((node) => node.restart()));
      return nodes;
    } catch (thrown) {
      await Promise.all(nodes.map((node) => node.stop()));
      throw thrown;
    }
  }

  async restart(): Promise<void> {
    if (this.#server !== null) throw new Error('the node is running');
    this.#output = '';
    const server = spawn(SERVER, [], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#server = server;
    killWithUs(server);
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (text: Buffer) => {
        this.#output = (this.#output + text.toString()).slice(-4_000);
      });
    }
    try {
      await waitUntilAnswering(this.url, READY_WITHIN_MS, () => server.exitCode !== null);
    } catch (thrown) {
      throw new Error(`RabbitMQ did not start: ${this.#output}`, { cause: thrown });
    }
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    this.#names.kill();
    process.off('exit', this.#onExit);
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** Signals the whole process group: the start script, the virtual machine and its ports. */
  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server?.pid === undefined) return;
    const ended = new Promise<void>((resolve) => {
      if (server.exitCode !== null || server.signalCode !== null) resolve();
      else server.once('exit', () => resolve());
    });
    const erlangPid = this.#erlangPid();
    signalQuietly(signal === 'SIGTERM' ? (erlangPid ?? -server.pid) : -server.pid, signal);
    const timer = setTimeout(() => signalQuietly(-(server.pid ?? 0), 'SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
    while (erlangPid !== null && isAlive(erlangPid)) await sleep(20);
  }

  /** The virtual machine's process, which need not be the one we started. */
  #erlangPid(): number | null {
    try {
      const pid = Number(readFileSync(path.join(this.#dir, 'pid'), 'utf8').trim());
      return Number.isInteger(pid) && pid > 1 ? pid : null;
    } catch {
      return null;
    }
  }
}

/** What the nodes of a cluster share. */
interface Cluster {
  /** Of the nodes, for AMQP. */
  readonly ports: readonly number[];
  /** Of Erlang's name server, which they share. */
  readonly namesPort: number;
  readonly cookie: string;
}

function nodeName(port: number): string {
  return `sluice-test-${port}@localhost`;
}

function configuration(peers: readonly number[]): string {
  const discovery = 'cluster_formation.peer_discovery_backend = classic_config';
  const nodes = peers.map(
    (port, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${nodeName(port)}`,
  );
  return [
    ...(peers.length === 0 ? [] : [discovery, ...nodes]),
    'cluster_formation.discovery_retry_limit = 2',
    'loopback_users.guest = true',
    'disk_free_limit.absolute = 50MB',
    'log.file.level = warning',
    'log.console = false',
    '',
  ].join('\n');
}

/** Ends the child's process group when this process is gone, even when it was killed. */
function killWithUs(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const script =
    `process.stdin.resume().on('end', () => { try { ` +
    `process.kill(-${child.pid}, 'SIGKILL'); } catch {} })`;
  const guard = spawn(process.execPath, ['-e', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  child.once('exit', () => guard.kill());
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function waitUntilAnswering(
  url: string,
  withinMs: number,
  gaveUp: () => boolean = () => false,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      const connection = await connect(url, { timeout: 5_000 });
      await connection.close();
      return;
    } catch (thrown) {
      if (gaveUp() || Date.now() > deadline) throw thrown;
    }
    await sleep(200);
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
