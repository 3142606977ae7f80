import type { Batch } from '../execution/batch.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { Column } from '../protocol/job.ts';
import { FieldSlice } from '../values/field-slice.ts';
import { NullTexts } from '../values/null-texts.ts';
import { ColumnAccumulator } from './column-accumulator.ts';
import { ColumnStatistics } from './column-statistics.ts';
import { encodeProfile, precisionFor } from './partial-codec.ts';

/** Records of a batch that are gone through column by column: their bytes stay in the cache. */
const BLOCK_RECORDS = 256;
/** Cache entries of all columns together, 40 bytes each, and of one column. */
const CACHE_ENTRIES_ALL = 32_768;
const CACHE_ENTRIES_COLUMN = 256;

export interface ProfileOptions {
  /** The input's columns. */
  readonly columns: readonly Column[];
  /** Positions of the columns to profile, in the order they are reported. All when left out. */
  readonly positions?: readonly number[];
  readonly dialect: Dialect;
  readonly nullstr: readonly string[];
}

/**
 * Profiles the selected records of batches, column by column. Exact but for the distinct counts;
 * what comes out depends on the records alone, not on their order or on how they were cut.
 */
export class ProfileAccumulator {
  readonly #names: readonly string[];
  readonly #positions: readonly number[];
  readonly #statistics: readonly ColumnStatistics[];
  readonly #accumulators: readonly ColumnAccumulator[];
  #records = 0;

  constructor(options: ProfileOptions) {
    const positions = options.positions ?? options.columns.map((_, position) => position);
    const nullTexts = new NullTexts(options.nullstr);
    const slice = new FieldSlice(options.dialect);
    const precision = precisionFor(positions.length);
    const cacheEntries = cacheEntriesFor(positions.length);
    this.#positions = positions;
    this.#names = positions.map((position) => options.columns[position]!.name);
    this.#statistics = positions.map(() => new ColumnStatistics(precision));
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
    for (let from = 0; from < selectedCount; from += BLOCK_RECORDS) {
      const to = Math.min(from + BLOCK_RECORDS, selectedCount);
      for (let c = 0; c < this.#positions.length; c++) {
        this.#addColumn(this.#accumulators[c]!, this.#positions[c]!, batch, view, from, to);
      }
    }
    this.#records += selectedCount;
  }

  /** The profile so far, as bytes. */
  toPartial(): Uint8Array {
    for (const accumulator of this.#accumulators) accumulator.flush();
    return encodeProfile(this.#names, this.#records, this.#statistics);
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
function cacheEntriesFor(columnCount: number): number {
  const share = Math.floor(CACHE_ENTRIES_ALL / Math.max(1, columnCount));
  if (share < 8) return 0;
  return Math.min(CACHE_ENTRIES_COLUMN, 2 ** (31 - Math.clz32(share)));
}
