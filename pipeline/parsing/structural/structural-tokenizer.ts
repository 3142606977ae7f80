import { isUtf8 } from 'node:buffer';
import type { Dialect } from '../dialect.ts';
import type { RecordIndex } from '../record-index.ts';
import { Tokenizer } from '../tokenizer.ts';
import type { TokenizerOptions } from '../tokenizer.ts';
import { flagInvalidUtf8 } from '../utf8.ts';
import { Kernel } from './kernel.ts';
import type { CountedText, KernelModule } from './kernel.ts';

/** Text read at a time: with its offsets it stays in the second-level cache. */
const REGION_BYTES = 128 * 1024;
/** Of wide tables more is read, until a batch has so many records: what works column by column has
 *  to find each column's state anew for each batch. */
const RECORDS_WANTED = 768;
const REGION_BYTES_MAX = 2 * 1024 * 1024;
/** Stands for "no quote" in the kernel: no byte has this value. */
const NO_QUOTE = 256;

/** Stands behind a whole text, where the kernel reads on. */
const NUL = 0;
const LF = 10;
const CR = 13;

/** Whether the kernel reads a dialect: one-byte delimiter and quote, doubled quotes, any line end. */
export function isStructural(dialect: Dialect): boolean {
  const { delimiter, quote, escape, newline, comment } = dialect;
  const code = delimiter.charCodeAt(0);
  if (delimiter.length !== 1 || code > 0x7f || [NUL, LF, CR].includes(code)) return false;
  if (newline !== 'any' || comment !== '') return false;
  if (quote === '') return escape === '';
  const isOneByte = quote.length === 1 && quote > '\0' && quote <= '\x7f';
  return isOneByte && quote !== delimiter && escape === quote;
}

/**
 * The tokenizer with SIMD under it: gives what `Tokenizer` gives, some ten times as fast where all
 * quotes of a region are regular, by `Tokenizer` itself where they are not. Call `load` first.
 */
export class StructuralTokenizer {
  readonly kernel: Kernel;
  readonly #scalar: Tokenizer;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #skipBlank: boolean;
  readonly #recordsMax: number;
  #regionBytes: number;
  #line = 0;
  /** Line of the first record read last, while those of the others are not listed. */
  #firstLine: number | null = null;
  #evenFields = 0;

  constructor(
    dialect: Dialect,
    options: TokenizerOptions,
    module: KernelModule,
    recordsMax: number,
    regionBytes: number = REGION_BYTES,
  ) {
    this.#regionBytes = regionBytes;
    this.kernel = new Kernel(module, recordsMax);
    this.#scalar = new Tokenizer(dialect, options);
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#quote = dialect.quote === '' ? NO_QUOTE : dialect.quote.charCodeAt(0);
    this.#skipBlank = options.skipBlankLines === 'always';
    this.#recordsMax = recordsMax;
  }

  /** Line ends passed since `load`. */
  get lines(): number {
    return this.#line;
  }

  /** Fields of each of the records read last, when all have as many and no flags; else 0. */
  get evenFields(): number {
    return this.#evenFields;
  }

  /** Takes a whole text and counts lines from 0. */
  load(text: Uint8Array): void {
    this.#line = 0;
    this.kernel.load(text);
  }

  /** As `Tokenizer.tokenize`, over the text that was loaded: fills `index`, but for `recordLines`, and
   *  returns what it consumed. */
  tokenize(bytes: Uint8Array, start: number, index: RecordIndex): number {
    for (let size = this.#regionBytes; ; size *= 4) {
      const end = Math.min(bytes.length, start + size);
      const isFinal = end === bytes.length;
      const next = this.#read(bytes, start, end, isFinal, index);
      if (next > start || isFinal) {
        if (!isFinal) this.#widen(index.recordCount);
        return next;
      }
      // Nothing consumed: the record is longer than the region.
    }
  }

  /** Fills `recordLines` of the index that was filled last. */
  listLines(): void {
    if (this.#firstLine !== null) this.kernel.listLines(this.#firstLine);
    this.#firstLine = null;
  }

  /**
   * Counts the records from `start` on, a region of them, where each has `columnCount` fields and
   * nothing is wrong with any; returns what it consumed, and how many they are. Null where they
   * have to be read to tell.
   */
  count(bytes: Uint8Array, start: number, columnCount: number): CountedText | null {
    const end = Math.min(bytes.length, start + this.#regionBytes);
    const counted = this.kernel.count(
      ...([start, end, end === bytes.length, this.#delimiter, this.#quote, columnCount] as const),
    );
    if (counted === null || counted.next === start) return null;
    if (!isUtf8(bytes.subarray(start, counted.next))) return null;
    this.#line += counted.lineCount;
    return counted;
  }

  #widen(recordCount: number): void {
    const isRead = this.#regionBytes >= REGION_BYTES && this.#regionBytes < REGION_BYTES_MAX;
    if (isRead && recordCount < RECORDS_WANTED) this.#regionBytes *= 2;
  }

  #read(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    index: RecordIndex,
  ): number {
    const kernel = this.kernel;
    const next = kernel.tokenize(
      ...([start, end, isFinal, this.#delimiter, this.#quote, this.#skipBlank] as const),
      this.#recordsMax,
    );
    // Those that the index holds may be void: the memory may have grown.
    Object.assign(index, kernel.arrays);
    // A full batch without a record: more fields than fit, left to arrays that grow.
    const isStuck = next === start && isFinal && start < end;
    if (kernel.isIrregular || isStuck) return this.#readScalar(bytes, start, end, isFinal, index);
    index.recordCount = kernel.recordCount;
    index.fieldCount = kernel.fieldCount;
    index.recordFlags.fill(0, 0, index.recordCount);
    const isClean = flagInvalidUtf8(bytes, start, next, index);
    this.#evenFields = isClean ? kernel.evenFields : 0;
    this.#firstLine = this.#line;
    this.#line += kernel.lineCount;
    return next;
  }

  #readScalar(
    bytes: Uint8Array,
    start: number,
    end: number,
    isFinal: boolean,
    index: RecordIndex,
  ): number {
    const scalar = this.#scalar;
    this.#evenFields = 0;
    this.#firstLine = null;
    scalar.reset();
    const next = scalar.tokenize(bytes, start, end, isFinal, index, this.#recordsMax);
    for (let record = 0; record < index.recordCount; record++) {
      index.recordLines[record] = (index.recordLines[record] ?? 0) + this.#line;
    }
    this.#line += scalar.lines;
    return next;
  }
}
