import { SluiceError } from '../errors.ts';

/** Reads what `ByteWriter` wrote. Bytes that end too early throw `blob-corrupt`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** Goes on at another place. */
  seek(position: number): void {
    this.#position = position;
  }

  get done(): boolean {
    return this.#position >= this.#bytes.length;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#position++]!;
  }

  count(): number {
    let value = 0;
    let unit = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
    throw new SluiceError('blob-corrupt', 'A stored count is longer than eight bytes');
  }

  scalar(): number | bigint {
    if (this.byte() === 0) {
      this.#need(8);
      const value = this.#view.getFloat64(this.#position, true);
      this.#position += 8;
      return value;
    }
    const hex = this.text();
    if (!/^-?[0-9a-f]+$/.test(hex))
      throw new SluiceError('blob-corrupt', 'A stored integer is bad');
    return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`);
  }

  /** A view of the next block, valid as long as the reader's bytes. */
  block(): Uint8Array {
    return this.raw(this.count());
  }

  raw(length: number): Uint8Array {
    this.#need(length);
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  /** Passes a block. */
  skipBlock(): void {
    const length = this.count();
    this.#need(length);
    this.#position += length;
  }

  /** Passes a scalar. */
  skipScalar(): void {
    if (this.byte() === 0) {
      this.#need(8);
      this.#position += 8;
    } else this.skipBlock();
  }

  text(): string {
    return new TextDecoder().decode(this.block());
  }

  #need(length: number): void {
    if (this.#position + length <= this.#bytes.length) return;
    throw new SluiceError('blob-corrupt', 'A stored partial ends too early', {
      details: { position: this.#position, bytes: this.#bytes.length },
    });
  }
}
