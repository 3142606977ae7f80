import { finished } from 'node:stream';
import type { Readable } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import { LIMITS } from '../../pipeline/limits.ts';
import { RingWriter } from './byte-ring.ts';
import type { ToSession } from './ingest-messages.ts';

/** Sends a body to a session through a ring. The body is paused while the ring is full. */
export class BodyPump {
  readonly #body: Readable;
  readonly #port: MessagePort;
  readonly #ring: RingWriter;
  /** The part that found the ring full. */
  #rest: Uint8Array | null = null;
  /** In the ring: told to the session and not acknowledged, and not told yet. */
  #sentBytes = 0;
  #untoldBytes = 0;
  #isEnded = false;

  /** @param onBytes called with the length of each buffer that comes */
  constructor(
    body: Readable,
    port: MessagePort,
    ring: SharedArrayBuffer,
    onBytes: (bytes: number) => void,
  ) {
    this.#body = body;
    this.#port = port;
    this.#ring = new RingWriter(ring);
    body.on('data', (part: Buffer) => {
      onBytes(part.length);
      this.#write(part);
    });
  }

  /** Resolves when the whole body has come; rejects when it failed. */
  async ended(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      finished(this.#body, { writable: false }, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    this.#isEnded = true;
    this.#tell();
  }

  /** The session has used up so many bytes. */
  acknowledge(bytes: number): void {
    this.#sentBytes -= bytes;
    this.#ring.free(bytes);
    const rest = this.#rest;
    this.#rest = null;
    if (rest !== null) this.#write(rest);
    else if (this.#untoldBytes > 0) this.#tell();
    if (rest !== null && this.#rest === null) this.#body.resume();
  }

  #write(part: Uint8Array): void {
    const written = this.#ring.write(part);
    this.#untoldBytes += written;
    if (written < part.length) {
      this.#rest = part.subarray(written);
      this.#body.pause();
    }
    if (this.#sentBytes === 0 || this.#untoldBytes >= LIMITS.uploadMessageBytes || this.#isEnded) {
      this.#tell();
    }
  }

  #tell(): void {
    const bytes = this.#untoldBytes;
    this.#sentBytes += bytes;
    this.#untoldBytes = 0;
    if (bytes > 0) this.#post({ kind: 'body', bytes });
    if (this.#isEnded && this.#rest === null) this.#post({ kind: 'body-end' });
  }

  #post(message: ToSession): void {
    this.#port.postMessage(message);
  }
}
