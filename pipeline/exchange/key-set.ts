import { createHash } from 'node:crypto';
import { KeyArena } from './key-arena.ts';

/** Longer keys are kept as their sha256: equal hashes mean equal keys. */
const KEY_BYTES_MAX = 32;

/** No part of a key begins with it. */
const HASH_MARK = 0xff;

/** Different keys, numbered as they came. Write a key to `keys` and call `settle`. */
export class KeySet {
  readonly keys = new KeyArena();
  /** Number of a key plus one; 0 for a free slot. At most half are taken. */
  private slots = new Uint32Array(1024);
  private hashes = new Int32Array(512);

  /** Ends the key that was written; the number of the key that equals it, `keys.count - 1` at once
   *  when it is new. */
  settle(): number {
    const { keys } = this;
    shorten(keys);
    const start = keys.starts[keys.count]!;
    const length = keys.openLength;
    const hash = hashOf(keys.bytes, start, length);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.slots[slot]!; entry !== 0; entry = this.slots[slot]!) {
      if (this.hashes[entry - 1] === hash && this.isSame(entry - 1, start, length)) {
        keys.dropOpen();
        return entry - 1;
      }
      slot = (slot + 1) & mask;
    }
    const key = keys.count;
    keys.endKey();
    this.slots[slot] = key + 1;
    if (key === this.hashes.length) this.grow();
    this.hashes[key] = hash;
    if (keys.count * 2 > this.slots.length) this.rehash();
    return key;
  }

  private isSame(key: number, start: number, length: number): boolean {
    const { bytes, starts } = this.keys;
    const other = starts[key]!;
    if (starts[key + 1]! - other !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[other + i] !== bytes[start + i]) return false;
    return true;
  }

  private grow(): void {
    const hashes = new Int32Array(this.hashes.length * 2);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }

  private rehash(): void {
    const slots = new Uint32Array(this.slots.length * 4);
    const mask = slots.length - 1;
    for (let key = 0; key < this.keys.count; key++) {
      let slot = this.hashes[key]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = key + 1;
    }
    this.slots = slots;
  }
}

/** Makes a long key, which is not ended yet, its hash. */
export function shorten(keys: KeyArena): void {
  if (keys.openLength <= KEY_BYTES_MAX) return;
  const hash = createHash('sha256').update(keys.open).digest();
  keys.dropOpen();
  keys.raw(Uint8Array.of(HASH_MARK));
  keys.raw(hash);
}

/** FNV-1a (Fowler, Noll, Vo), finished with MurmurHash3's avalanche so that low bits are good. */
function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
