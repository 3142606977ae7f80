import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as documents from '../../pipeline/protocol/job.ts';
import { openConnection, openEdge, temporaryFolder, type Edge } from '../support/http-edge.ts';

let edge: Edge;
beforeEach(() => {
  edge = openEdge();
});
afterEach(() => edge.app.close());

describe('problems', () => {
  it('name each field that is not valid', async () => {
    const response = await edge.app.inject('/api/jobs/x/records?offset=-1&limit=many');
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    const problem = response.json<documents.Problem>();
    expect(Value.Check(documents.Problem, problem)).toBe(true);
    expect(problem).toMatchObject({
      type: '/api/docs#problem-bad-request',
      instance: '/api/jobs/x/records',
    });
    const fields = problem.details['fields'] as { field: string }[];
    expect(fields.map(({ field }) => field)).toEqual(['offset', 'limit']);
  });

  it.each([
    ['GET', '/api/nothing'],
    ['POST', '/api/jobs/x/explode'],
    ['GET', '/internal/other'],
    ['GET', '/nothing'],
  ] as const)('%s %s is 404', async (method, url) => {
    const response = await edge.app.inject({ method, url, headers: { accept: 'text/html' } });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: 'not-found', instance: url });
  });

  it('tell nothing of errors of our own', async () => {
    edge.service.listJobs = () => {
      throw new TypeError('secret path /etc/x');
    };
    const response = await edge.app.inject('/api/jobs');
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code: 'internal', details: {} });
    expect(response.body).not.toContain('secret');
  });

  it.each([
    ['/api/jobs/%ff', 400, 'bad-request'],
    ['/api/jobs?limit=0', 400, 'bad-request'],
  ])('answer %.16s... too', async (url, status, code) => {
    const response = await edge.app.inject(url);
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ status, code });
  });

  it('say that headers are too large', async () => {
    const client = openConnection(await edge.listen());
    client.send(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: ${'a'.repeat(40_000)}\r\n\r\n`);
    await client.hasReceived('too large');
    expect(client.received()).toMatch(/^HTTP\/1.1 431 /);
    client.socket.destroy();
  });

  it('answer what is no HTTP as well', async () => {
    const client = openConnection(await edge.listen());
    client.send('NONSENSE\r\n\r\n');
    await client.hasReceived('"bad-request"');
    expect(client.received()).toMatch(/^HTTP\/1.1 400 /);
    client.socket.destroy();
  });
});

describe('the dashboard', () => {
  const folder = temporaryFolder('dashboard');
  beforeEach(async () => {
    mkdirSync(path.join(folder, 'assets'), { recursive: true });
    writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>Sluice</title>');
    writeFileSync(path.join(folder, 'assets', 'index-4f2a.js'), 'export {};');
    await edge.app.close();
    edge = openEdge({ dashboardFolder: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is served at / and at its own addresses, fresh each time', async () => {
    for (const url of ['/', '/jobs/some-id', '/workers']) {
      const response = await edge.app.inject({ url, headers: { accept: 'text/html,*/*' } });
      expect(response.statusCode).toBe(200);
      expect(response.body).toContain('<title>Sluice');
      expect(response.headers['cache-control']).toBe('no-cache');
      expect(response.headers['content-security-policy']).toContain("script-src 'self';");
    }
  });

  it('has assets that are cached for ever, and 404 for those that are gone', async () => {
    const asset = await edge.app.inject('/assets/index-4f2a.js');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toContain('javascript');
    const gone = await edge.app.inject({ url: '/assets/x.js', headers: { accept: 'text/html' } });
    expect(gone.statusCode).toBe(404);
  });

  it('has no page of a name that no file can have', async () => {
    const response = await edge.app.inject(`/api/jobs/${'a'.repeat(5000)}`);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: 'not-found' });
  });

  it('does not stand in for the API', async () => {
    for (const url of ['/api/nothing', '/internal/blobs']) {
      const response = await edge.app.inject({ url, headers: { accept: 'text/html' } });
      expect(response.statusCode).toBe(404);
    }
    expect((await edge.app.inject('/jobs/some-id')).statusCode).toBe(404);
    const outside = await edge.app.inject('/..%2F..%2Fetc%2Fpasswd');
    expect(outside.statusCode).toBeGreaterThanOrEqual(400);
  });
});
