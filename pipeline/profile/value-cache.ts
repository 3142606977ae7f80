import type { DecimalParts } from '../values/number.ts';
import { ValueKind } from '../values/value-kind.ts';
import type { ColumnStatistics } from './column-statistics.ts';

/** Slots of an entry: four words of the value, its length, how often it came, kind, scale. */
const ENTRY_SLOTS = 8;
const LENGTH = 4;
const TIMES = 5;
const KIND = 6;
const SCALE = 7;

/**
 * The values of a column seen lately, directly mapped, with how often each came since it entered.
 * An entry that is replaced gives its count, and its multiple in the sum, to the statistics.
 */
export class ValueCache {
  readonly #entries: Int32Array;
  readonly #mantissas: Float64Array;
  readonly #shift: number;
  /** Entry of the last lookup. */
  #entry = 0;

  /** `entryCount` is a power of two. */
  constructor(entryCount: number) {
    this.#entries = new Int32Array(entryCount * ENTRY_SLOTS);
    this.#mantissas = new Float64Array(entryCount);
    this.#shift = Math.clz32(entryCount) + 1;
  }

  /** Counts the value when it is here. */
  hit(word0: number, word1: number, word2: number, word3: number, length: number): boolean {
    const mixed = Math.imul(word0 ^ Math.imul(word1, 0x85ebca6b), 0x9e3779b1);
    const tail = Math.imul(word2 ^ Math.imul(word3, 0xc2b2ae35), 0x27d4eb2f);
    const entry = Math.imul(mixed ^ (mixed >>> 15) ^ tail ^ length, 0x9e3779b1) >>> this.#shift;
    this.#entry = entry;
    const entries = this.#entries;
    const at = entry * ENTRY_SLOTS;
    if (
      entries[at] !== word0 ||
      entries[at + 1] !== word1 ||
      entries[at + 2] !== word2 ||
      entries[at + 3] !== word3 ||
      entries[at + LENGTH] !== length
    ) {
      return false;
    }
    entries[at + TIMES]! += 1;
    return true;
  }

  /** Puts the value of the lookup that just failed in the place of the one that is there. */
  replace(
    statistics: ColumnStatistics,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    length: number,
    kind: ValueKind,
    parts: DecimalParts,
  ): void {
    this.#release(statistics, this.#entry);
    const entries = this.#entries;
    const at = this.#entry * ENTRY_SLOTS;
    entries[at] = word0;
    entries[at + 1] = word1;
    entries[at + 2] = word2;
    entries[at + 3] = word3;
    entries[at + LENGTH] = length;
    entries[at + TIMES] = 1;
    entries[at + KIND] = kind;
    entries[at + SCALE] = parts.scale;
    this.#mantissas[this.#entry] = parts.mantissa;
  }

  /** Gives all counts to the statistics. The values stay, seen no time since. */
  flush(statistics: ColumnStatistics): void {
    for (let entry = 0; entry < this.#mantissas.length; entry++) this.#release(statistics, entry);
  }

  #release(statistics: ColumnStatistics, entry: number): void {
    const at = entry * ENTRY_SLOTS;
    const times = this.#entries[at + TIMES]!;
    if (times === 0) return;
    this.#entries[at + TIMES] = 0;
    const kind = this.#entries[at + KIND]!;
    statistics.kindCounts[kind]! += times;
    if (kind === ValueKind.integer || kind === ValueKind.number) {
      released.mantissa = this.#mantissas[entry]!;
      released.scale = this.#entries[at + SCALE]!;
      statistics.sums.add(0, released, times);
    }
  }
}

const released: DecimalParts = { mantissa: 0, big: null, scale: 0 };
