import type { MessagePort } from 'node:worker_threads';
import { SluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import { RingReader } from './byte-ring.ts';
import type { FromSession, InputRequest, ToSession } from './ingest-messages.ts';

/**
 * What the main thread sends to a session, in its ingest thread: the body's bytes, room for chunks,
 * and the signal to stop.
 */
export class SessionInbox {
  readonly #port: MessagePort;
  readonly #ring: RingReader;
  readonly #abort = new AbortController();
  #isEnded = false;
  #roomChunks: number;
  #wake: () => void = () => undefined;

  constructor(port: MessagePort, { ring, roomChunks }: InputRequest) {
    this.#port = port;
    this.#ring = new RingReader(ring);
    this.#roomChunks = roomChunks;
    port.on('message', (message: ToSession) => {
      this.#receive(message);
      this.#wake();
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The body from where it was read to, in buffers of their own. */
  async *body(): AsyncGenerator<Uint8Array> {
    while (await this.more()) {
      const bytes = new Uint8Array(this.view());
      this.use(bytes.length);
      yield bytes;
    }
  }

  /** Resolves when there is a `view` with bytes, or with false at the body's end. */
  async more(): Promise<boolean> {
    while (this.view().length === 0 && !this.#isEnded && !this.signal.aborted) await this.#change();
    this.signal.throwIfAborted();
    return this.view().length > 0;
  }

  /** Bytes that have come; valid until `use`. Empty when more are to be waited for. */
  view(): Uint8Array {
    return this.#ring.view(LIMITS.uploadMessageBytes);
  }

  /** Gives up the first bytes of the view: more may come in their place. */
  use(bytes: number): void {
    this.#ring.use(bytes);
    this.#port.postMessage({ kind: 'taken', bytes } satisfies FromSession);
  }

  /** Resolves when a chunk of this index may be written. Rejects when the session was aborted. */
  async room(index: number): Promise<void> {
    while (index >= this.#roomChunks && !this.signal.aborted) await this.#change();
    this.signal.throwIfAborted();
  }

  #receive(message: ToSession): void {
    switch (message.kind) {
      case 'body':
        this.#ring.arrive(message.bytes);
        return;
      case 'body-end':
        this.#isEnded = true;
        return;
      case 'room':
        this.#roomChunks = message.chunks;
        return;
      case 'abort':
        this.#abort.abort(new SluiceError('aborted', 'the upload was aborted'));
        return;
    }
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
