import net from 'node:net';
import type { Address } from './jobs.ts';

export interface CuttingProxy extends Address {
  /** Cuts every connection, as a network that is gone does: nobody is told. */
  cut(): void;
  /** While refused, connections are closed as soon as they are made. */
  refuse(isRefusing: boolean): void;
  /** Called with the bytes that clients have sent so far. */
  onBytes: (bytes: number) => void;
  close(): Promise<void>;
}

/** A TCP proxy before a server, whose connections a test can cut. */
export async function cuttingProxy(target: Address): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target.url);
  const sockets = new Set<net.Socket>();
  let isRefusing = false;
  let bytes = 0;
  const server = net.createServer((client) => {
    if (isRefusing) return void client.resetAndDestroy();
    const upstream = net.connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (part) => {
      bytes += part.length;
      proxy.onBytes(bytes);
    });
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as net.AddressInfo;
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${address.port}`,
    onBytes: () => undefined,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    refuse: (value) => {
      isRefusing = value;
    },
    close: async () => {
      proxy.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
