import { io } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROUTE_ACCESS, type Role } from '../../master/http/access.ts';
import { openEdge, WORKER_TOKEN, type Edge } from '../support/http-edge.ts';

const TOKENS = [
  { token: 'viewer-secret', role: 'viewer' },
  { token: 'operator-secret', role: 'operator' },
  { token: 'admin-secret', role: 'admin' },
] as const;

const BEARERS: Readonly<Record<string, string | undefined>> = {
  none: undefined,
  wrong: 'Bearer viewer-secretx',
  basic: 'Basic dmlld2VyLXNlY3JldA==',
  viewer: 'Bearer viewer-secret',
  operator: 'bearer operator-secret',
  admin: 'Bearer admin-secret',
  worker: `Bearer ${WORKER_TOKEN}`,
};

/** Who passes where a role is required. */
const PASSES: Readonly<Record<Role | 'open', readonly string[]>> = {
  open: Object.keys(BEARERS),
  viewer: ['viewer', 'operator', 'admin'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  worker: ['worker'],
};

let edge: Edge;
afterEach(() => edge.app.close());

describe('with tokens', () => {
  beforeEach(() => {
    edge = openEdge({ tokens: TOKENS });
  });

  it.each(Object.entries(ROUTE_ACCESS))('%s needs the role %s', async (route, role) => {
    const [method, pattern] = route.split(' ') as ['GET', string];
    const url = pattern.replace(':id', 'job-1').replace(':filename', 'x.csv').replace('*', 'a/b');
    for (const [who, authorization] of Object.entries(BEARERS)) {
      const { statusCode } = await edge.app.inject({
        method,
        url,
        headers: {
          host: 'sluice.example',
          ...(authorization === undefined ? {} : { authorization }),
        },
      });
      const known = !['none', 'wrong', 'basic'].includes(who);
      if (PASSES[role].includes(who))
        expect([401, 403], `${who} at ${route}`).not.toContain(statusCode);
      else expect(statusCode, `${who} at ${route}`).toBe(known ? 403 : 401);
    }
  });

  it('asks for a token in the way of RFC 6750', async () => {
    const response = await edge.app.inject('/api/jobs');
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.json()).toMatchObject({ code: 'unauthorized' });
  });

  it('pages and the API document are open', async () => {
    expect((await edge.app.inject('/api/docs/json')).statusCode).toBe(200);
  });

  it('refuses an upload before it reads a byte of it', async () => {
    const response = await edge.app.inject({
      method: 'POST',
      url: '/api/jobs',
      headers: { 'content-type': 'text/csv', authorization: 'Bearer viewer-secret' },
      payload: 'a\n',
    });
    expect(response.statusCode).toBe(403);
    expect(edge.service.stored.size).toBe(0);
  });

  it.each([
    ['auth.token', { auth: { token: 'viewer-secret' } }, null],
    ['a header', { extraHeaders: { authorization: 'Bearer viewer-secret' } }, null],
    ['no token', {}, 'unauthorized'],
    ['a wrong token', { auth: { token: 'wrong' } }, 'unauthorized'],
    ['a worker token', { auth: { token: WORKER_TOKEN } }, 'forbidden'],
  ])('the socket with %s', async (_what, options, refusal) => {
    const port = await edge.listen();
    const socket = io(`http://127.0.0.1:${port}/jobs`, { ...options, reconnection: false });
    const outcome = await new Promise<string | null>((resolve) => {
      socket.on('connect', () => resolve(null));
      socket.on('connect_error', (error) =>
        resolve((error as Error & { data?: { code: string } }).data?.code ?? error.message),
      );
    });
    socket.disconnect();
    expect(outcome).toBe(refusal);
  });
});

describe('without tokens', () => {
  beforeEach(() => {
    edge = openEdge({ rateLimitPerMinute: 3, hosts: ['box.local'], origins: ['http://dev:5173'] });
  });

  const get = (headers: Record<string, string>, remoteAddress = '127.0.0.1', url = '/api/jobs') =>
    edge.app.inject({ url, headers, remoteAddress });
  const post = (headers: Record<string, string>) =>
    edge.app.inject({ method: 'POST', url: '/api/plans/check', headers, payload: 'version: 1' });

  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])('%s may', async (address) => {
    expect((await get({}, address)).statusCode).toBe(200);
  });

  it.each(['10.0.0.9', '::ffff:10.0.0.9', 'fe80::1', '1127.0.0.1'])(
    '%s may not',
    async (address) => {
      expect((await get({}, address)).statusCode).toBe(401);
    },
  );

  it('a worker opens only /internal, and only with its token', async () => {
    const authorization = BEARERS['worker'] as string;
    const url = '/internal/blobs/a/b';
    expect((await get({}, '127.0.0.1', url)).statusCode).toBe(403);
    expect((await get({ authorization }, '10.0.0.9', url)).statusCode).toBe(404);
    expect((await get({ authorization })).statusCode).toBe(403);
    expect((await get({ authorization: 'Bearer stale' })).statusCode).toBe(401);
  });

  it.each([
    'localhost',
    'localhost:5001',
    '127.0.0.1:5001',
    '[::1]:5001',
    'a.localhost',
    'BOX.local',
  ])('answers to the host %s', async (host) => {
    expect((await get({ host })).statusCode).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.9',
    'a@localhost',
  ])('does not answer to the host %s', async (host) => {
    const response = await get({ host });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ code: 'forbidden' });
  });

  it.each([
    [{ host: 'localhost:5001', origin: 'http://localhost:5001' }, 200],
    [{ host: 'localhost:80', origin: 'http://localhost' }, 200],
    [{ host: 'localhost:5001', origin: 'http://dev:5173' }, 200],
    [{ host: 'localhost:5001', origin: 'http://localhost:3000' }, 403],
    [{ host: 'localhost:5001', origin: 'http://evil.example' }, 403],
    [{ host: 'localhost:5001', origin: 'null' }, 403],
    [{ host: 'localhost:5001', 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: 'localhost:5001', 'sec-fetch-site': 'same-origin' }, 200],
  ])('a page that posts with %j is answered %i', async (headers, status) => {
    expect((await post(headers)).statusCode).toBe(status);
  });

  it('sends no CORS header', async () => {
    const response = await get({ origin: 'http://evil.example' });
    expect(response.headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['http://evil.example', false],
    ['', true],
  ])('a socket from the origin "%s" is welcome: %s', async (origin, welcome) => {
    const port = await edge.listen();
    for (const transports of [['websocket'], ['polling']]) {
      const extraHeaders = { origin: origin === '' ? `http://127.0.0.1:${port}` : origin };
      const socket = io(`http://127.0.0.1:${port}/jobs`, {
        extraHeaders,
        transports,
        reconnection: false,
      });
      const connected = await new Promise<boolean>((resolve) => {
        socket.on('connect', () => resolve(true));
        socket.on('connect_error', () => resolve(false));
      });
      socket.disconnect();
      expect(connected).toBe(welcome);
    }
  });

  it('limits the rate of others, never of loopback', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await get({}, '10.0.0.9')).statusCode);
    expect(statuses).toEqual([401, 401, 401, 429]);
    const limited = await get({}, '10.0.0.9');
    expect(limited.json()).toMatchObject({ code: 'rate-limited', status: 429 });
    expect(limited.headers['retry-after']).toMatch(/^\d+$/);
    for (let i = 0; i < 6; i++) expect((await get({})).statusCode).toBe(200);
  });
});

it('a route without a role cannot be registered', () => {
  edge = openEdge();
  expect(() => edge.app.get('/api/secret', async () => 'x')).toThrow('has no role');
});
