import { invariant } from '../errors.ts';
import type { Batch } from '../execution/batch.ts';
import { FIELD_FRAME_WORDS, KernelBatch } from '../execution/kernel-batch.ts';
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
const BLOCK_RECORDS_MAX = 1024;

/** `BatchFrame` in `assembly/profile/profile-column.ts`. */
const FRAME_BYTES = 64;
/** Of a register in a list. */
const LISTED_REGISTER_BYTES_MAX = 4;

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
  readonly #batches: KernelBatch;
  readonly #frame: number;
  readonly #deferred: number;
  readonly #columns: number;
  readonly #registerList: number;
  readonly #columnBytes: number;

  /** Null when the kernel does not take such a profile. Reserves memory of the kernel. */
  static create(options: ProfileKernelOptions): ProfileKernel | null {
    const { kernel, columnCount, dialect, nullstr, blockRecords } = options;
    invariant(blockRecords <= BLOCK_RECORDS_MAX, 'the kernel has room for the block');
    if (columnCount > COLUMNS_MAX) return null;
    const batches = KernelBatch.create(kernel, dialect, nullstr);
    return batches === null ? null : new ProfileKernel(options, batches);
  }

  private constructor(options: ProfileKernelOptions, batches: KernelBatch) {
    const { kernel, columnCount, cacheEntries, blockRecords } = options;
    this.#kernel = kernel;
    this.#options = options;
    this.#batches = batches;
    this.#columnBytes = KERNEL_COLUMN_BYTES + cacheEntries * KERNEL_CACHE_ENTRY_BYTES;
    this.#frame = kernel.reserve(FRAME_BYTES);
    this.#deferred = kernel.reserve(4 * blockRecords);
    this.#registerList = kernel.reserve(4 + LISTED_REGISTER_BYTES_MAX * SPARSE_REGISTERS_MAX);
    this.#columns = kernel.reserve(columnCount * this.#columnBytes);
    new Uint32Array(kernel.buffer, this.#frame, FRAME_BYTES / 4)[FIELD_FRAME_WORDS] =
      this.#deferred;
  }

  /** Starts anew: all columns have seen nothing. */
  reset(): void {
    const { kernel, columnCount, cacheEntries } = this.#options;
    for (let column = 0; column < columnCount; column++) {
      kernel.exports.initColumn(this.#pointerOf(column), cacheEntries);
    }
  }

  /** Whether the batch's bytes and fields lie in the kernel's memory. */
  holds(batch: Batch): boolean {
    return this.#batches.holds(batch);
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
    this.#batches.enter(batch, this.#frame);
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
    const emptyIsNull = this.#options.nullstr.includes('');
    statistics.forEach((column, i) => {
      exports.flushColumn(this.#pointerOf(i));
      moveColumn(buffer, this.#pointerOf(i), this.#listRegisters(i), emptyIsNull, column);
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
}
