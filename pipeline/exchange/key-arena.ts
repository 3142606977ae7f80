import type { ByteSlices } from './entry-engine.ts';

const SIGN = 0x80000000 | 0;
/** Of the one NaN that stands for all. */
const NAN_HIGH = 0x7ff80000;

/**
 * Keys one after another, in bytes whose order (memcmp) is the order of what they stand for. A key
 * has one part for each of its columns: a byte for NULL or not, and the value; a descending value
 * has all its bits turned. No key is the beginning of another one.
 */
export class KeyArena {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(16 * 1024);
  /** Where each key starts; `starts[count]` is where the next one does. */
  starts = new Uint32Array(1024);
  count = 0;
  private length = 0;
  private view = new DataView(this.bytes.buffer);

  /** Forgets all keys. */
  clear(): void {
    this.count = 0;
    this.length = 0;
  }

  /** Ends a key. */
  endKey(): void {
    this.count += 1;
    this.reserveKeys(0);
    this.starts[this.count] = this.length;
  }

  /** Adds keys that stand one behind another, by their ends. No key is open. */
  addAll(keys: Uint8Array, ends: Uint32Array): void {
    this.reserve(keys.length);
    this.reserveKeys(ends.length);
    const { starts, length } = this;
    this.bytes.set(keys, length);
    let { count } = this;
    for (let i = 0; i < ends.length; i++) starts[++count] = length + ends[i]!;
    this.count = count;
    this.length += keys.length;
  }

  /** The key that was not ended yet; a view. */
  get open(): Uint8Array {
    return this.bytes.subarray(this.starts[this.count], this.length);
  }

  get openLength(): number {
    return this.length - this.starts[this.count]!;
  }

  /** The keys that were ended, as slices. */
  get slices(): ByteSlices {
    const { bytes, starts } = this;
    return { bytes, starts, ends: starts.subarray(1) };
  }

  /** Forgets the key that was not ended yet. */
  dropOpen(): void {
    this.length = this.starts[this.count]!;
  }

  null(isFirst: boolean): void {
    this.reserve(1);
    this.bytes[this.length++] = isFirst ? 0 : 2;
  }

  boolean(value: boolean, desc: boolean): void {
    this.reserve(2);
    this.bytes[this.length++] = 1;
    this.bytes[this.length++] = value === desc ? 0 : 1;
  }

  /** -0 equals 0, and NaN is above infinity, as in DuckDB. */
  double(value: number, desc: boolean): void {
    this.startWord();
    this.view.setFloat64(this.length, value === 0 ? 0 : value);
    let high = Number.isNaN(value) ? NAN_HIGH : this.view.getInt32(this.length);
    let low = Number.isNaN(value) ? 0 : this.view.getInt32(this.length + 4);
    if (high < 0) {
      high = ~high;
      low = ~low;
    } else high ^= SIGN;
    this.setWord(high, low, desc);
  }

  /** A whole number of 64 bits; `value` is safe as a double. */
  integer(value: number, desc: boolean): void {
    this.startWord();
    const high = Math.floor(value / 2 ** 32);
    this.setWord(high ^ SIGN, value - high * 2 ** 32, desc);
  }

  bigint(value: bigint, desc: boolean): void {
    this.startWord();
    this.view.setBigInt64(this.length, value);
    const high = this.view.getInt32(this.length) ^ SIGN;
    this.setWord(high, this.view.getInt32(this.length + 4), desc);
  }

  /** UTF-8, by its bytes: 00 is written 00 FF, and 00 00 ends the text. */
  text(source: Uint8Array, start: number, end: number, desc: boolean): void {
    this.reserve(2 * (end - start) + 3);
    const { bytes } = this;
    const flip = desc ? 0xff : 0;
    let at = this.length;
    bytes[at++] = 1;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      bytes[at++] = byte ^ flip;
      if (byte === 0) bytes[at++] = 0xff ^ flip;
    }
    bytes[at++] = flip;
    bytes[at++] = flip;
    this.length = at;
  }

  /** Bytes as they are. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Makes room for a word behind the marker of a value. */
  private startWord(): void {
    this.reserve(9);
    this.bytes[this.length++] = 1;
  }

  private setWord(high: number, low: number, desc: boolean): void {
    this.view.setInt32(this.length, desc ? ~high : high);
    this.view.setInt32(this.length + 4, desc ? ~low : low);
    this.length += 8;
  }

  /** Makes room for so many keys more, and where the next one starts. */
  private reserveKeys(more: number): void {
    const last = this.count + more;
    if (last < this.starts.length) return;
    const grown = new Uint32Array((last + 1) * 2);
    grown.set(this.starts);
    this.starts = grown;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(needed * 2);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
