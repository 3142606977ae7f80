import { invariant } from '../errors.ts';
import type { Batch } from '../execution/batch.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { Kernel } from '../parsing/structural/kernel.ts';
import type { ColumnStatistics } from './column-statistics.ts';
import {
  KERNEL_CACHE_ENTRY_BYTES,
  KERNEL_COLUMN_BYTES,
  moveColumn,
  type RegisterList,
} from './kernel-column.ts';
import { SPARSE_REGISTERS_MAX } from './hyper-log-log.ts';

/** What the kernel takes; more is left to the reference. Columns bound its memory at 26 MiB. */
const COLUMNS_MAX = 1024;
const NULL_TEXTS_MAX = 8;
const NULL_TEXT_BYTES_MAX = 16;
const BLOCK_RECORDS_MAX = 1024;

/** `BatchFrame` in `assembly/profile/profile-column.ts`, and an entry of its `nullTexts`. */
const FRAME_BYTES = 64;
const NULL_TEXT_ENTRY_BYTES = 32;
/** Of a register in a list. */
const LISTED_REGISTER_BYTES_MAX = 4;
/** Stands for "no quote": no byte has this value. */
const NO_QUOTE = 256;

export interface ProfileKernelOptions {
  readonly kernel: Kernel;
  readonly columnCount: number;
  readonly dialect: Dialect;
  readonly nullstr: readonly string[];
  /** Entries of a column's value cache, a power of two, or 0. */
  readonly cacheEntries: number;
  /** Records of a batch that are gone through column by column. */
  readonly blockRecords: number;
}

/**
 * The profile inside the kernel: takes batches that lie in its memory, and hands back the fields
 * that need more than it has (numbers of more than 18 digits or with an exponent, times with an
 * offset, stray quotes, long texts with doubled quotes). What it knows of a column is moved into the
 * column's statistics.
 */
export class ProfileKernel {
  readonly #kernel: Kernel;
  readonly #options: ProfileKernelOptions;
  readonly #frame: number;
  readonly #nullTexts: number;
  readonly #firstFields: number;
  readonly #deferred: number;
  readonly #columns: number;
  readonly #registerList: number;
  readonly #columnBytes: number;

  /** Null when the kernel does not take such a profile. Reserves memory of the kernel. */
  static create(options: ProfileKernelOptions): ProfileKernel | null {
    const { columnCount, dialect, nullstr, blockRecords } = options;
    invariant(blockRecords <= BLOCK_RECORDS_MAX, 'the kernel has room for the block');
    const nullTexts = encodedTexts(nullstr);
    const isNullTaken =
      nullTexts.length <= NULL_TEXTS_MAX &&
      nullTexts.every((text) => text.length <= NULL_TEXT_BYTES_MAX);
    const isQuoteTaken = dialect.quote.length <= 1 && dialect.quote <= '\x7f';
    const isEscapeTaken = dialect.escape === dialect.quote;
    if (columnCount > COLUMNS_MAX || !isNullTaken || !isQuoteTaken || !isEscapeTaken) return null;
    return new ProfileKernel(options);
  }

  private constructor(options: ProfileKernelOptions) {
    const { kernel, columnCount, cacheEntries, blockRecords } = options;
    this.#kernel = kernel;
    this.#options = options;
    this.#columnBytes = KERNEL_COLUMN_BYTES + cacheEntries * KERNEL_CACHE_ENTRY_BYTES;
    const nullTextsBytes = NULL_TEXTS_MAX * NULL_TEXT_ENTRY_BYTES;
    const scratchBytes = 4 * (kernel.recordsMax + blockRecords);
    const columnsAt = Math.ceil((FRAME_BYTES + nullTextsBytes + scratchBytes) / 64) * 64;
    this.#frame = kernel.reserve(columnsAt + columnCount * this.#columnBytes);
    this.#registerList = kernel.reserve(4 + LISTED_REGISTER_BYTES_MAX * SPARSE_REGISTERS_MAX);
    this.#nullTexts = this.#frame + FRAME_BYTES;
    this.#firstFields = this.#nullTexts + nullTextsBytes;
    this.#deferred = this.#firstFields + 4 * kernel.recordsMax;
    this.#columns = this.#frame + columnsAt;
  }

  /** Starts anew: all columns have seen nothing. */
  reset(): void {
    const { kernel, columnCount, cacheEntries } = this.#options;
    for (let column = 0; column < columnCount; column++) {
      kernel.exports.initColumn(this.#pointerOf(column), cacheEntries);
    }
  }

  /** Whether the batch's bytes and fields lie in the kernel's memory. */
  holds({ bytes, index, selectedCount }: Batch): boolean {
    const kernel = this.#kernel;
    const { fieldStarts, fieldEnds } = kernel.arrays;
    return (
      kernel.holds(bytes) &&
      index.fieldStarts === fieldStarts &&
      index.fieldEnds === fieldEnds &&
      selectedCount <= kernel.recordsMax
    );
  }

  /** Takes the batch's selected records: of each, the fields at `positions`. Fields that it hands
   *  back, by column and place in the batch's index, are taken by `takeBack`. */
  add(
    batch: Batch,
    positions: readonly number[],
    takeBack: (column: number, field: number) => void,
  ): void {
    const { exports, buffer } = this.#kernel;
    const { blockRecords } = this.#options;
    this.#fillFrame();
    this.#fillFirstFields(batch);
    const deferred = new Uint32Array(buffer, this.#deferred, blockRecords);
    for (let from = 0; from < batch.selectedCount; from += blockRecords) {
      const to = Math.min(from + blockRecords, batch.selectedCount);
      for (let column = 0; column < positions.length; column++) {
        const count = exports.profileColumn(
          ...([this.#frame, this.#pointerOf(column), positions[column]!, from, to] as const),
        );
        for (let i = 0; i < count; i++) takeBack(column, deferred[i]!);
      }
    }
  }

  /** Moves what the kernel knows into the columns' statistics, and starts anew. */
  moveInto(statistics: readonly ColumnStatistics[]): void {
    const { exports, buffer } = this.#kernel;
    statistics.forEach((column, i) => {
      exports.flushColumn(this.#pointerOf(i));
      moveColumn(buffer, this.#pointerOf(i), this.#listRegisters(i), column);
    });
    this.reset();
  }

  #listRegisters(column: number): RegisterList | null {
    const { exports, buffer } = this.#kernel;
    const most = SPARSE_REGISTERS_MAX;
    const length = exports.listRegisters(this.#pointerOf(column), this.#registerList, most);
    if (length === 0) return null;
    const [count = 0] = new Uint32Array(buffer, this.#registerList, 1);
    return { count, bytes: new Uint8Array(buffer, this.#registerList + 4, length).slice() };
  }

  #pointerOf(column: number): number {
    return this.#columns + column * this.#columnBytes;
  }

  #fillFrame(): void {
    const kernel = this.#kernel;
    const { dialect, nullstr } = this.#options;
    const nullTexts = encodedTexts(nullstr);
    new Uint32Array(kernel.buffer, this.#frame, 8).set([
      kernel.textPointer,
      kernel.pointerOf('fieldStarts'),
      kernel.pointerOf('fieldEnds'),
      this.#firstFields,
      this.#deferred,
      this.#nullTexts,
      nullTexts.length,
      dialect.quote === '' ? NO_QUOTE : dialect.quote.charCodeAt(0),
    ]);
    nullTexts.forEach((text, i) => {
      const at = this.#nullTexts + i * NULL_TEXT_ENTRY_BYTES;
      const entry = new Uint8Array(kernel.buffer, at, NULL_TEXT_ENTRY_BYTES);
      entry.fill(0);
      entry.set(text);
      entry[NULL_TEXT_BYTES_MAX] = text.length;
    });
  }

  #fillFirstFields({ index, selection, selectedCount }: Batch): void {
    const { recordFields } = index;
    const firstFields = new Uint32Array(this.#kernel.buffer, this.#firstFields, selectedCount);
    for (let i = 0; i < selectedCount; i++) firstFields[i] = recordFields[selection[i]!]!;
  }
}

/** The empty text is left out: an empty field counts the same, NULL or not. */
function encodedTexts(nullstr: readonly string[]): Uint8Array[] {
  const encoder = new TextEncoder();
  return nullstr.filter((text) => text !== '').map((text) => encoder.encode(text));
}
