import { KERNEL_TYPES } from '../aggregation/kernel-layout.ts';
import type { KeyArena } from '../exchange/key-arena.ts';
import type { Kernel } from '../parsing/structural/kernel.ts';
import type { SortKey } from '../plan/step.ts';
import type { Batch } from './batch.ts';
import { positionOf, type ColumnView } from './column-view.ts';
import { FIELD_FRAME_WORDS, type KernelBatch, SCRATCH_BYTES, SLACK_BYTES } from './kernel-batch.ts';

/** `KeyFrame` and `KeyColumn` in `assembly/entries/record-keys.ts`. */
const FRAME_BYTES = 128;
const SELECTED_COUNT = FIELD_FRAME_WORDS + 1;
const COLUMN_WORDS = 4;
const VALUE_BYTES = 8;
/** Keys of a batch: mostly far less than its text, which is 128 KiB. */
const KEYS_BYTES = 512 * 1024;
const NULL_FIRST = 0;
const NULL_LAST = 2;
const LEFT = 0xffffffff;

/** Makes the keys of batches that lie in the kernel's memory; whole batches, or none of one. */
export class SortKernel {
  readonly #batches: KernelBatch;
  readonly #kernel: Kernel;
  readonly #frame: number;
  readonly #keys: number;
  readonly #ends: number;

  /** Null when a key is not of a field of the input. Reserves memory of the kernel. */
  static create(
    keys: readonly SortKey[],
    view: ColumnView,
    fieldCount: number,
    batches: KernelBatch,
  ): SortKernel | null {
    const columns = keys.map(({ column, desc, nulls }) => {
      const position = positionOf(view, column);
      const { type } = view.columns[position]!;
      const nullByte = nulls === 'first' ? NULL_FIRST : NULL_LAST;
      return [view.sources[position]!, KERNEL_TYPES[type], desc ? 1 : 0, nullByte] as const;
    });
    if (columns.some(([source]) => source >= fieldCount)) return null;
    return new SortKernel(batches, columns);
  }

  private constructor(batches: KernelBatch, columns: readonly (readonly number[])[]) {
    const { kernel } = batches;
    const recordsMax = Math.ceil(kernel.recordsMax / 64) * 64;
    const bitmapBytes = recordsMax / 8;
    this.#batches = batches;
    this.#kernel = kernel;
    this.#frame = kernel.reserve(FRAME_BYTES);
    const values = kernel.reserve(columns.length * recordsMax * VALUE_BYTES);
    const valids = kernel.reserve(columns.length * bitmapBytes);
    const left = kernel.reserve(bitmapBytes);
    const scratch = kernel.reserve(SCRATCH_BYTES + SLACK_BYTES);
    const places = kernel.reserve(columns.length * COLUMN_WORDS * 4);
    this.#keys = kernel.reserve(KEYS_BYTES + SLACK_BYTES);
    this.#ends = kernel.reserve(recordsMax * 4);
    new Uint32Array(kernel.buffer, places, columns.length * COLUMN_WORDS).set(columns.flat());
    this.#words().set(
      [
        ...[batches.selection, 0, 0, 0, values, valids, 0, left],
        ...[recordsMax * VALUE_BYTES, bitmapBytes, 0, scratch, SCRATCH_BYTES, 0, 0],
        ...[places, columns.length, this.#keys, KEYS_BYTES, this.#ends],
      ],
      FIELD_FRAME_WORDS,
    );
  }

  /** Adds the keys of the selected records; false, and none are, where the reference has to: values in
   *  rare spellings or of many digits, and all that do not cast. */
  append(batch: Batch, arena: KeyArena): boolean {
    if (!this.#batches.holds(batch)) return false;
    const { selectedCount } = batch;
    this.#batches.enter(batch, this.#frame);
    this.#words()[SELECTED_COUNT] = selectedCount;
    const length = this.#kernel.exports.writeKeys(this.#frame) >>> 0;
    if (length === LEFT) return false;
    const { buffer } = this.#kernel;
    const keys = new Uint8Array(buffer, this.#keys, length);
    arena.addAll(keys, new Uint32Array(buffer, this.#ends, selectedCount));
    return true;
  }

  #words(): Uint32Array {
    return new Uint32Array(this.#kernel.buffer, this.#frame, FRAME_BYTES / 4);
  }
}
