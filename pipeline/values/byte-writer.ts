const SHORT_BYTES = 32;

/** Appends binary values to a buffer that grows: the counterpart of `ByteReader`. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** Begins with room for so many bytes: growing copies. */
  constructor(bytes = 1024) {
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, low bits first. */
  count(value: number): void {
    this.#reserve(8);
    let left = value;
    while (left > 0x7f) {
      this.#bytes[this.#length++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#bytes[this.#length++] = left;
  }

  /** A double, or a bigint of any size. A bigint that is a safe integer is written as a double. */
  scalar(value: number | bigint): void {
    const number = Number(value);
    if (typeof value === 'number' || Number.isSafeInteger(number)) {
      this.#reserve(9);
      this.#bytes[this.#length] = 0;
      this.#view.setFloat64(this.#length + 1, number + 0, true);
      this.#length += 9;
    } else {
      this.byte(1);
      this.text(value.toString(16));
    }
  }

  /** Length and bytes. */
  block(bytes: Uint8Array): void {
    this.count(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.slice(bytes, 0, bytes.length);
  }

  /** Bytes `[start, end)`. A short slice is copied byte by byte, which is faster than a call. */
  slice(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    if (end - start > SHORT_BYTES) {
      this.#bytes.set(bytes.subarray(start, end), this.#length);
      this.#length += end - start;
      return;
    }
    const target = this.#bytes;
    let position = this.#length;
    for (let i = start; i < end; i++) target[position++] = bytes[i]!;
    this.#length = position;
  }

  /** UTF-8 without its length. */
  characters(text: string): void {
    this.#reserve(text.length);
    const target = this.#bytes;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.raw(new TextEncoder().encode(text));
        return;
      }
      target[this.#length + i] = code;
    }
    this.#length += text.length;
  }

  text(text: string): void {
    this.block(new TextEncoder().encode(text));
  }

  /** What was written: a view, valid until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
