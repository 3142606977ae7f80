import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import S3rver from 's3rver';

/** What happens to the next request that it is asked for: once each, in order. */
export type S3Fault = 'unavailable' | 'no-answer' | 'cut-body';

export interface S3TestServer {
  readonly endpoint: string;
  readonly bucket: string;
  /** Of the environment that a process needs to use it. */
  readonly env: Readonly<Record<string, string>>;
  /** Faults of the requests to come; those that do not fit are passed over. */
  readonly faults: S3Fault[];
  close(): Promise<void>;
}

const BUCKET = 'sluice-test';

/** A real S3 server of this process, behind a proxy that fails when it is told to. */
export async function startS3(): Promise<S3TestServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-s3-'));
  const server = new S3rver({
    ...{ port: 0, address: '127.0.0.1', silent: true, directory },
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port } = (await server.run()) as AddressInfo;
  const faults: S3Fault[] = [];
  const proxy = createServer((incoming, outgoing) => forward(port, faults, incoming, outgoing));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    endpoint,
    bucket: BUCKET,
    faults,
    env: {
      SLUICE_S3_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
    },
    close: async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function forward(
  port: number,
  faults: S3Fault[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const fault = faults[0] === 'cut-body' && incoming.method !== 'GET' ? undefined : faults.shift();
  if (fault === 'unavailable') {
    incoming.resume();
    outgoing.writeHead(503, { 'content-type': 'application/xml' });
    outgoing.end('<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>');
    return;
  }
  if (fault === 'no-answer') {
    incoming.socket.destroy();
    return;
  }
  const { method, url, headers } = incoming;
  const upstream = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    if (fault !== 'cut-body') {
      answer.pipe(outgoing);
      return;
    }
    answer.once('data', (piece: Buffer) => {
      outgoing.write(piece.subarray(0, Math.floor(piece.length / 2)), () => {
        incoming.socket.destroy();
      });
    });
  });
  upstream.on('error', () => incoming.socket.destroy());
  incoming.pipe(upstream);
}
