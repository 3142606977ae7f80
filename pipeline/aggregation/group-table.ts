import { SluiceError } from '../errors.ts';

/** What a table may hold. */
export interface GroupTableLimits {
  readonly groupCountMax: number;
  /** Bytes of all keys together. */
  readonly keyBytesMax: number;
  /** What the keys are of, for the error; groups when left out. */
  readonly what?: string;
}

/** The error of one group too many behind `groups`, or of keys of `keyBytes`. */
export function groupLimitExceeded(
  groups: number,
  keyBytes: number,
  { groupCountMax, keyBytesMax, what = 'groups' }: GroupTableLimits,
): SluiceError {
  return new SluiceError('group-limit', `The aggregation has more than ${groups} ${what}`, {
    details: { groups, groupCountMax, keyBytes, keyBytesMax },
  });
}

/**
 * Open-addressing hash table from a key's bytes to a dense group number, in order of first
 * appearance. Keys of any length lie one after another in an arena; nothing is allocated for a key
 * that is known. Kept at most half full.
 */
export class GroupTable {
  readonly #limits: GroupTableLimits;
  /** Group number + 1, or 0. */
  #slots = new Uint32Array(1024);
  #hashes = new Int32Array(512);
  /** Where each group's key starts in the arena; the next entry is where it ends. */
  #starts = new Float64Array(513);
  #arena = new Uint8Array(16_384);
  #count = 0;

  constructor(limits: GroupTableLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of its arrays. */
  get bytes(): number {
    const { byteLength } = this.#slots;
    return byteLength + this.#hashes.byteLength + this.#starts.byteLength + this.#arena.length;
  }

  /** Number of the group whose key is `key[0, length)`; a new one equals the former `count`.
   *  Throws `group-limit`. */
  groupOf(key: Uint8Array, length: number): number {
    const hash = hashBytes(key, length);
    const slot = this.#slotOf(hash, key, length);
    const entry = this.#slots[slot]!;
    return entry > 0 ? entry - 1 : this.#append(slot, hash, key, length);
  }

  /** The same for a key that is not to be added: -1 when there is no such group. */
  find(key: Uint8Array, length: number): number {
    return this.#slots[this.#slotOf(hashBytes(key, length), key, length)]! - 1;
  }

  /** View of a group's key, valid until the next new group. */
  key(group: number): Uint8Array {
    return this.#arena.subarray(this.#starts[group], this.#starts[group + 1]);
  }

  /** Forgets all groups, and keeps their memory. */
  clear(): void {
    this.#slots.fill(0);
    this.#count = 0;
  }

  /** All groups, ascending by the bytes of their keys. */
  sortedGroups(): Uint32Array {
    const groups = Uint32Array.from({ length: this.#count }, (_, group) => group);
    return groups.sort((left, right) => Buffer.compare(this.key(left), this.key(right)));
  }

  /** The slot of the key, or the empty one in which it would be. */
  #slotOf(hash: number, key: Uint8Array, length: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return slot;
      if (this.#hashes[entry - 1] === hash && this.#isKey(entry - 1, key, length)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isKey(group: number, key: Uint8Array, length: number): boolean {
    const start = this.#starts[group]!;
    if (this.#starts[group + 1]! - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.#arena[start + i] !== key[i]) return false;
    return true;
  }

  #append(slot: number, hash: number, key: Uint8Array, length: number): number {
    const group = this.#count;
    const start = this.#starts[group]!;
    const { groupCountMax, keyBytesMax } = this.#limits;
    if (group >= groupCountMax || start + length > keyBytesMax) {
      throw groupLimitExceeded(group, start + length, this.#limits);
    }
    this.#reserve(group + 1, start + length);
    this.#arena.set(key.subarray(0, length), start);
    this.#starts[group + 1] = start + length;
    this.#hashes[group] = hash;
    this.#slots[slot] = group + 1;
    this.#count = group + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return group;
  }

  #reserve(groups: number, keyBytes: number): void {
    if (groups > this.#hashes.length) {
      this.#hashes = grown(this.#hashes, new Int32Array(groups * 2));
      this.#starts = grown(this.#starts, new Float64Array(groups * 2 + 1));
    }
    if (keyBytes > this.#arena.length) {
      this.#arena = grown(this.#arena, new Uint8Array(keyBytes * 2));
    }
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let group = 0; group < this.#count; group++) {
      let slot = this.#hashes[group]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = group + 1;
    }
    this.#slots = slots;
  }
}

function grown<T extends { set(source: T): void }>(source: T, target: T): T {
  target.set(source);
  return target;
}

/** FNV-1a (Fowler, Noll, Vo), finished with MurmurHash3's avalanche so that low bits are good. */
function hashBytes(bytes: Uint8Array, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
