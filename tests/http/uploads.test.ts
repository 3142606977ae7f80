import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FORM_TYPE, formBody, openConnection, openEdge, type Edge } from '../support/http-edge.ts';

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

  it.each([
    ['br', 'brotli'],
    [' Deflate', 'deflate'],
    ['gzip', null],
    ['utf-8', null],
  ])('with Content-Encoding %s is a hint of %s', async (coding, hint) => {
    const response = await edge.app.inject({
      method: 'PUT',
      url: '/api/jobs/x.csv',
      headers: { 'content-encoding': coding },
      payload: DATA,
    });
    expect(response.statusCode).toBe(201);
    expect(edge.service.uploads[0]?.request.compressionHint).toBe(hint);
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
      expect(response.statusCode).toBe(500); // What the fake says of resumable uploads.
    }
    expect(edge.service.stored.size).toBe(0);
  });

  it('is data in any case when the URL speaks of the data', async () => {
    const payload = '{"name":"x","plan":"y"}';
    expect((await post(payload, '?format=json')).statusCode).toBe(201);
    expect((await post(payload, '?name=x.json')).statusCode).toBe(201);
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
