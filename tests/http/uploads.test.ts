import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { displayName } from '../../master/http/display-name.ts';
import {
  BOUNDARY,
  FORM_TYPE,
  formBody,
  openConnection,
  openEdge,
  until,
  type Edge,
} from '../support/http-edge.ts';

let edge: Edge;
beforeEach(() => {
  edge = openEdge();
});
afterEach(async () => {
  await edge.app.close();
  expect(edge.service.listeners.size).toBe(0);
});

const DATA = 'a,b\n1,2\n';

describe('raw upload', () => {
  it('hands over the bytes, name, plan, size and format', async () => {
    const response = await edge.app.inject({
      method: 'POST',
      url: '/api/jobs?name=my.csv&plan=steps:%20[]',
      headers: { 'content-type': 'text/csv', 'idempotency-key': 'k1' },
      payload: DATA,
    });
    expect(response.statusCode).toBe(201);
    const job = response.json<{ id: string; name: string }>();
    expect(response.headers.location).toBe(`/api/jobs/${job.id}`);
    const [upload] = edge.service.uploads;
    expect(upload?.bytes.toString()).toBe(DATA);
    expect(upload?.request).toMatchObject({
      name: 'my.csv',
      plan: 'steps: []',
      bytesTotal: DATA.length,
      formatHint: 'csv',
      idempotencyKey: 'k1',
    });
  });

  it.each([
    ['text/csv; charset=latin1', 'x', 'csv'],
    ['text/tab-separated-values', 'x', 'csv'],
    ['application/x-ndjson', 'x', 'ndjson'],
    ['application/gzip', 'x.json.gz', 'json'],
    ['application/octet-stream', 'x.NDJSON', 'ndjson'],
    ['application/x-www-form-urlencoded', 'x.bin', null],
    ['application/octet-stream', 'constructor', null],
    ['application/octet-stream', 'x.__proto__', null],
  ])('%s named %s is a hint of %s', async (type, name, hint) => {
    const response = await edge.app.inject({
      method: 'POST',
      url: `/api/jobs?name=${name}`,
      headers: { 'content-type': type },
      payload: DATA,
    });
    expect(response.statusCode).toBe(201);
    expect(edge.service.uploads[0]?.request.formatHint).toBe(hint);
    expect(edge.service.uploads[0]?.bytes.toString()).toBe(DATA);
  });

  it.each(['/api/jobs/', '/api/jobs', '/api/jobs/big%20file.csv'])(
    'takes PUT %s without a content type, as curl -T sends it',
    async (url) => {
      const port = await edge.listen();
      const client = openConnection(port);
      client.send(
        `PUT ${url} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: ${DATA.length}\r\n\r\n`,
      );
      client.send(DATA);
      await client.hasReceived('201 Created');
      client.socket.destroy();
      const expected = url.endsWith('.csv') ? 'big file.csv' : 'input.csv';
      expect(edge.service.uploads[0]?.request.name).toBe(expected);
    },
  );

  it('takes the plan from a percent-encoded header', async () => {
    const plan = "steps:\n  - filter: \"name = 'Zoë' AND rate < '10%'\"\n";
    const headers = { 'content-type': 'text/csv', 'x-sluice-plan': encodeURIComponent(plan) };
    await edge.app.inject({ method: 'POST', url: '/api/jobs', headers, payload: DATA });
    expect(edge.service.uploads[0]?.request.plan).toBe(plan);
  });

  it('refuses a header that is not percent-encoded, and two plans', async () => {
    const send = (url: string, plan: string) =>
      edge.app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'text/csv', 'x-sluice-plan': plan },
        payload: DATA,
      });
    expect((await send('/api/jobs', '10%')).json()).toMatchObject({ code: 'bad-request' });
    expect((await send('/api/jobs?plan=a', 'b')).json()).toMatchObject({
      code: 'bad-request',
      detail: 'the plan is given twice',
    });
    expect(edge.service.uploads).toEqual([]);
  });

  it('answers the same Idempotency-Key with the first job', async () => {
    const send = () =>
      edge.app.inject({
        method: 'POST',
        url: '/api/jobs',
        headers: { 'content-type': 'text/csv', 'idempotency-key': 'again' },
        payload: DATA,
      });
    const [first, second] = [await send(), await send()];
    expect(second.statusCode).toBe(201);
    expect(second.json<{ id: string }>().id).toBe(first.json<{ id: string }>().id);
    expect(edge.service.stored.size).toBe(1);
  });

  it('passes on what the master refuses', async () => {
    const headers = { 'content-type': 'text/csv' };
    const empty = await edge.app.inject({ method: 'POST', url: '/api/jobs', headers, payload: '' });
    expect(empty.statusCode).toBe(400);
    expect(empty.json()).toMatchObject({ code: 'empty-input' });
  });

  it('refuses more than the largest upload before a byte is read', async () => {
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(
      `PUT /api/jobs/x.csv HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 2000000000000\r\n\r\n`,
    );
    await client.hasReceived('limit-exceeded');
    client.socket.destroy();
    expect(edge.service.stored.size).toBe(0);
  });
});

describe('application/json', () => {
  const post = (payload: string, query = '') =>
    edge.app.inject({
      method: 'POST',
      url: `/api/jobs${query}`,
      headers: { 'content-type': 'application/json' },
      payload,
    });

  it.each([
    '[{"name":"x","plan":"y"}]',
    '{"name":"x"}',
    '{"name":"x","plan":"y","age":3}',
    '{"name":"x","plan":"y"}\n{"name":"z","plan":"y"}\n',
    '{"name":1,"plan":"y"}',
    `  ${JSON.stringify({ name: 'x', plan: 'y', rest: 'z'.repeat(3_000_000) })}`,
    'not json',
  ])('is data, complete and in order: %.40s', async (payload) => {
    expect((await post(payload)).statusCode).toBe(201);
    expect(edge.service.uploads[0]?.bytes.toString() === payload).toBe(true);
    expect(edge.service.uploads[0]?.request.formatHint).toBe('json');
  });

  it('asks for a resumable upload when it is just name, plan and size', async () => {
    for (const plan of ['', {}]) {
      const response = await post(JSON.stringify({ name: 'x', plan, size: 10 }));
      expect(response.statusCode).toBe(501);
      expect(response.json()).toMatchObject({
        status: 501,
        code: 'plan-unsupported',
        detail: 'resumable upload is not supported yet',
      });
    }
    expect(edge.service.stored.size).toBe(0);
  });

  it('is data in any case when the URL speaks of the data', async () => {
    const payload = '{"name":"x","plan":"y"}';
    expect((await post(payload, '?format=json')).statusCode).toBe(201);
    expect((await post(payload, '?name=x.json')).statusCode).toBe(201);
  });

  it('refuses tus calls by name', async () => {
    const response = await edge.app.inject({ method: 'POST', url: '/api/uploads' });
    expect(response.statusCode).toBe(501);
    expect(response.json()).toMatchObject({ detail: 'resumable upload is not supported yet' });
  });
});

describe('form upload', () => {
  const post = (payload: Buffer) =>
    edge.app.inject({
      method: 'POST',
      url: '/api/jobs',
      headers: { 'content-type': FORM_TYPE },
      payload,
    });
  const plan = { name: 'plan', value: 'steps: []' };
  const file = { name: 'file', filename: 'a.tsv', value: DATA, type: 'text/csv' };

  it('streams the file with plan, name and size', async () => {
    const fields = [plan, { name: 'name', value: 'shown' }, { name: 'size', value: '8' }];
    expect((await post(formBody([...fields, file]))).statusCode).toBe(201);
    expect(edge.service.uploads[0]?.bytes.toString()).toBe(DATA);
    expect(edge.service.uploads[0]?.request).toMatchObject({
      name: 'shown',
      plan: 'steps: []',
      bytesTotal: 8,
      formatHint: 'csv',
    });
  });

  it('needs neither plan nor name', async () => {
    expect((await post(formBody([file]))).statusCode).toBe(201);
    expect(edge.service.uploads[0]?.request).toMatchObject({
      name: 'a.tsv',
      plan: '',
      bytesTotal: null,
    });
  });

  it.each([
    ['a field after the file', [file, plan], 'comes after the file'],
    ['a second file', [plan, file, file], 'second file'],
    ['no file', [plan], 'no file part'],
    ['an unknown field', [{ name: 'paln', value: 'x' }, file], 'unknown field "paln"'],
    ['a field twice', [plan, plan, file], 'given twice'],
    ['a size that is no number', [{ name: 'size', value: '1e3' }, file], 'not a count of bytes'],
    ['a field named __proto__', [{ name: '__proto__', value: 'x' }, file], 'prototype property'],
  ])('refuses %s', async (_what, parts, detail) => {
    const response = await post(formBody(parts));
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
    const problem = response.json<{ code: string; detail: string }>();
    expect(problem.code).toBe('bad-request');
    expect(problem.detail).toContain(detail);
    for (const { job } of edge.service.stored.values()) expect(job.status).toBe('failed');
  });

  it('refuses a plan that is too long', async () => {
    const long = { name: 'plan', value: 'x'.repeat(1024 * 1024 + 1) };
    expect((await post(formBody([long, file]))).json()).toMatchObject({ code: 'limit-exceeded' });
  });

  it('fails the job when the form ends before the file does', async () => {
    const response = await post(formBody([plan, file], true));
    expect(response.json()).toMatchObject({ status: 400, code: 'input-truncated' });
    expect(edge.service.uploads[0]?.failure).toBe('input-truncated');
  });

  it('answers a bad plan though the file is never read', async () => {
    const big = { ...file, value: Buffer.alloc(3_000_000, 'x') };
    const response = await post(formBody([{ name: 'plan', value: 'bad' }, big]));
    expect(response.json()).toMatchObject({ status: 422, code: 'plan-invalid' });
  });
});

describe('a client that hangs up', () => {
  it.each(['raw', 'form'])('aborts the %s upload and leaves a failed job', async (kind) => {
    const port = await edge.listen();
    const client = openConnection(port);
    const type = kind === 'raw' ? 'text/csv' : FORM_TYPE;
    const body =
      kind === 'raw'
        ? Buffer.from(DATA)
        : formBody([{ name: 'file', filename: 'a.csv', value: DATA }], true);
    client.send(
      `POST /api/jobs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${type}\r\n` +
        'Content-Length: 100000\r\n\r\n',
    );
    client.send(body);
    await until(() => [...edge.service.stored.values()].some(({ job }) => job.bytesReceived > 0));
    client.socket.destroy();
    await until(() => edge.service.uploads.length === 1);
    expect(edge.service.uploads[0]).toMatchObject({ failure: 'input-truncated', aborted: true });
    expect(edge.service.getJob('job-1').status).toBe('failed');
  });

  it('is seen when it goes silent instead', async () => {
    await edge.app.close();
    edge = openEdge({ uploadIdleMs: 200 });
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(
      `PUT /api/jobs/a.csv HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 100\r\n\r\nabc`,
    );
    await client.hasReceived('sent nothing for');
    client.socket.destroy();
    expect(edge.service.uploads[0]).toMatchObject({ failure: 'input-truncated', aborted: true });
  });

  it('is waited for while the master is the slow one', async () => {
    await edge.app.close();
    edge = openEdge({ uploadIdleMs: 100 });
    edge.service.onBytes = () => new Promise((resolve) => setTimeout(resolve, 120));
    const port = await edge.listen();
    const bytes = Buffer.alloc(1024 * 1024, 'x');
    const response = await fetch(`http://127.0.0.1:${port}/api/jobs/a.csv`, {
      method: 'PUT',
      body: bytes,
    });
    expect(response.status).toBe(201);
    expect(edge.service.uploads[0]?.bytes.length).toBe(bytes.length);
  });
});

describe('an answer before the body has arrived', () => {
  const head = (port: number, length: number, more = '') =>
    `PUT /api/jobs/x.csv?plan=bad HTTP/1.1\r\nHost: localhost:${port}\r\n${more}` +
    `Content-Length: ${length}\r\n\r\n`;

  it('reaches a client that is still uploading, and then the connection ends in order', async () => {
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(head(port, 4_000_000));
    client.send(Buffer.alloc(1_000_000, 'x'));
    await client.hasReceived('"plan-invalid"');
    expect(client.received()).toMatch(/^HTTP\/1.1 422 /);
    expect(client.received().toLowerCase()).toContain('connection: close');
    client.send(Buffer.alloc(3_000_000, 'x'));
    await until(() => client.ended());
    expect(client.error()).toBeNull();
  });

  it('gives up on a client that never stops sending', async () => {
    await edge.app.close();
    edge = openEdge({ drainBytesMax: 1_000_000 });
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(head(port, 1_000_000_000));
    const timer = setInterval(() => client.send(Buffer.alloc(500_000, 'x')), 5);
    await until(() => client.ended());
    clearInterval(timer);
    expect(client.received()).toContain('plan-invalid');
    client.socket.destroy();
  });

  it('comes instead of 100 Continue', async () => {
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(head(port, 4_000_000, 'Expect: 100-continue\r\n'));
    await until(() => client.ended());
    expect(client.received()).toMatch(/^HTTP\/1.1 422 /);
  });

  it.each(['raw', 'form'])('100 Continue comes when a %s body is wanted', async (kind) => {
    const port = await edge.listen();
    const client = openConnection(port);
    const form = formBody([{ name: 'file', filename: 'a.csv', value: DATA }]);
    const [type, body] = kind === 'raw' ? ['text/csv', DATA] : [FORM_TYPE, form];
    client.send(
      `POST /api/jobs HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: ${type}\r\n` +
        `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await client.hasReceived('HTTP/1.1 100 Continue\r\n\r\n');
    client.send(body);
    await client.hasReceived('HTTP/1.1 201 Created');
    client.socket.destroy();
    expect(edge.service.uploads[0]?.bytes.toString()).toBe(DATA);
  });
});

const NAMES = path.join(import.meta.dirname, '../../../shared/corpus/security/upload_names.json');

describe.skipIf(!existsSync(NAMES))('names of clients (shared/corpus/security)', () => {
  const { names } = existsSync(NAMES)
    ? (JSON.parse(readFileSync(NAMES, 'utf8')) as { names: string[] })
    : { names: [] };

  it.each(names.map((name) => [name]))('%j is shown, escaped and never a path', async (name) => {
    const send = {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      payload: DATA,
    } as const;
    const raw = await edge.app.inject({
      ...send,
      url: `/api/jobs?name=${encodeURIComponent(name)}`,
    });
    expect(raw.statusCode).toBe(201);
    const quoted = name.replace(/["\r\n]/g, '_');
    const form = await edge.app.inject({
      method: 'POST',
      url: '/api/jobs',
      headers: { 'content-type': FORM_TYPE },
      payload: Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"; ` +
          `filename*=UTF-8''${encodeURIComponent(name)}\r\nContent-Type: text/csv\r\n\r\n` +
          `${DATA}\r\n--${BOUNDARY}--\r\n`,
      ),
    });
    expect(form.statusCode).toBe(201);
    for (const { request } of edge.service.uploads) {
      expect(request.name).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069/\\]/u);
      expect(request.name).not.toMatch(/^\.*$/);
      expect([...request.name].length).toBeLessThanOrEqual(255);
    }
    const job = raw.json<{ id: string }>();
    const download = await edge.app.inject(`/api/jobs/${job.id}/result`);
    expect(download.statusCode).toBe(200);
    expect(download.headers['content-disposition']).toMatch(
      /^attachment; filename="[\x20-\x21\x23-\x7e]*"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
    );
  });
});

describe('displayName', () => {
  it('keeps the extension of a long name, whole characters only', () => {
    const name = displayName(`${'😀'.repeat(300)}.csv`, 'input.csv');
    expect([...name]).toHaveLength(255);
    expect(name.endsWith('😀….csv')).toBe(true);
    expect(name).not.toMatch(/\p{Cs}/u);
  });

  it.each([
    [undefined, 'input.csv'],
    ['', 'input.csv'],
    ['..', 'input.csv'],
    ['\u202e\u0000', 'input.csv'],
    ['C:\\fakepath\\x.csv', 'x.csv'],
    ['__proto__', '__proto__'],
  ])('%j is shown as %s', (given, shown) => {
    expect(displayName(given, 'input.csv')).toBe(shown);
  });
});
