import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../pipeline/limits.ts';
import type {
  ClientToServer,
  Profile,
  RecordPage,
  ServerToClient,
  Snapshot,
  WatchAnswer,
} from '../../pipeline/protocol/index.ts';
import { openEdge, until, type Edge } from '../support/http-edge.ts';

type Received =
  | { event: 'snapshot' | 'progress' | 'done'; body: Snapshot }
  | { event: 'records'; body: { jobId: string; page: RecordPage } }
  | { event: 'profile'; body: { jobId: string; profile: Profile } };

let edge: Edge;
let port: number;
const clients: Socket<ServerToClient, ClientToServer>[] = [];

beforeEach(async () => {
  edge = openEdge();
  port = await edge.listen();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await edge.app.close();
  expect(edge.service.listeners.size).toBe(0);
});

function connect(transports = ['websocket']) {
  const socket: Socket<ServerToClient, ClientToServer> = io(`http://127.0.0.1:${port}/jobs`, {
    transports,
    forceNew: true,
  });
  clients.push(socket);
  const received: Received[] = [];
  for (const event of ['snapshot', 'progress', 'records', 'profile', 'done'] as const) {
    socket.on(event, (body: unknown) => received.push({ event, body } as Received));
  }
  return {
    socket,
    received,
    of: (event: Received['event']) => received.filter((one) => one.event === event),
    watch: (jobId: string) =>
      new Promise<WatchAnswer>((resolve) => socket.emit('watch', { jobId }, resolve)),
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const lines = (count: number) => Buffer.from('x\n'.repeat(count));
const sequences = (received: readonly Received[]) =>
  received.flatMap((one) => ('sequence' in one.body ? [one.body.sequence] : []));

function runningJob(): string {
  return edge.service.add({ status: 'processing' }).job.id;
}

describe('watching a job', () => {
  it.each([['websocket'], ['polling']])(
    'tells its whole story in order (%s)',
    async (transport) => {
      const id = runningJob();
      const client = connect([transport]);
      expect(await client.watch(id)).toEqual({ ok: true });
      await until(() => client.of('snapshot').length === 1);
      edge.service.append(id, lines(3));
      await until(() => client.of('records').length === 1 && client.of('profile').length === 1);
      edge.service.finish(id, lines(2));
      await until(() => client.of('done').length === 1);
      const kinds = client.received.map(({ event }) => event);
      expect(kinds[0]).toBe('snapshot');
      expect(kinds.at(-1)).toBe('done');
      const numbers = sequences(client.received);
      expect(numbers).toEqual(numbers.map((_, index) => index + (numbers[0] ?? 0)));
      const done = client.of('done')[0]?.body as Snapshot;
      expect(done).toMatchObject({ jobId: id, chunkMap: 'du', job: { status: 'completed' } });
      const page = client.of('records').at(-1)?.body as { page: RecordPage };
      expect(page.page.records).toHaveLength(5);
      const profile = client.of('profile').at(-1)?.body as { profile: Profile };
      expect(profile.profile).toMatchObject({ records: 5, complete: true });
      await pause(400);
      expect(client.of('done')).toHaveLength(1);
    },
  );

  it('of one that is final gives all there is, once', async () => {
    const id = runningJob();
    edge.service.finish(id, lines(2));
    const client = connect();
    await client.watch(id);
    await until(() => client.of('done').length === 1);
    await pause(300);
    expect(client.received.map(({ event }) => event)).toEqual([
      'snapshot',
      'records',
      'profile',
      'done',
    ]);
  });

  it('of an unknown one is refused, and so is nonsense', async () => {
    const client = connect();
    expect(await client.watch('none')).toMatchObject({ ok: false, code: 'not-found' });
    for (const request of [null, 7, {}, { jobId: 7 }, { jobId: 'x'.repeat(65) }]) {
      const answer = await new Promise((resolve) =>
        client.socket.emit('watch', request as never, resolve),
      );
      expect(answer).toMatchObject({ ok: false, code: 'bad-request' });
    }
    client.socket.emit('unwatch', null as never);
    client.socket.emit('watch', { jobId: runningJob() }, 'no function' as never);
    await until(() => client.of('snapshot').length === 1);
    expect(edge.service.listeners.size).toBe(1);
  });

  it('of too many jobs at once is refused', async () => {
    const client = connect();
    for (let i = 0; i < 64; i++) expect((await client.watch(runningJob())).ok).toBe(true);
    expect(await client.watch(runningJob())).toMatchObject({ code: 'limit-exceeded' });
  });

  it('after a retry tells the end again', async () => {
    const id = runningJob();
    edge.service.finish(id, lines(1), 'completed_with_failures');
    const client = connect();
    await client.watch(id);
    await until(() => client.of('done').length === 1);
    edge.service.change(id, { status: 'processing' });
    await until(() => client.of('progress').length > 0);
    edge.service.finish(id);
    await until(() => client.of('done').length === 2);
  });

  it('can be asked for again after a gap', async () => {
    const id = runningJob();
    const client = connect();
    await client.watch(id);
    await client.watch(id);
    await until(() => client.of('snapshot').length === 2);
    client.socket.emit('unwatch', { jobId: id });
    await until(() => edge.service.listeners.size === 0);
  });
});

describe('what was told already', () => {
  it('sends the first page again only until it is full', async () => {
    const id = runningJob();
    const client = connect();
    await client.watch(id);
    for (const count of [10, LIMITS.pageRecordsDefault, 50, 50]) {
      edge.service.append(id, lines(count));
      const { recordsIn } = edge.service.getJob(id);
      await until(() =>
        client.of('progress').some(({ body }) => 'job' in body && body.job.recordsIn === recordsIn),
      );
      await until(() => client.of('records').length >= (recordsIn > 10 ? 2 : 1));
    }
    edge.service.finish(id);
    await until(() => client.of('done').length === 1);
    const lengths = client
      .of('records')
      .map(({ body }) => (body as { page: RecordPage }).page.records.length);
    expect(lengths).toEqual([10, LIMITS.pageRecordsDefault]);
  });

  it('tells the last profile though it came too soon after the one before', async () => {
    const id = runningJob();
    const client = connect();
    await client.watch(id);
    edge.service.append(id, lines(1));
    await until(() => client.of('profile').length === 1);
    edge.service.append(id, lines(1));
    await until(() => client.of('profile').length === 2);
    expect(client.of('profile')[1]?.body).toMatchObject({ profile: { records: 2 } });
  });
});

describe('many watchers', () => {
  it('share what is computed', async () => {
    const id = runningJob();
    edge.service.append(id, lines(1));
    const watchers = Array.from({ length: 8 }, () => connect());
    await Promise.all(watchers.map(({ watch }) => watch(id)));
    await until(() => watchers.every(({ received }) => received.length >= 3));
    await pause(300);
    const before = { ...edge.service.calls };
    edge.service.append(id, lines(1));
    await until(() => watchers.every(({ of }) => of('progress').length === 1));
    await pause(50);
    expect(edge.service.calls.snapshot - before.snapshot).toBeLessThan(watchers.length);
    expect(edge.service.calls.records - before.records).toBeLessThan(watchers.length);
    expect(edge.service.listeners.size).toBe(1);
  });

  it('the last to go ends the listening, however it goes', async () => {
    const id = runningJob();
    const [one, two] = [connect(), connect()];
    await one.watch(id);
    await two.watch(id);
    expect(edge.service.listeners.size).toBe(1);
    one.socket.emit('unwatch', { jobId: id });
    one.socket.emit('unwatch', { jobId: id });
    await one.watch('none'); // Answered after what was sent before it.
    edge.service.append(id, lines(1));
    await until(() => two.of('progress').length === 1);
    expect(one.of('progress')).toEqual([]);
    expect(edge.service.listeners.size).toBe(1);
    two.socket.disconnect();
    await until(() => edge.service.listeners.size === 0);
  });

  it('of a job that is deleted hear no more, and the feed ends', async () => {
    const id = runningJob();
    const client = connect();
    await client.watch(id);
    await edge.service.delete(id);
    for (const listener of edge.service.listeners) listener(id);
    await until(() => edge.service.listeners.size === 0);
  });
});

it('a server that closes lets its watchers go', async () => {
  const client = connect();
  await client.watch(runningJob());
  await edge.app.close();
  await until(() => !client.socket.connected);
});
