import type { MessagePort } from 'node:worker_threads';
import type { InputRequest } from '../../master/ingest/ingest-messages.ts';
import type { SessionPort } from '../../master/ingest/ingest-threads.ts';
import { runSession } from '../../master/ingest/input-session.ts';
import type { IngestBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { SimProcess } from './sim-process.ts';
import { CHUNKS } from './workload.ts';

const MESSAGE_MS = 0.3;

/** In place of `IngestThreads`: the production session, behind a port whose messages take a while. */
export function simulatedThreads(process: SimProcess, blobs: IngestBlobStore) {
  return {
    open(input: InputRequest): SessionPort {
      const main = new SimPort(process);
      const thread = new SimPort(process);
      main.other = thread;
      thread.other = main;
      const port = thread as unknown as MessagePort;
      void runSession({ blobs }, port, { ...input, chunkLimits: CHUNKS });
      return {
        port: main as unknown as MessagePort,
        crash: new AbortController().signal,
        release: () => main.close(),
      };
    },
  };
}

/** One end of a channel between two threads: what was sent comes in order, often several at once. */
class SimPort {
  other: SimPort | null = null;
  readonly #process: SimProcess;
  readonly #coming: unknown[] = [];
  #listener: (message: unknown) => void = () => undefined;
  #isClosed = false;

  constructor(process: SimProcess) {
    this.#process = process;
  }

  on(_: 'message', listener: (message: unknown) => void): void {
    this.#listener = listener;
  }

  postMessage(message: unknown): void {
    this.other?.receive(message);
  }

  receive(message: unknown): void {
    this.#coming.push(message);
    if (this.#coming.length > 1) return;
    this.#process.after(this.#process.random.next() * 2 * MESSAGE_MS, 'hears a thread', () => {
      for (const one of this.#coming.splice(0)) if (!this.#isClosed) this.#listener(one);
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}
