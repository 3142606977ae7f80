/** Gives a buffer of this many bytes, which begins with the bytes of the one before. */
export type Growth = (capacityBytes: number, before: Buffer) => Buffer;

/**
 * Bytes in a row that grow at the end and are given up at the front, in one reused buffer. Offsets
 * count from the first byte held. Twice the bytes held at most are allocated, beside what was asked
 * for at first; each byte is moved once on average.
 */
export class ByteQueue {
  readonly #grow: Growth;
  #buffer: Buffer;
  #start = 0;
  #end = 0;

  constructor(capacityBytes: number, grow: Growth = growOnHeap) {
    this.#grow = grow;
    this.#buffer = grow(capacityBytes, Buffer.alloc(0));
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** What is held; a view, valid until the next `append` or `fill`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Appends what `write` puts into `byteCount` bytes of room; it returns how many those are. */
  fill(byteCount: number, write: (room: Buffer) => number): number {
    this.#makeRoom(byteCount);
    const written = write(this.#buffer.subarray(this.#end, this.#end + byteCount));
    this.#end += written;
    return written;
  }

  /** Gives up the first bytes. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #makeRoom(count: number): void {
    if (this.#end + count <= this.#buffer.length) return;
    const held = this.length;
    if (held + count > this.#buffer.length / 2) {
      this.#buffer = this.#grow((held + count) * 2, this.#buffer);
    }
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = held;
  }
}

function growOnHeap(capacityBytes: number, before: Buffer): Buffer {
  const buffer = Buffer.allocUnsafeSlow(capacityBytes);
  before.copy(buffer);
  return buffer;
}
