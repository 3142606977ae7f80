import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../chaos/tcp-proxy.ts';
import { generateFile } from '../support/generate.ts';
import { download, ended, expectAccount, paced, send } from '../support/jobs.ts';
import { describeWith } from '../support/needs.ts';
import { startRabbitMqCluster } from '../support/rabbitmq.ts';
import { sha256OfRun } from '../support/sluice.ts';
import { startServer, type TestServer } from '../support/server.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const started = await startRabbitMqCluster(3);
const nodes = 'skipped' in started ? [] : started;
const need = { met: nodes.length === 3, otherwise: 'skipped' in started ? started.skipped : '' };

describeWith(need, 'a cluster of three RabbitMQ nodes', () => {
  let folder = '';
  let file = '';
  let balancer: TcpProxy;
  let server: TestServer;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-cluster-'));
    file = path.join(folder, 'people.csv');
    await generateFile(file, { bytes: 40_000_000, seed: 3, malformedEvery: 2000 });
    // As a load balancer before a cluster: the first node that answers.
    balancer = await startTcpProxy(nodes.map(({ url }) => Number(new URL(url).port)));
    const broker = `amqp://guest:guest@127.0.0.1:${balancer.port}`;
    server = await startServer({ workers: 2, broker });
  });
  afterAll(async () => {
    await server?.stop();
    await balancer?.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  test('the node that leads the queues is killed under load, and nothing is lost', async () => {
    const [leader] = nodes;
    // Queues are led by the node at which they were declared: the first, to which all connected.
    const gates = [{ at: 0.5, pass: async () => await leader?.kill() }];
    const answer = await send(server, paced(file, gates), { name: 'people.csv' });
    if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
    const job = await ended(server, answer.job.id);
    expect(job).toMatchObject({ status: 'completed', error: null });
    await expectAccount(server, job);
    expect((await download(server, job.id)).sha256).toBe(await sha256OfRun(file));
  });

  test('the node comes back, and the next job is done', async () => {
    await nodes[0]?.restart();
    const answer = await send(server, paced(file, []), {
      ...{ name: 'again.csv', plan: '{"version": 1, "read": {"nullstr": ["", "~"]}}' },
    });
    if ('problem' in answer) throw new Error(JSON.stringify(answer.problem));
    const job = await ended(server, answer.job.id);
    expect(job).toMatchObject({ status: 'completed', error: null });
    expect(job.chunks.reused).toBe(0);
  });
});
