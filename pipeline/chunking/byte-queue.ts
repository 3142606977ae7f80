/**
 * Bytes in a row that grow at the end and are given up at the front, in one reused buffer. Offsets
 * count from the first byte held. Twice the bytes held at most are allocated, beside what was asked
 * for at first; each byte is moved once on average.
 */
export class ByteQueue {
  #buffer: Buffer;
  #start = 0;
  #end = 0;

  constructor(capacityBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(capacityBytes);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** What is held; a view, valid until the next `append`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Gives up the first bytes. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #makeRoom(count: number): void {
    const held = this.bytes;
    if ((held.length + count) * 2 > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow((held.length + count) * 2);
    }
    held.copy(this.#buffer);
    this.#end = held.length;
    this.#start = 0;
  }
}
