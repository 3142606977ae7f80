import type { FieldSlice } from '../values/field-slice.ts';
import type { NullTexts } from '../values/null-texts.ts';
import { parseDecimal, type DecimalParts } from '../values/number.ts';
import { parseTimestamp } from '../values/timestamp.ts';
import { ValueKind, valueKind } from '../values/value-kind.ts';
import type { ColumnStatistics } from './column-statistics.ts';
import { scanShortNumber } from './short-number.ts';
import { ValueCache } from './value-cache.ts';
import { ValueHash, wordAt } from './value-hash.ts';

/** Longest value, in bytes, that the cache holds: four words. */
const CACHED_BYTES = 16;
/** Keeps the first bytes of a word, by how many. */
const WORD_MASKS = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1);
/** Lookups after which the cache's use is judged, and how many fields pass it by when it is bad. */
const TRIAL_LOOKUPS = 1024;
const BYPASS_FIELDS = 16_384;

/**
 * Feeds one column's fields into its statistics. A value that was seen lately costs a lookup: all
 * it adds to then are a count and, when the cache lets go of it, a multiple of it in the sum.
 * Columns whose values hardly repeat pass the cache by, with the same outcome.
 */
export class ColumnAccumulator {
  readonly #statistics: ColumnStatistics;
  readonly #nullTexts: NullTexts;
  readonly #slice: FieldSlice;
  readonly #cacheEntries: number;
  /** Made when it is first used: where the kernel takes the values it never is. */
  #cache: ValueCache | null = null;
  readonly #hash = new ValueHash();
  readonly #parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
  #lookups = 0;
  #misses = 0;
  #bypass = 0;

  constructor(
    statistics: ColumnStatistics,
    nullTexts: NullTexts,
    slice: FieldSlice,
    cacheEntries: number,
  ) {
    this.#statistics = statistics;
    this.#nullTexts = nullTexts;
    this.#slice = slice;
    this.#cacheEntries = cacheEntries;
  }

  /** Takes the field with the raw bytes `[start, end)`; `view` covers the same bytes. */
  add(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const slice = this.#slice;
    if (this.#nullTexts.pointAt(slice, bytes, start, end)) {
      this.#statistics.nullCount += 1;
      return;
    }
    if (slice.start === slice.end) {
      this.#statistics.kindCounts[ValueKind.empty]! += 1;
      return;
    }
    if (slice.end - slice.start > CACHED_BYTES) this.#addLong(slice.bytes, slice.start, slice.end);
    else if (slice.bytes !== bytes) this.#addCopied(slice.bytes, slice.start, slice.end);
    else this.#addShort(bytes, view, slice.start, slice.end);
  }

  /** Moves what the cache holds into the statistics. */
  flush(): void {
    this.#cache?.flush(this.#statistics);
  }

  #addShort(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (start + CACHED_BYTES > bytes.length) {
      this.#addCopied(bytes, start, end);
      return;
    }
    const length = end - start;
    let word0 = view.getInt32(start, true);
    let word1 = 0;
    let word2 = 0;
    let word3 = 0;
    if (length <= 4) word0 &= WORD_MASKS[length]!;
    else {
      word1 = view.getInt32(start + 4, true);
      if (length <= 8) word1 &= WORD_MASKS[length - 4]!;
      else {
        word2 = view.getInt32(start + 8, true);
        if (length <= 12) word2 &= WORD_MASKS[length - 8]!;
        else word3 = view.getInt32(start + 12, true) & WORD_MASKS[length - 12]!;
      }
    }
    this.#addWords(bytes, start, end, word0, word1, word2, word3);
  }

  /** A short value whose words cannot be read at once. */
  #addCopied(bytes: Uint8Array, start: number, end: number): void {
    const word0 = wordAt(bytes, start, end);
    const word1 = wordAt(bytes, start + 4, end);
    const word2 = wordAt(bytes, start + 8, end);
    this.#addWords(bytes, start, end, word0, word1, word2, wordAt(bytes, start + 12, end));
  }

  #addWords(
    bytes: Uint8Array,
    start: number,
    end: number,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
  ): void {
    const cache = this.#usableCache();
    const length = end - start;
    if (cache !== null) {
      if (cache.hit(word0, word1, word2, word3, length)) return;
      this.#misses += 1;
    }
    const hash = this.#hash;
    hash.ofWords(word0, word1, word2, word3, length);
    const isAscii = ((word0 | word1 | word2 | word3) & 0x80808080) === 0;
    const kind = this.#observe(bytes, start, end, word0, isAscii ? length : -1);
    const parts = this.#parts;
    if (cache === null || parts.big !== null) this.#count(kind);
    else {
      cache.replace(this.#statistics, word0, word1, word2, word3, length, kind, parts);
    }
  }

  #addLong(bytes: Uint8Array, start: number, end: number): void {
    this.#hash.ofBytes(bytes, start, end);
    this.#count(this.#observe(bytes, start, end, wordAt(bytes, start, end), -1));
  }

  /** All that is the same however often the value comes; its kind, and `#parts` of a number. */
  #observe(
    bytes: Uint8Array,
    start: number,
    end: number,
    word0: number,
    knownLength: number,
  ): ValueKind {
    const statistics = this.#statistics;
    statistics.sketch.add(this.#hash.high, this.#hash.low);
    statistics.texts.add(bigEndian(word0), bytes, start, end);
    const length = knownLength < 0 ? characterCount(bytes, start, end) : knownLength;
    if (length < statistics.lengthMin) statistics.lengthMin = length;
    if (length > statistics.lengthMax) statistics.lengthMax = length;
    return this.#classify(bytes, start, end);
  }

  #classify(bytes: Uint8Array, start: number, end: number): ValueKind {
    const parts = this.#parts;
    parts.big = null;
    let kind: ValueKind = scanShortNumber(bytes, start, end, parts);
    if (kind === ValueKind.empty) {
      kind = valueKind(bytes, start, end);
      if (kind === ValueKind.date || kind === ValueKind.datetime) {
        this.#statistics.times.add(parseTimestamp(bytes, start, end)!);
      }
      if (kind !== ValueKind.integer && kind !== ValueKind.number) return kind;
      parseDecimal(bytes, start, end, parts);
    }
    this.#statistics.numbers.add(parts);
    return kind;
  }

  #count(kind: ValueKind): void {
    this.#statistics.kindCounts[kind]! += 1;
    if (kind === ValueKind.integer || kind === ValueKind.number) {
      this.#statistics.sums.add(0, this.#parts);
    }
  }

  /** The cache, unless it has none or is being passed by for now. */
  #usableCache(): ValueCache | null {
    if (this.#bypass > 0) {
      this.#bypass -= 1;
      return null;
    }
    if (++this.#lookups === TRIAL_LOOKUPS) {
      if (this.#misses * 2 > TRIAL_LOOKUPS) this.#bypass = BYPASS_FIELDS;
      this.#lookups = 0;
      this.#misses = 0;
    }
    return this.#cacheEntries === 0 ? null : (this.#cache ??= new ValueCache(this.#cacheEntries));
  }
}

function bigEndian(word: number): number {
  const swapped = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  return swapped >>> 0;
}

/** Code points of UTF-8: the bytes that continue none. */
function characterCount(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((bytes[i]! & 0xc0) !== 0x80) count++;
  return count;
}
