import { decodeStringInto } from './string-decoder.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** A growing buffer that JSON values are written to as RFC 4180 fields. */
export class FieldBuffer {
  /** Bytes written. */
  length = 0;
  #target: Uint8Array;
  #scratch = new Uint8Array(1024);

  constructor(capacity: number) {
    this.#target = new Uint8Array(capacity);
  }

  /** Makes room for `byteCount` more bytes. */
  reserve(byteCount: number): void {
    const needed = this.length + byteCount;
    if (needed <= this.#target.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#target.length * 2));
    larger.set(this.#target.subarray(0, this.length));
    this.#target = larger;
  }

  byte(value: number): void {
    this.#target[this.length++] = value;
  }

  bytes(): Uint8Array {
    return this.#target.subarray(0, this.length);
  }

  /** Writes a valid JSON value, strings quoted if need be, or if `isQuoted`; false where a string is no
   *  text. Null writes nothing. */
  value(bytes: Uint8Array, start: number, end: number, isQuoted: boolean): boolean {
    const first = bytes[start]!;
    if (first === 0x6e) return true;
    if (first === QUOTE) return this.#string(bytes, start + 1, end - 1, isQuoted);
    if (first === 0x7b || first === 0x5b) this.#quoted(bytes, start, end);
    else this.#copy(bytes, start, end);
    return true;
  }

  #string(bytes: Uint8Array, start: number, end: number, isQuoted: boolean): boolean {
    if (start === end) {
      this.byte(QUOTE);
      this.byte(QUOTE);
      return true;
    }
    let needsQuotes = isQuoted;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === BACKSLASH) return this.#escaped(bytes, start, end, isQuoted);
      if (byte === COMMA) needsQuotes = true;
    }
    if (needsQuotes) this.#quoted(bytes, start, end);
    else this.#copy(bytes, start, end);
    return true;
  }

  #escaped(bytes: Uint8Array, start: number, end: number, isQuoted: boolean): boolean {
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2);
    const length = decodeStringInto(this.#scratch, 0, bytes, start, end);
    if (length < 0) return false;
    const text = this.#scratch;
    if (isQuoted) {
      this.#quoted(text, 0, length);
      return true;
    }
    for (let i = 0; i < length; i++) {
      const byte = text[i]!;
      if (byte === COMMA || byte === QUOTE || byte === 10 || byte === 13) {
        this.#quoted(text, 0, length);
        return true;
      }
    }
    this.#copy(text, 0, length);
    return true;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const target = this.#target;
    let to = this.length;
    for (let i = start; i < end; i++) target[to++] = bytes[i]!;
    this.length = to;
  }

  #quoted(bytes: Uint8Array, start: number, end: number): void {
    const target = this.#target;
    let to = this.length;
    target[to++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) target[to++] = QUOTE;
      target[to++] = byte;
    }
    target[to++] = QUOTE;
    this.length = to;
  }
}
