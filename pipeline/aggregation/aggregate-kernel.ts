import type { Batch } from '../execution/batch.ts';
import { FIELD_FRAME_WORDS, KernelBatch } from '../execution/kernel-batch.ts';
import type { Dialect } from '../parsing/dialect.ts';
import type { Kernel } from '../parsing/structural/kernel.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { kernelLayout, type KernelLayout } from './kernel-layout.ts';
import { encodeAggregateHead } from './partial-codec.ts';
import type { AggregateShape, AggregateSpec } from './shape.ts';

const MIB = 1024 * 1024;

/** What the kernel takes; more is left to the reference. */
const COLUMNS_MAX = 64;

/** As in `assembly/aggregate/frame.ts`. */
const FRAME_BYTES = 256;
const COLUMN_BYTES = 16;
const BLOCK_RECORDS = 256;
const BLOCK_KEY_BYTES = 32;
const LONG_KEY_BYTES = 1088;
const VALUE_BYTES = 16;
const SLOT_BYTES = 8;
const SORT_ITEM_BYTES = 32;
/** Places in the frame, in words. */
const GROUP_COUNT = 22;
const GROUPS_WRITTEN = 31;
/** Groups of a chunk of 8 MiB with records of 16 bytes. With more, they are written and cleared. */
const GROUP_COUNT_MAX = 524_288;
/** For all groups of some 190 bytes; of longer ones there are fewer. */
const GROUPS_AREA_BYTES = 48 * MIB;
/** For all keys of more than 16 bytes. */
const ARENA_BYTES = 16 * MIB;
/** A power of two: at most 60 % full. */
const SLOT_COUNT_MAX = 1_048_576;
/** The groups of most chunks, so that they are copied once. */
const OUTPUT_BYTES = 4 * MIB;
/** Counts are numbers of 32 bits. */
const RECORDS_MAX = 2 ** 31;

export interface AggregateKernelOptions {
  readonly kernel: Kernel;
  readonly dialect: Dialect;
  readonly nullstr: readonly string[];
  /** Bits of a key's hash that count. All but in tests. */
  readonly hashMask?: number;
  /** Groups from which on they are written and cleared. */
  readonly groupCountMax?: number;
}

/** Sizes of the areas in bytes, in the order of their pointers in the frame. */
const AREAS = {
  keyColumns: COLUMNS_MAX * COLUMN_BYTES,
  measured: COLUMNS_MAX * COLUMN_BYTES,
  measures: COLUMNS_MAX * COLUMN_BYTES,
  keys: BLOCK_RECORDS * BLOCK_KEY_BYTES,
  longKeys: BLOCK_RECORDS * LONG_KEY_BYTES,
  values: COLUMNS_MAX * BLOCK_RECORDS * VALUE_BYTES,
  slots: SLOT_COUNT_MAX * SLOT_BYTES,
  groups: GROUPS_AREA_BYTES,
  arena: ARENA_BYTES,
  sortItems: 2 * GROUP_COUNT_MAX * SORT_ITEM_BYTES,
  output: OUTPUT_BYTES,
};

/**
 * Groups and measures inside the kernel's memory: some 110 MiB at most, of which a chunk touches what
 * it needs. Takes batches that lie in that memory, and says which records it left: those with numbers
 * of more than 18 digits or in odd spellings, keys of more than a KiB, faults. What
 * it took becomes partials, byte for byte those of the reference.
 */
export class AggregateKernel {
  readonly #options: AggregateKernelOptions;
  readonly #kernel: Kernel;
  readonly #batches: KernelBatch;
  readonly #pointers: Readonly<Record<keyof typeof AREAS, number>>;
  readonly #frame: number;
  readonly #left: number;
  #shape: AggregateShape = { keyTypes: [], measures: [] };
  #records = 0;
  #written: Uint8Array[] = [];

  /** Null when the kernel cannot read the dialect's fields. Reserves memory of the kernel. */
  static create(options: AggregateKernelOptions): AggregateKernel | null {
    const { kernel, dialect, nullstr } = options;
    const batches = KernelBatch.create(kernel, dialect, nullstr);
    return batches === null ? null : new AggregateKernel(options, batches);
  }

  private constructor(options: AggregateKernelOptions, batches: KernelBatch) {
    const { kernel } = options;
    this.#options = options;
    this.#kernel = kernel;
    this.#batches = batches;
    this.#frame = kernel.reserve(FRAME_BYTES);
    this.#left = kernel.reserve(4 * BLOCK_RECORDS);
    const pointers = Object.entries(AREAS).map(([name, bytes]) => [name, kernel.reserve(bytes)]);
    this.#pointers = Object.fromEntries(pointers) as Record<keyof typeof AREAS, number>;
  }

  /** Starts anew with another aggregate; false when it has to be done without the kernel. */
  begin(spec: AggregateSpec, shape: AggregateShape): boolean {
    const layout = kernelLayout(spec, shape);
    if (layout === null || spec.by.length > COLUMNS_MAX) return false;
    if (layout.measured.length > COLUMNS_MAX || layout.measures.length > COLUMNS_MAX) return false;
    this.#shape = shape;
    this.#written = [];
    this.#fillFrame(layout);
    this.#clear();
    return true;
  }

  /** Whether the batch's bytes and fields lie in the kernel's memory. */
  holds(batch: Batch): boolean {
    return this.#batches.holds(batch);
  }

  /** Takes the batch's selected records. Those left are written to `left`, ascending; returns how
   *  many they are. */
  add(batch: Batch, left: Uint32Array): number {
    const { exports, buffer } = this.#kernel;
    const { selection, selectedCount } = batch;
    this.#batches.enter(batch, this.#frame);
    const leftPlaces = new Uint32Array(buffer, this.#left, BLOCK_RECORDS);
    let leftCount = 0;
    for (let from = 0; from < selectedCount; from += BLOCK_RECORDS) {
      const to = Math.min(from + BLOCK_RECORDS, selectedCount);
      if (exports.hasRoom(this.#frame) === 0 || this.#records > RECORDS_MAX) this.#write();
      const count = exports.addBlock(this.#frame, from, to);
      for (let i = 0; i < count; i++) left[leftCount++] = selection[leftPlaces[i]!]!;
      this.#records += to - from - count;
    }
    return leftCount;
  }

  /** Takes records of which no cell is read. */
  count(recordCount: number): void {
    if (this.#records > RECORDS_MAX) this.#write();
    this.#kernel.exports.addBlock(this.#frame, 0, recordCount);
    this.#records += recordCount;
  }

  /** What was taken, as partials of groups that may be the same. Starts anew. */
  takePartials(): Uint8Array[] {
    if (this.#records > 0) this.#write();
    const partials = this.#written;
    this.#written = [];
    return partials;
  }

  /** What was taken, as one partial whose groups stand as they came; null when they did not fit the
   *  kernel at once, or there are none. Starts anew if there is one. */
  takeUnsorted(): Uint8Array | null {
    if (this.#written.length > 0 || this.#records === 0) return null;
    this.#write(false);
    return this.#written.pop() ?? null;
  }

  /** Writes the groups as a partial, and clears them. */
  #write(isSorted = true): void {
    const { exports, buffer } = this.#kernel;
    const words = this.#words(FRAME_BYTES / 4);
    const groupCount = words[GROUP_COUNT]!;
    const head = new ByteWriter();
    encodeAggregateHead(head, this.#shape, this.#records, groupCount);
    const parts = [head.finish()];
    if (isSorted) exports.sortGroups(this.#frame);
    else exports.listGroups(this.#frame);
    words[GROUPS_WRITTEN] = 0;
    while (words[GROUPS_WRITTEN] < groupCount) {
      const length = exports.encodeGroups(this.#frame);
      const output = new Uint8Array(buffer, this.#pointers.output, length);
      // The last part is copied when the parts are joined, the others before they are overwritten.
      parts.push(words[GROUPS_WRITTEN] < groupCount ? output.slice() : output);
    }
    this.#written.push(joined(parts));
    this.#clear();
  }

  #clear(): void {
    this.#kernel.exports.clearGroups(this.#frame);
    this.#records = 0;
  }

  #words(count: number): Uint32Array {
    return new Uint32Array(this.#kernel.buffer, this.#frame, count);
  }

  #fillFrame(layout: KernelLayout): void {
    const { hashMask = 0xffffffff, groupCountMax = Infinity } = this.#options;
    const at = this.#pointers;
    const groupsMax = Math.floor(GROUPS_AREA_BYTES / layout.groupBytes);
    this.#words(FRAME_BYTES / 4).set(
      [
        ...[at.keyColumns, layout.keyColumns.length, at.measured, layout.measured.length],
        ...[at.measures, layout.measures.length, this.#left, at.keys, at.longKeys, at.values],
        ...[at.slots, 0, at.groups, layout.groupBytes, 0],
        ...[
          Math.min(GROUP_COUNT_MAX, groupsMax, groupCountMax),
          at.arena,
          0,
          ARENA_BYTES,
          hashMask,
        ],
        ...[at.sortItems, at.output, OUTPUT_BYTES, 0],
      ],
      FIELD_FRAME_WORDS,
    );
    this.#fillColumns(at.keyColumns, layout.keyColumns);
    this.#fillColumns(at.measured, layout.measured);
    this.#fillColumns(at.measures, layout.measures);
  }

  #fillColumns(pointer: number, columns: readonly (readonly number[])[]): void {
    new Uint32Array(this.#kernel.buffer, pointer, columns.length * 4).set(columns.flat());
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
