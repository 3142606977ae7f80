import type { Batch } from '../execution/batch.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { Kernel } from '../parsing/structural/kernel.ts';
import type { Column } from '../protocol/job.ts';
import { FieldSlice } from '../values/field-slice.ts';
import { NullTexts } from '../values/null-texts.ts';
import { ColumnAccumulator } from './column-accumulator.ts';
import type { ColumnDetail } from './column-detail.ts';
import { ColumnStatistics } from './column-statistics.ts';
import { encodeProfile } from './partial-codec.ts';
import { ProfileKernel } from './profile-kernel.ts';

/** Records of a batch that are gone through column by column: their bytes stay in the cache. */
const BLOCK_RECORDS = 1024;
/** Cache entries of all columns together, 40 bytes each, and of one column; of one in the kernel. */
const CACHE_ENTRIES_ALL = 32_768;
const CACHE_ENTRIES_COLUMN = 256;
const CACHE_ENTRIES_KERNEL = 512;

export interface ProfileOptions {
  /** The input's columns. */
  readonly columns: readonly Column[];
  /** Positions of the columns to profile, in the order they are reported. All when left out. */
  readonly positions?: readonly number[];
  readonly dialect: Dialect;
  readonly nullstr: readonly string[];
  /** Whether quotes tell the empty text from NULL; `nullstr` says nothing then. */
  readonly tellsEmpty: boolean;
  /** Whether frequent values, deviation, quantiles and histogram are wanted too. */
  readonly isDetailed?: boolean;
  /** Made for as many columns as there are positions, for the same dialect and nullstr. */
  readonly kernel?: ProfileKernel | null;
}

/** The profile of so many columns within a kernel; null when the kernel does not take it. */
export function createProfileKernel(
  kernel: Kernel,
  columnCount: number,
  dialect: Dialect,
  nullstr: readonly string[],
): ProfileKernel | null {
  const cacheEntries = cacheEntriesFor(columnCount, CACHE_ENTRIES_KERNEL);
  const blockRecords = BLOCK_RECORDS;
  return ProfileKernel.create({
    kernel,
    columnCount,
    dialect,
    nullstr,
    cacheEntries,
    blockRecords,
  });
}

/**
 * Profiles the selected records of batches, column by column. Exact but for the distinct counts;
 * what comes out depends on the records alone, not on their order, on how they were cut, or on which
 * of them the kernel took.
 */
export class ProfileAccumulator {
  readonly #names: readonly string[];
  readonly #positions: readonly number[];
  readonly #statistics: readonly ColumnStatistics[];
  readonly #accumulators: readonly ColumnAccumulator[];
  readonly #kernel: ProfileKernel | null;
  readonly #nullTexts: NullTexts;
  readonly #slice: FieldSlice;
  #records = 0;

  constructor(options: ProfileOptions) {
    const positions = options.positions ?? options.columns.map((_, position) => position);
    const nullTexts = new NullTexts(options.nullstr, options.tellsEmpty);
    const slice = new FieldSlice(options.dialect);
    const cacheEntries = cacheEntriesFor(positions.length, CACHE_ENTRIES_COLUMN);
    const isDetailed = options.isDetailed === true;
    this.#nullTexts = nullTexts;
    this.#slice = slice;
    this.#kernel = options.kernel ?? null;
    this.#kernel?.reset();
    this.#positions = positions;
    this.#names = positions.map((position) => options.columns[position]!.name);
    this.#statistics = positions.map(() => new ColumnStatistics(positions.length, isDetailed));
    this.#accumulators = this.#statistics.map(
      (statistics) => new ColumnAccumulator(statistics, nullTexts, slice, cacheEntries),
    );
  }

  get records(): number {
    return this.#records;
  }

  /** Takes the batch's selected records. */
  add(batch: Batch): void {
    const { bytes, selectedCount } = batch;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#records += selectedCount;
    this.#statistics.forEach(({ detail }, c) => {
      if (detail !== null) this.#addDetail(detail, this.#positions[c]!, batch);
    });
    if (this.#kernel?.holds(batch)) {
      const { fieldStarts, fieldEnds } = batch.index;
      this.#kernel.add(batch, this.#positions, (column, field) => {
        this.#accumulators[column]!.add(bytes, view, fieldStarts[field]!, fieldEnds[field]!);
      });
      return;
    }
    for (let from = 0; from < selectedCount; from += BLOCK_RECORDS) {
      const to = Math.min(from + BLOCK_RECORDS, selectedCount);
      for (let c = 0; c < this.#positions.length; c++) {
        this.#addColumn(this.#accumulators[c]!, this.#positions[c]!, batch, view, from, to);
      }
    }
  }

  /** The profile so far, as bytes. */
  toPartial(): Uint8Array {
    this.#kernel?.moveInto(this.#statistics);
    for (const accumulator of this.#accumulators) accumulator.flush();
    return encodeProfile(this.#names, this.#records, this.#statistics);
  }

  #addDetail(detail: ColumnDetail, position: number, batch: Batch): void {
    const { bytes, index, selection, selectedCount } = batch;
    const { recordFields, fieldStarts, fieldEnds } = index;
    const slice = this.#slice;
    for (let i = 0; i < selectedCount; i++) {
      const field = recordFields[selection[i]!]! + position;
      const [start, end] = [fieldStarts[field]!, fieldEnds[field]!];
      if (this.#nullTexts.pointAt(slice, bytes, start, end)) continue;
      if (slice.start === slice.end) continue;
      detail.add(slice.bytes, slice.start, slice.end);
    }
  }

  #addColumn(
    accumulator: ColumnAccumulator,
    position: number,
    batch: Batch,
    view: DataView,
    from: number,
    to: number,
  ): void {
    const { bytes, index, selection } = batch;
    const { recordFields, fieldStarts, fieldEnds } = index;
    for (let i = from; i < to; i++) {
      const field = recordFields[selection[i]!]! + position;
      accumulator.add(bytes, view, fieldStarts[field]!, fieldEnds[field]!);
    }
  }
}

/** A power of two, less for many columns; none when there are too many to be worth it. */
function cacheEntriesFor(columnCount: number, entriesMax: number): number {
  const share = Math.floor(CACHE_ENTRIES_ALL / Math.max(1, columnCount));
  if (share < 8) return 0;
  return Math.min(entriesMax, 2 ** (31 - Math.clz32(share)));
}
