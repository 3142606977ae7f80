import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
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
