import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ChunkPage } from '../../pipeline/protocol/index.ts';
import { startTcpProxy, type TcpProxy } from '../chaos/tcp-proxy.ts';
import { generateFile } from '../support/generate.ts';
import { download, ended, eventually, expectAccount, getJson } from '../support/jobs.ts';
import { paced, send, workersOf } from '../support/jobs.ts';
import { describeWith } from '../support/needs.ts';
import { createNetHost, type NetHost } from '../support/net-host.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { sha256OfRun } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const TOKEN = 'a-worker-token-for-hosts';
/** Longer than a worker may be silent before it counts as gone. */
const CUT_OFF_MS = 12_000;

const hosts = [createNetHost(), createNetHost()].filter((host) => host !== null);
const started = hosts.length === 2 ? await startRabbitMq() : { skipped: '' };
const noHosts = 'network namespaces need Linux, root and iproute2';
const need = {
  met: !('skipped' in started),
  otherwise: hosts.length < 2 ? noHosts : 'skipped' in started ? started.skipped : '',
};
afterAll(() => {
  for (const host of hosts) host.remove();
});

describeWith(need, 'workers on hosts of their own', () => {
  const broker = 'skipped' in started ? null : started;
  const workers: WorkerProcess[] = [];
  const proxies: TcpProxy[] = [];
  let folder = '';
  let file = '';
  let server: TestServer;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-hosts-'));
    file = path.join(folder, 'people.csv');
    await generateFile(file, { bytes: 60_000_000, seed: 21, malformedEvery: 2000 });
    server = await startServer({
      ...{ workers: 0, broker: broker?.url ?? '' },
      env: { SLUICE_WORKER_TOKEN: TOKEN },
    });
    for (const [index, host] of hosts.entries()) workers.push(await startOn(host, index));
    await eventually(async () => expect(await workersOf(server)).toHaveLength(2));
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    await server?.stop();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A worker that knows two addresses, at the end of a cable. */
  async function startOn(host: NetHost, index: number): Promise<WorkerProcess> {
    const ports = [Number(new URL(broker?.url ?? '').port), server.port];
    const at = await Promise.all(ports.map((port) => startTcpProxy([port], host.gateway)));
    proxies.push(...at);
    const [brokerAt, masterAt] = at;
    return startWorkerProcess({
      ...{ name: `host-${index}`, prefix: host.exec },
      env: { SLUICE_WORKER_TOKEN: TOKEN },
      storage: ['--master', `http://${host.gateway}:${masterAt?.port ?? 0}`],
      broker: `amqp://guest:guest@${host.gateway}:${brokerAt?.port ?? 0}`,
    });
  }

  test('one is cut off in the middle and joined again, and nothing is lost', async () => {
    const [north] = hosts;
    const gates = [{ at: 0.3, pass: async () => north?.connect(false) }];
    const answer = await send(server, paced(file, gates), { name: 'people.csv' });
    if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
    await sleep(CUT_OFF_MS);
    north?.connect(true);
    const job = await ended(server, answer.job.id);
    expect(job).toMatchObject({ status: 'completed', error: null });
    await expectAccount(server, job);
    expect((await download(server, job.id)).sha256).toBe(await sha256OfRun(file));
    const { chunks } = await getJson<ChunkPage>(server, `/api/jobs/${job.id}/chunks?limit=1000`);
    expect(chunks.map(({ worker }) => worker)).toContain('host-1');
  });

  test('the one that was cut off works again', async () => {
    await workers[1]?.end('SIGTERM');
    const plan = '{"version": 1, "read": {"nullstr": ["", "~"]}}';
    const answer = await send(server, paced(file, []), { name: 'again.csv', plan });
    if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
    const job = await ended(server, answer.job.id);
    expect(job).toMatchObject({ status: 'completed', error: null });
    const { chunks } = await getJson<ChunkPage>(server, `/api/jobs/${job.id}/chunks?limit=1000`);
    expect(new Set(chunks.map(({ worker }) => worker))).toEqual(new Set(['host-0']));
  });
});
