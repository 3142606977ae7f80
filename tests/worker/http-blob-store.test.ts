import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { HttpBlobStore } from '../../worker/storage/http-blob-store.ts';

let server: Server | null = null;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

type Answerer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A store whose master answers as the test says; `seen` are method, path and headers of note. */
async function storeWith(
  answer: Answerer,
  retryForMs = 2_000,
  silenceMs = 10_000,
): Promise<{ store: HttpBlobStore; seen: string[] }> {
  const seen: string[] = [];
  server = createServer((request, response) => {
    const { range = '', authorization = '', 'if-none-match': unless = '' } = request.headers;
    seen.push([request.method, request.url, range, authorization, unless].join(' ').trimEnd());
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => answer(request, response, body));
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    store: new HttpBlobStore({
      ...{ url: `http://127.0.0.1:${port}/`, token: 't', retryForMs, silenceMs },
    }),
    seen,
  };
}

const answerWith = (status: number, body = ''): Answerer => {
  return (_request, response) => void response.writeHead(status).end(body);
};

describe('the blob store over HTTP', () => {
  it('puts the parts as one object, only where the name is free', async () => {
    let stored = '';
    const { store, seen } = await storeWith((_request, response, body) => {
      response.writeHead(stored === '' ? 201 : 412).end();
      stored ||= body;
    });
    const parts = [Buffer.from('ab'), Buffer.from(''), Buffer.from('c')];
    expect(await store.put('results/k', parts)).toEqual({ created: true });
    expect(await store.put('results/k', parts)).toEqual({ created: false });
    expect(stored).toBe('abc');
    expect(seen[0]).toBe('PUT /internal/blobs/results/k  Bearer t *');
  });

  it('reads ranges, half-open', async () => {
    const { store, seen } = await storeWith(answerWith(206, 'cd'));
    expect(Buffer.from(await store.getRange('results/k', 2, 4)).toString()).toBe('cd');
    expect(seen[0]).toContain('bytes=2-3');
  });

  it('verifies chunks against their name', async () => {
    const { store } = await storeWith(answerWith(200, 'abc'));
    const key = chunkKey(Buffer.from('abc'));
    expect(Buffer.from(await store.get(`chunks/${key}`)).toString()).toBe('abc');
    await expect(store.get(`chunks/${key.replace(/./g, '0')}`)).rejects.toMatchObject({
      code: 'blob-corrupt',
    });
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'blob-missing'],
    [507, 'disk-full'],
    [400, 'storage-failed'],
  ])('answers status %d with %s, and does not ask again', async (status, code) => {
    const { store, seen } = await storeWith(answerWith(status));
    await expect(store.get('results/k')).rejects.toMatchObject({ code });
    expect(seen).toHaveLength(1);
  });

  it('asks again after a lost connection and after 503', async () => {
    let count = 0;
    const { store } = await storeWith((request, response) => {
      count++;
      if (count === 1) request.socket.destroy();
      else response.writeHead(count === 2 ? 503 : 200).end('abc');
    });
    expect(Buffer.from(await store.get('results/k')).toString()).toBe('abc');
    expect(count).toBe(3);
  });

  it('gives up after its time, naming the master and not the token', async () => {
    const { store } = await storeWith(answerWith(200), 250);
    await new Promise((resolve) => server?.close(resolve));
    const failure = store.has('results/k');
    await expect(failure).rejects.toMatchObject({ code: 'master-unavailable' });
    await expect(failure).rejects.toThrow(/127\.0\.0\.1:\d+ .*ECONNREFUSED/);
    await expect(failure).rejects.not.toThrow(/Bearer/);
  });

  it('takes an object that its master finds damaged for damaged, and does not ask again', async () => {
    const problem = JSON.stringify({ code: 'blob-corrupt', detail: 'does not match' });
    const { store, seen } = await storeWith(answerWith(503, problem));
    await expect(store.get('chunks/k')).rejects.toMatchObject({
      code: 'blob-corrupt',
      details: { name: 'chunks/k' },
    });
    expect(seen).toHaveLength(1);
  });

  it('asks again on another connection when it hears nothing', async () => {
    const sockets = new Set<unknown>();
    const answer: Answerer = (request, response) => {
      sockets.add(request.socket);
      if (sockets.size === 1) return;
      response.writeHead(200);
      response.write('ab');
      // It stops in the middle, and the third attempt has it all.
      if (sockets.size > 2) response.end('c');
    };
    const { store } = await storeWith(answer, 20_000, 200);
    expect(Buffer.from(await store.get('results/k')).toString()).toBe('abc');
    expect(sockets.size).toBe(3);
  });

  it('reads on as long as something comes', async () => {
    const answer: Answerer = (_request, response) => {
      response.writeHead(200);
      const send = (left: number): void => {
        response.write('x');
        if (left === 1) response.end();
        else setTimeout(() => send(left - 1), 100);
      };
      send(10);
    };
    const { store, seen } = await storeWith(answer, 20_000, 600);
    expect(Buffer.from(await store.get('results/k')).toString()).toBe('xxxxxxxxxx');
    expect(seen).toHaveLength(1);
  });

  it('says that the master was silent', async () => {
    const { store } = await storeWith(() => undefined, 100, 200);
    await expect(store.get('results/k')).rejects.toMatchObject({
      code: 'master-unavailable',
      message: expect.stringMatching(/it has said nothing for 0 s$/),
    });
  });
});
