/** First digits of pi's fraction: nothing hidden in them. */
const SEED_HIGH = 0x243f6a88;
const SEED_LOW = 0x85a308d3 | 0;

/**
 * 64-bit hash of a value's bytes: two 32-bit lanes of MurmurHash3's block step (A. Appleby, public
 * domain) over little-endian words, with other constants each, joined by its final avalanche. Part
 * of every stored sketch: changing it changes the engine version.
 */
export class ValueHash {
  high = 0;
  low = 0;

  /** A value of up to 16 bytes as four words, zero-padded. */
  ofWords(word0: number, word1: number, word2: number, word3: number, length: number): void {
    let high = block(SEED_HIGH, word0, 0xcc9e2d51, 0x1b873593, 13);
    let low = block(SEED_LOW, word0, 0x239b961b, 0xab0e9789, 17);
    if (length > 4) {
      high = block(high, word1, 0xcc9e2d51, 0x1b873593, 13);
      low = block(low, word1, 0x239b961b, 0xab0e9789, 17);
    }
    if (length > 8) {
      high = block(high, word2, 0xcc9e2d51, 0x1b873593, 13);
      low = block(low, word2, 0x239b961b, 0xab0e9789, 17);
    }
    if (length > 12) {
      high = block(high, word3, 0xcc9e2d51, 0x1b873593, 13);
      low = block(low, word3, 0x239b961b, 0xab0e9789, 17);
    }
    this.#finish(high, low, length);
  }

  /** A value of any length. */
  ofBytes(bytes: Uint8Array, start: number, end: number): void {
    let high = SEED_HIGH;
    let low = SEED_LOW;
    for (let i = start; i < end; i += 4) {
      const word = wordAt(bytes, i, end);
      high = block(high, word, 0xcc9e2d51, 0x1b873593, 13);
      low = block(low, word, 0x239b961b, 0xab0e9789, 17);
    }
    this.#finish(high, low, end - start);
  }

  #finish(laneHigh: number, laneLow: number, length: number): void {
    let high = laneHigh ^ length;
    let low = laneLow ^ length;
    high = (high + low) | 0;
    low = (low + high) | 0;
    high = avalanche(high);
    low = avalanche(low);
    high = (high + low) | 0;
    low = (low + high) | 0;
    this.high = high;
    this.low = low;
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

function block(lane: number, word: number, c1: number, c2: number, turn: number): number {
  let k = Math.imul(word, c1);
  k = (k << 15) | (k >>> 17);
  let mixed = lane ^ Math.imul(k, c2);
  mixed = (mixed << turn) | (mixed >>> (32 - turn));
  return (Math.imul(mixed, 5) + 0x52dce729) | 0;
}

function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
