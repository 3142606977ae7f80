import { parse as parseCsv } from 'csv-parse/sync';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../pipeline/limits.ts';
import * as documents from '../../pipeline/protocol/index.ts';
import { openEdge, WORKER_TOKEN, type Edge } from '../support/http-edge.ts';

let edge: Edge;
beforeEach(() => {
  edge = openEdge();
});
afterEach(() => edge.app.close());

const post = (url: string) => edge.app.inject({ method: 'POST', url });

describe('jobs', () => {
  it('lists by status, name and cursor', async () => {
    for (const name of ['one.csv', 'two.csv', 'three.csv']) edge.service.add({ name });
    edge.service.add({ name: 'one done.csv', status: 'completed' });
    const page = await edge.app.inject('/api/jobs?limit=2');
    expect(Value.Check(documents.JobPage, page.json())).toBe(true);
    expect(page.json()).toMatchObject({ jobs: [{}, {}], nextCursor: '2' });
    const rest = await edge.app.inject('/api/jobs?limit=2&cursor=2');
    expect(rest.json()).toMatchObject({ nextCursor: null });
    const found = await edge.app.inject('/api/jobs?status=completed&q=one');
    expect(found.json()).toMatchObject({ jobs: [{ name: 'one done.csv' }] });
    expect(found.json<{ jobs: unknown[] }>().jobs).toHaveLength(1);
  });

  it('are read, steered and deleted', async () => {
    const { id } = edge.service.add({}).job;
    expect(Value.Check(documents.Job, (await edge.app.inject(`/api/jobs/${id}`)).json())).toBe(
      true,
    );
    for (const [action, status] of [
      ['pause', 'paused'],
      ['resume', 'processing'],
      ['cancel', 'cancelled'],
      ['retry', 'processing'],
    ]) {
      expect((await post(`/api/jobs/${id}/${action}`)).json()).toMatchObject({ id, status });
    }
    edge.service.finish(id);
    expect((await post(`/api/jobs/${id}/cancel`)).json()).toMatchObject({ code: 'conflict' });
    const deleted = await edge.app.inject({ method: 'DELETE', url: `/api/jobs/${id}` });
    expect(deleted.statusCode).toBe(204);
    expect((await edge.app.inject(`/api/jobs/${id}`)).statusCode).toBe(404);
  });

  it('actions ignore a body, empty or not', async () => {
    const { id } = edge.service.add({}).job;
    for (const payload of ['', '{}', 'not json']) {
      const response = await edge.app.inject({
        method: 'POST',
        url: `/api/jobs/${id}/pause`,
        headers: { 'content-type': 'application/json' },
        payload,
      });
      expect(response.statusCode).toBe(200);
    }
  });

  it('give records, chunks, profile and manifest as the documents say', async () => {
    const { id } = edge.service.add({}).job;
    edge.service.finish(id, Buffer.from('a\nb\nc\n'));
    const get = async (part: string) => (await edge.app.inject(`/api/jobs/${id}/${part}`)).json();
    const records: unknown = await get('records?offset=1&limit=1');
    expect(records).toMatchObject({ records: [['b']], offset: 1, available: 3, complete: true });
    expect(Value.Check(documents.RecordPage, records)).toBe(true);
    const chunks: unknown = await get('chunks?limit=3');
    expect(chunks).toMatchObject({ chunks: [{}, {}, {}], nextCursor: '3' });
    expect(await get('chunks?limit=3&cursor=3')).toMatchObject({ nextCursor: null });
    expect(Value.Check(documents.ChunkPage, chunks)).toBe(true);
    expect(Value.Check(documents.Profile, await get('profile'))).toBe(true);
    expect(Value.Check(documents.Manifest, await get('manifest'))).toBe(true);
  });
});

describe('rejects', () => {
  const reject = (record: number, raw: string): documents.Reject => ({
    record,
    line: record + 1,
    byteOffset: record * 10,
    column: null,
    columnName: null,
    step: 2,
    code: 'missing-cell',
    message: 'one field, "two" wanted',
    raw,
    rawEncoding: 'utf-8',
    chunk: 0,
    wave: 0,
    derived: false,
  });

  it('come by page', async () => {
    const entry = edge.service.add({});
    entry.rejects = [reject(1, 'a'), reject(2, 'b'), reject(3, 'c')];
    const page = await edge.app.inject(`/api/jobs/${entry.job.id}/rejects?offset=1&limit=1`);
    expect(page.json()).toMatchObject({ rejects: [{ record: 2 }], available: 3 });
    expect(Value.Check(documents.RejectPage, page.json())).toBe(true);
  });

  it('come whole as CSV and NDJSON, page after page', async () => {
    const entry = edge.service.add({ name: 'é.csv' });
    const count = 2 * LIMITS.pageRecordsMax + 7;
    entry.rejects = Array.from({ length: count }, (_, index) => reject(index, `a,"b\n${index}`));
    const url = `/api/jobs/${entry.job.id}/rejects`;
    const csv = await edge.app.inject(`${url}?format=csv`);
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(csv.headers['content-disposition']).toContain("UTF-8''%C3%A9.csv.rejects.csv");
    const records = parseCsv(csv.body, { columns: true });
    expect(records).toHaveLength(count);
    expect(records.at(-1)).toMatchObject({ raw: `a,"b\n${count - 1}`, column: '' });
    const lines = (await edge.app.inject(`${url}?format=ndjson`)).body.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(entry.rejects);
  });
});

describe('sniff and plan check', () => {
  const sniff = (url: string, payload: Buffer | string) =>
    edge.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/octet-stream' },
      payload,
    });

  it('is told what Content-Encoding says', async () => {
    const headers = { 'content-type': 'text/csv', 'content-encoding': 'br' };
    await edge.app.inject({ method: 'POST', url: '/api/sniff', headers, payload: 'packed' });
    expect(edge.service.sniffed).toMatchObject([{ compressionHint: 'brotli' }]);
  });

  it('looks at the sample, and knows whether it is the whole file', async () => {
    const response = await sniff('/api/sniff?complete=1&plan=read:%20{}', 'a,b\n');
    expect(Value.Check(documents.SniffAnswer, response.json())).toBe(true);
    await sniff('/api/sniff?complete=true', 'a');
    await sniff('/api/sniff', 'a');
    expect(edge.service.sniffed).toMatchObject([
      { complete: true, plan: 'read: {}' },
      { complete: true, plan: null },
      { complete: false, plan: null },
    ]);
    expect((await sniff('/api/sniff', '')).json()).toMatchObject({ code: 'empty-input' });
  });

  it('reads no more than its bound and answers while the rest comes', async () => {
    const bytes = Buffer.alloc(LIMITS.sniffBytesMax + 500_000, 'x');
    const response = await sniff('/api/sniff?complete=1', bytes);
    expect(response.statusCode).toBe(200);
    expect(edge.service.sniffed[0]?.sample.length).toBe(LIMITS.sniffBytesMax);
    expect(edge.service.sniffed[0]?.complete).toBe(false);
  });

  const check = async (type: string, payload: string) => {
    const response = await edge.app.inject({
      method: 'POST',
      url: '/api/plans/check',
      headers: { 'content-type': type },
      payload,
    });
    expect(response.statusCode).toBe(200);
    expect(Value.Check(documents.PlanCheckAnswer, response.json())).toBe(true);
    return response.json<documents.PlanCheckAnswer>();
  };

  it.each([
    ['text/yaml', 'version: 1\nsteps:\n  - select: [a]\n'],
    ['text/plain', 'version: 1\nsteps:\n  - select: [a]\n'],
    ['application/json', '{"version":1,"steps":[{"select":["a"]}]}'],
    ['application/json', '{"plan":{"version":1,"steps":[{"select":["a"]}]}}'],
    ['application/json', '{"plan":"version: 1\\nsteps:\\n  - select: [a]\\n"}'],
  ])('compiles a plan sent as %s: %s', async (type, payload) => {
    const answer = await check(type, payload);
    expect(answer).toEqual({
      valid: true,
      issues: [],
      steps: [
        { kind: 'select', scope: 'record', text: 'a', wave: null, lastWave: null, columns: null },
      ],
      waves: null,
      outputColumns: null,
      lookups: [],
    });
  });

  it('checks a statement against columns, and says what each step leaves', async () => {
    const columns = [
      { name: 'a', type: 'integer' },
      { name: 'b', type: 'string' },
    ];
    const plan = { sql: 'SELECT b, a / 2 AS half FROM input WHERE a > 1 LIMIT 5' };
    const answer = await check('application/json', JSON.stringify({ plan, columns }));
    const left = [
      { name: 'b', type: 'string' },
      { name: 'half', type: 'number' },
    ];
    expect(answer).toMatchObject({ valid: true, outputColumns: left, waves: 2 });
    expect(answer.steps).toEqual([
      { kind: 'filter', scope: 'record', text: 'a > 1', wave: 1, lastWave: 1, columns },
      {
        kind: 'project',
        scope: 'record',
        text: 'b, half = a / 2',
        wave: 1,
        lastWave: 1,
        columns: left,
      },
      { kind: 'limit', scope: 'global', text: '5', wave: 1, lastWave: 2, columns: left },
    ]);
    const wrong = { sql: 'SELECT upper(a) FROM input' };
    const refused = await check('application/json', JSON.stringify({ plan: wrong, columns }));
    expect(refused).toMatchObject({ valid: false, issues: [{ path: '/sql', offset: 7 }] });
  });

  it('gives the place of what is wrong', async () => {
    const answer = await check('text/yaml', 'version: 1\nsteps:\n  - selct: [a]\n');
    expect(answer.valid).toBe(false);
    expect(answer.issues[0]?.line).toBe(3);
  });
});

describe('health', () => {
  it('is alive, and ready or not', async () => {
    expect((await edge.app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await edge.app.inject('/readyz')).json()).toEqual({ status: 'ready' });
    edge.service.missing = 'the broker cannot be reached';
    const response = await edge.app.inject('/readyz');
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({
      code: 'broker-unavailable',
      detail: 'the broker cannot be reached',
    });
    expect((await edge.app.inject('/healthz')).statusCode).toBe(200);
  });

  it('metrics are read from the master at each scrape', async () => {
    edge.service.add({ bytesReceived: 5 });
    const scrape = async () => (await edge.app.inject('/metrics')).body;
    expect(await scrape()).toContain('sluice_received_bytes_total 5\n');
    edge.service.add({ bytesReceived: 7 });
    const text = await scrape();
    expect(text).toContain('sluice_received_bytes_total 12\n');
    expect(text).toContain('sluice_queue_connected{kind="in-process"} 1\n');
    expect(text).toContain('sluice_workers{state="idle"} 0\n');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('workers are listed', async () => {
    const response = await edge.app.inject('/api/workers');
    expect(Value.Check(documents.WorkerList, response.json())).toBe(true);
  });
});

describe('internal blobs', () => {
  const authorization = `Bearer ${WORKER_TOKEN}`;
  const put = (name: string, payload: Buffer | string, more = {}) =>
    edge.app.inject({
      method: 'PUT',
      url: `/internal/blobs/${name}`,
      headers: { authorization, 'content-type': 'application/octet-stream', ...more },
      payload,
    });
  const get = (name: string, headers = {}, method: 'GET' | 'HEAD' = 'GET') =>
    edge.app.inject({
      method,
      url: `/internal/blobs/${name}`,
      headers: { authorization, ...headers },
    });

  it('are stored once and read whole or in part', async () => {
    expect((await get('results/abc')).statusCode).toBe(404);
    expect((await get('results/abc', {}, 'HEAD')).statusCode).toBe(404);
    expect((await put('results/abc', 'payload')).statusCode).toBe(201);
    expect((await put('results/abc', 'other')).statusCode).toBe(204);
    const again = await put('results/abc', 'other', { 'if-none-match': '*' });
    expect(again.statusCode).toBe(412);
    expect((await get('results/abc')).body).toBe('payload');
    expect((await get('results/abc', {}, 'HEAD')).statusCode).toBe(200);
    const part = await get('results/abc', { range: 'bytes=3-4' });
    expect(part.statusCode).toBe(206);
    expect(part.body).toBe('lo');
    expect((await get('results/abc', { range: 'bytes=99-' })).statusCode).toBe(416);
  });

  it.each(['..', 'a/..%2F..%2Fetc', '%2Fetc%2Fpasswd', 'a/b/c/d', 'a%00', ''])(
    'refuses the name "%s"',
    async (name) => {
      expect((await get(name)).statusCode).toBeGreaterThanOrEqual(400);
      expect((await put(name, 'x')).statusCode).toBeGreaterThanOrEqual(400);
      expect(edge.service.blobContents.size).toBe(0);
    },
  );

  it('refuses what is too large', async () => {
    const response = await put('results/big', Buffer.alloc(160 * 1024 * 1024 + 1));
    expect(response.json()).toMatchObject({ status: 413, code: 'limit-exceeded' });
    expect(edge.service.blobContents.size).toBe(0);
  });
});
