/** First digits of pi's fraction: nothing hidden in them. */
const SEED_HIGH = 0x243f6a88;
const SEED_LOW = 0x85a308d3 | 0;

/**
 * 64-bit hash of a value's bytes: sixteen at a time, zero-padded, as two little-endian words, each of
 * them multiplied by an odd constant (of Steele and others' SplitMix64 and of D. Stafford's and P.
 * Evensen's mixers) and its halves folded. The kernel computes the same in assembly/profile. Part
 * of every stored sketch: changing it changes the engine version.
 */
export class ValueHash {
  high = 0;
  low = 0;

  /** A value of up to 16 bytes as four words, zero-padded. */
  ofWords(word0: number, word1: number, word2: number, word3: number, length: number): void {
    this.high = SEED_HIGH;
    this.low = SEED_LOW;
    this.#mix(word0, word1, word2, word3);
    this.#finish(length);
  }

  /** A value of any length. */
  ofBytes(bytes: Uint8Array, start: number, end: number): void {
    this.high = SEED_HIGH;
    this.low = SEED_LOW;
    for (let i = start; i < end; i += 16) {
      const word0 = wordAt(bytes, i, end);
      const word1 = wordAt(bytes, i + 4, end);
      this.#mix(word0, word1, wordAt(bytes, i + 8, end), wordAt(bytes, i + 12, end));
    }
    this.#finish(end - start);
  }

  #mix(word0: number, word1: number, word2: number, word3: number): void {
    this.low ^= word0;
    this.high ^= word1;
    this.#multiplyAndFold(0x9e3779b9, 0x7f4a7c15);
    this.low ^= word2;
    this.high ^= word3;
    this.#multiplyAndFold(0xd6e8feb8, 0x6659fd93);
  }

  #finish(length: number): void {
    this.low ^= length;
    this.#multiplyAndFold(0xbf58476d, 0x1ce4e5b9);
  }

  /** `hash *= constant` modulo 2^64, by 16-bit parts of the low halves; `hash ^= hash >> 32`. */
  #multiplyAndFold(constantHigh: number, constantLow: number): void {
    const { high, low } = this;
    const a = low & 0xffff;
    const b = low >>> 16;
    const c = constantLow & 0xffff;
    const d = constantLow >>> 16;
    const bc = Math.imul(b, c);
    const ad = Math.imul(a, d);
    const middle = (Math.imul(a, c) >>> 16) + (bc & 0xffff) + (ad & 0xffff);
    const carried = Math.imul(b, d) + (bc >>> 16) + (ad >>> 16) + (middle >>> 16);
    const crossed = Math.imul(low, constantHigh) + Math.imul(high, constantLow);
    this.high = (carried + crossed) | 0;
    this.low = Math.imul(low, constantLow) ^ this.high;
  }
}

/** Up to four bytes from `start`, zero-padded, the first in the low bits. */
export function wordAt(bytes: Uint8Array, start: number, end: number): number {
  let word = start < end ? bytes[start]! : 0;
  if (start + 1 < end) word |= bytes[start + 1]! << 8;
  if (start + 2 < end) word |= bytes[start + 2]! << 16;
  if (start + 3 < end) word |= bytes[start + 3]! << 24;
  return word;
}
