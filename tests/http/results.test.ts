import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachment } from '../../master/http/content-disposition.ts';
import { parseByteRange } from '../../master/http/byte-range.ts';
import { openConnection, openEdge, until, type Edge } from '../support/http-edge.ts';

let edge: Edge;
beforeEach(() => {
  edge = openEdge();
});
afterEach(async () => {
  await edge.app.close();
  expect(edge.service.openStreams).toBe(0);
});

const RESULT = '0123456789';

function completeJob(name = 'x.csv'): string {
  const { job } = edge.service.add({ name });
  edge.service.finish(job.id, Buffer.from(RESULT));
  return `/api/jobs/${job.id}/result`;
}

function runningJob(): { id: string; url: string } {
  const { id } = edge.service.add({ name: 'x.csv' }).job;
  edge.service.append(id, Buffer.from(RESULT));
  return { id, url: `/api/jobs/${id}/result` };
}

it('a failed job has no result, rather than an empty one', async () => {
  const { id } = edge.service.add({ name: 'x.csv' }).job;
  edge.service.finish(id, Buffer.alloc(0), 'failed');
  const response = await edge.app.inject(`/api/jobs/${id}/result`);
  expect(response.statusCode).toBe(409);
  expect(response.json()).toMatchObject({ code: 'conflict' });
  expect(response.headers['content-disposition']).toBeUndefined();
});

describe('ranges of a complete result', () => {
  it.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-30', RESULT, 'bytes 0-9/10'],
    ['bytes=9-99', '9', 'bytes 9-9/10'],
    ['BYTES=0-0', '0', 'bytes 0-0/10'],
  ])('%s is 206', async (range, body, contentRange) => {
    const response = await edge.app.inject({ url: completeJob(), headers: { range } });
    expect(response.statusCode).toBe(206);
    expect(response.body).toBe(body);
    expect(response.headers['content-range']).toBe(contentRange);
    expect(response.headers['content-length']).toBe(String(body.length));
  });

  it.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('%s is 416', async (range) => {
    const response = await edge.app.inject({ url: completeJob(), headers: { range } });
    expect(response.statusCode).toBe(416);
    expect(response.headers['content-range']).toBe('bytes */10');
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.headers['content-disposition']).toBeUndefined();
    expect(response.json()).toMatchObject({ code: 'range-not-satisfiable' });
  });

  it.each(['bytes=5-3', 'bytes=a-b', 'records=0-1', 'bytes=-', 'bytes=0-1,3-4', ''])(
    '"%s" is ignored',
    async (range) => {
      const response = await edge.app.inject({ url: completeJob(), headers: { range } });
      expect(response.statusCode).toBe(200);
      expect(response.body).toBe(RESULT);
      expect(response.headers['content-range']).toBeUndefined();
    },
  );

  it('If-Range gives the part only of the same result', async () => {
    const url = completeJob();
    const etag = '"etag-job-1"';
    const get = (ifRange: string) =>
      edge.app.inject({ url, headers: { range: 'bytes=8-', 'if-range': ifRange } });
    expect((await get(etag)).statusCode).toBe(206);
    expect((await get(`W/${etag}`)).body).toBe(RESULT);
    expect((await get('"other"')).body).toBe(RESULT);
    expect((await get('Wed, 21 Oct 2026 07:28:00 GMT')).statusCode).toBe(200);
  });

  it('If-None-Match answers 304 without a body', async () => {
    const headers = { 'if-none-match': 'W/"x", "etag-job-1"' };
    const response = await edge.app.inject({ url: completeJob(), headers });
    expect(response.statusCode).toBe(304);
    expect(response.body).toBe('');
  });

  it('HEAD tells size and type, and opens no stream', async () => {
    const response = await edge.app.inject({ method: 'HEAD', url: completeJob() });
    expect(response.headers).toMatchObject({
      'content-length': '10',
      'content-type': 'text/csv; charset=utf-8',
      'accept-ranges': 'bytes',
      etag: '"etag-job-1"',
      'x-sluice-complete': 'true',
    });
    expect(response.body).toBe('');
  });

  it('an empty result is 200, and no range of it exists', async () => {
    const { id } = edge.service.add({}).job;
    edge.service.finish(id);
    const url = `/api/jobs/${id}/result`;
    const whole = await edge.app.inject(url);
    expect(whole.statusCode).toBe(200);
    expect(whole.headers['content-length']).toBe('0');
    const part = await edge.app.inject({ url, headers: { range: 'bytes=0-' } });
    expect(part.statusCode).toBe(416);
  });

  it('?format= of another kind says what is available', async () => {
    const url = completeJob();
    expect((await edge.app.inject(`${url}?format=csv`)).body).toBe(RESULT);
    const response = await edge.app.inject(`${url}?format=parquet`);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ details: { available: ['csv'] } });
  });

  it('agrees with slicing for every range', () => {
    for (let start = 0; start < 12; start++) {
      for (let last = start; last < 12; last++) {
        const range = parseByteRange(`bytes=${start}-${last}`, RESULT.length);
        if (start >= RESULT.length) expect(range.kind).toBe('unsatisfiable');
        else if (range.kind !== 'part') throw new Error(`${start}-${last} is no part`);
        else {
          const expected = RESULT.slice(start, last + 1);
          expect(RESULT.slice(range.start, range.end)).toBe(expected);
        }
      }
    }
  });
});

describe('a result that grows', () => {
  it('is answered as it stands, with its exact length', async () => {
    const { id, url } = runningJob();
    const first = await edge.app.inject(url);
    expect(first.headers).toMatchObject({ 'content-length': '10', 'x-sluice-complete': 'false' });
    expect(first.headers.etag).toBeUndefined();
    edge.service.append(id, Buffer.from('abc'));
    const rest = await edge.app.inject({ url, headers: { range: 'bytes=10-' } });
    expect(rest.body).toBe('abc');
    expect(rest.headers['content-range']).toBe('bytes 10-12/*');
  });

  it('?follow=1 streams on until the job ends', async () => {
    const { id, url } = runningJob();
    const port = await edge.listen();
    const response = await fetch(`http://127.0.0.1:${port}${url}?follow=1`);
    expect(response.headers.get('content-length')).toBeNull();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const text = async () => Buffer.from((await reader.read()).value ?? []).toString();
    expect(await text()).toBe(RESULT);
    edge.service.append(id, Buffer.from('abc'));
    expect(await text()).toBe('abc');
    edge.service.finish(id, Buffer.from('end'));
    expect(await text()).toBe('end');
    expect((await reader.read()).done).toBe(true);
  });

  it('?follow=1 is let go when the client goes away', async () => {
    const { url } = runningJob();
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(`GET ${url}?follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await client.hasReceived(RESULT);
    client.socket.destroy();
    await until(() => edge.service.followsAborted.length === 1);
    await until(() => edge.service.openStreams === 0);
  });
});

describe('a big download', () => {
  it('is read only as fast as the client takes it, and let go when the client goes away', async () => {
    const { id } = edge.service.add({}).job;
    edge.service.finish(id, Buffer.alloc(64 * 1024 * 1024, 'x'));
    const port = await edge.listen();
    const client = openConnection(port);
    client.send(`GET /api/jobs/${id}/result HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await client.hasReceived('xxx');
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(edge.service.openStreams).toBe(1);
    client.socket.destroy();
    await until(() => edge.service.openStreams === 0);
  });
});

describe('attachment', () => {
  it.each([
    ['x.csv', 'attachment; filename="x.csv"'],
    ['a"b.csv', `attachment; filename="a_b.csv"; filename*=UTF-8''a%22b.csv`],
    ['é.csv', `attachment; filename="_.csv"; filename*=UTF-8''%C3%A9.csv`],
    ["a'(b)*.csv", `attachment; filename="a'(b)*.csv"`],
    ['a\r\nX: y', `attachment; filename="a__X: y"; filename*=UTF-8''a%0D%0AX%3A%20y`],
    ['\ud800.csv', `attachment; filename="_.csv"; filename*=UTF-8''%EF%BF%BD.csv`],
  ])('%j', (name, header) => {
    expect(attachment(name)).toBe(header);
  });
});
