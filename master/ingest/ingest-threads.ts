import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { builtFile } from '../../pipeline/built-files.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { BlobPlace } from '../../pipeline/storage/open-blob-store.ts';
import type { InputRequest, OpenMessage, ThreadData } from './ingest-messages.ts';

/** A session's end in the main thread. */
export interface SessionPort {
  readonly port: MessagePort;
  /** Fires when the thread has ended while the session was open; the reason is a SluiceError. */
  readonly crash: AbortSignal;
  /** The session is over: its last message has come, or its thread is gone. */
  release(): void;
}

const ENTRY = fileURLToPath(builtFile('master/ingest/ingest-thread.js'));

/**
 * Threads that read inputs. Each upload has one for itself while there are fewer uploads than
 * threads may be; then they share. Idle threads are kept: starting one takes some 50 ms.
 *
 * | thread | means                     | left                                   |
 * | ------ | ------------------------- | -------------------------------------- |
 * | idle   | no session; not waited for when the process ends | `open`          |
 * | busy   | one session or more       | the last session is released           |
 * | gone   | crashed or closed         | never: another one is started for it   |
 */
export class IngestThreads {
  readonly #data: ThreadData;
  readonly #threadsMax: number;
  #threads: IngestThread[] = [];

  /** Starts the first thread, so that the first upload finds it ready. */
  constructor(place: BlobPlace) {
    this.#data = { place };
    this.#threadsMax = Math.min(LIMITS.ingestThreadsMax, availableParallelism());
    this.#start();
  }

  open(input: InputRequest): SessionPort {
    const [idlest = this.#start()] = this.#threads.toSorted((a, b) => a.load - b.load);
    const isOneMore = idlest.load > 0 && this.#threads.length < this.#threadsMax;
    return (isOneMore ? this.#start() : idlest).open(input);
  }

  /** Ends all threads. Sessions that are open fail. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #start(): IngestThread {
    const thread = new IngestThread(this.#data, () => {
      this.#threads = this.#threads.filter((one) => one !== thread);
    });
    this.#threads.push(thread);
    return thread;
  }
}

class IngestThread {
  readonly #worker: Worker;
  readonly #sessions = new Set<AbortController>();
  #error: unknown = null;

  constructor(data: ThreadData, onGone: () => void) {
    this.#worker = new Worker(ENTRY, { workerData: data, name: 'ingest' });
    this.#worker.unref();
    this.#worker.on('error', (error) => {
      this.#error = error;
    });
    this.#worker.on('exit', (code) => {
      onGone();
      const crash = this.#crash(code);
      for (const session of this.#sessions) session.abort(crash);
    });
  }

  /** Sessions that are open. */
  get load(): number {
    return this.#sessions.size;
  }

  open(input: InputRequest): SessionPort {
    const { port1: port, port2 } = new MessageChannel();
    const session = new AbortController();
    this.#sessions.add(session);
    this.#worker.ref();
    this.#worker.postMessage({ port: port2, input } satisfies OpenMessage, [port2]);
    const release = (): void => {
      port.close();
      if (this.#sessions.delete(session) && this.load === 0) this.#worker.unref();
    };
    return { port, crash: session.signal, release };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #crash(code: number): SluiceError {
    const error = this.#error;
    const reason = error instanceof Error ? error.message : `exit code ${code}`;
    return new SluiceError('internal', `The thread that reads the input has ended: ${reason}`, {
      ...(error === null ? {} : { cause: error }),
    });
  }
}
