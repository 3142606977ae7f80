import { connect, createServer, type Socket } from 'node:net';

/** A network between two processes, to be made bad: connections cut, packets late, nobody there. */
export interface TcpProxy {
  readonly port: number;
  /** Resets every connection; new ones are taken. */
  cut(): void;
  /** Every piece of data waits so long, both ways; 0 for none. */
  delay(ms: number): void;
  /** While true nothing passes, and connections stay open: a cable that was pulled. */
  partition(isOn: boolean): void;
  /** Nothing passes any more on the connections of now; new ones work. */
  silence(): void;
  close(): Promise<void>;
}

/** Listens at an address of this machine, and forwards to the first of some ports of this machine where somebody listens. */
export async function startTcpProxy(
  targetPorts: readonly number[],
  host = '127.0.0.1',
): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let delayMs = 0;
  let isPartitioned = false;

  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (piece: Buffer) => {
      if (delayMs === 0) {
        if (!to.write(piece)) from.pause();
        return;
      }
      // One after another: the next piece is read when this one is on its way.
      from.pause();
      setTimeout(() => {
        if (to.writable) to.write(piece);
        if (!isPartitioned) from.resume();
      }, delayMs);
    });
    to.on('drain', () => {
      if (!isPartitioned) from.resume();
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  };

  const server = createServer({ pauseOnConnect: true }, (client) => {
    void firstListening(targetPorts).then((target) => {
      if (target === null) client.resetAndDestroy();
      else join(client, target);
    });
  });
  const join = (client: Socket, target: Socket): void => {
    const pair = [client, target] as const;
    pairs.add(pair);
    forward(client, target);
    forward(target, client);
    client.on('close', () => pairs.delete(pair));
    if (!isPartitioned) for (const socket of pair) socket.resume();
  };
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const cut = (): void => {
    for (const [client, target] of pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  };
  return {
    port: address.port,
    cut,
    delay: (ms) => (delayMs = ms),
    partition: (isOn) => {
      isPartitioned = isOn;
      for (const socket of [...pairs].flat()) {
        if (isOn) socket.pause();
        else socket.resume();
      }
    },
    silence: () => {
      for (const socket of [...pairs].flat()) socket.removeAllListeners('data').pause();
    },
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function firstListening(ports: readonly number[]): Promise<Socket | null> {
  for (const port of ports) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return socket.pause();
  }
  return null;
}
