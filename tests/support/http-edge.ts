import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HTTP_DEFAULTS, type HttpConfig } from '../../master/http/http-config.ts';
import { buildServer } from '../../master/http/server.ts';
import { FakeMasterService } from './fake-master-service.ts';

export type Edge = ReturnType<typeof openEdge>;

export const WORKER_TOKEN = 'worker-token-of-tests';

/** The HTTP edge over a fake master; `inject` works at once, `listen` opens a free port. */
export function openEdge(config: Partial<HttpConfig> = {}) {
  const service = new FakeMasterService();
  const app = buildServer({
    service,
    config: { ...HTTP_DEFAULTS, workerToken: WORKER_TOKEN, ...config },
  });
  return {
    service,
    app,
    async listen(): Promise<number> {
      await app.listen({ port: 0, host: '127.0.0.1' });
      return (app.server.address() as net.AddressInfo).port;
    },
  };
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(path.join(tmpdir(), `sluice-${name}-`));
}

/** A raw HTTP/1.1 exchange: what a client sees byte by byte. */
export function openConnection(port: number) {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  let ended = false;
  let error: Error | null = null;
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('end', () => (ended = true));
  socket.on('close', () => (ended = true));
  socket.on('error', (thrown) => (error = thrown));
  return {
    socket,
    send: (part: string | Buffer) => socket.write(part),
    received: () => text,
    ended: () => ended,
    error: () => error,
    hasReceived: (part: string) => until(() => text.includes(part), `to receive ${part}`),
  };
}

/** Resolves when the condition holds; fails after a time that no loaded machine needs. */
export async function until(condition: () => boolean, what = 'a condition'): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface FormPart {
  readonly name: string;
  readonly value: string | Buffer;
  /** Given: a file part. */
  readonly filename?: string;
  readonly type?: string;
}

export const BOUNDARY = 'test-boundary-7c1';
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** Body of a form; `open` leaves out the closing boundary. */
export function formBody(parts: readonly FormPart[], open = false): Buffer {
  const pieces = parts.flatMap(({ name, value, filename, type }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`;
    const disposition = `Content-Disposition: form-data; name="${name}"${file}\r\n`;
    const head = `--${BOUNDARY}\r\n${disposition}${contentType}\r\n`;
    return [Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')];
  });
  return Buffer.concat([...pieces, Buffer.from(open ? '' : `--${BOUNDARY}--\r\n`)]);
}
