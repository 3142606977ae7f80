/**
 * Bytes that pass from one thread to another in memory that both see. The writer's `write` and the
 * reader's `arrive`, the reader's `use` and the writer's `free` go together: a message between the
 * threads carries the count, and orders the accesses.
 */
export class RingWriter {
  readonly #bytes: Uint8Array;
  #at = 0;
  #freeBytes: number;

  constructor(memory: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(memory);
    this.#freeBytes = memory.byteLength;
  }

  /** Returns how many of the bytes, from the first on, there was room for. */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#freeBytes);
    const untilWrap = Math.min(count, this.#bytes.length - this.#at);
    this.#bytes.set(bytes.subarray(0, untilWrap), this.#at);
    if (untilWrap < count) this.#bytes.set(bytes.subarray(untilWrap, count));
    this.#at = (this.#at + count) % this.#bytes.length;
    this.#freeBytes -= count;
    return count;
  }

  free(count: number): void {
    this.#freeBytes += count;
  }
}

export class RingReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #heldBytes = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(memory);
  }

  arrive(count: number): void {
    this.#heldBytes += count;
  }

  /** The next bytes, `bytesMax` at most, as a view that is valid until `use`. May be empty. */
  view(bytesMax: number): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#at + Math.min(this.#heldBytes, bytesMax));
  }

  /** Gives up the first bytes of a view. */
  use(count: number): void {
    this.#at = (this.#at + count) % this.#bytes.length;
    this.#heldBytes -= count;
  }
}
