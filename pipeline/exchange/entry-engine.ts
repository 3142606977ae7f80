import type { AggregateHead } from '../aggregation/partial-codec.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import type { Entries } from './entries.ts';
import type { EntryWriter } from './entry-writer.ts';
import type { GroupKernel } from './group-kernel.ts';
import type { Bound, SliceDocument } from './wave-document.ts';

/** Slices of one piece of memory. */
export interface ByteSlices {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Entries as they are stored, and the index of them. */
export type WrittenEntries = ReturnType<EntryWriter['finish']>;

/** What is done with many entries at a time. What it returned before is void when it reads again. */
export interface EntryEngine {
  /** See `readEntries`. */
  read(
    documents: readonly SliceDocument[],
    slices: readonly Uint8Array[],
    lower?: Bound | null,
    upper?: Bound | null,
  ): Entries;
  /** The entries that were read last in the order of their keys, see `orderByKey`. */
  order(entries: Entries): Uint32Array;
  /** Merges groups, where the entries that were read and ordered last are some; null where the
   *  reference has to. */
  mergerOf(entries: Entries, shape: AggregateShape): GroupKernel | null;
  /** Records of entries that were read last, one behind the other, in parts. */
  copyRecords(entries: Entries, order: Uint32Array): Uint8Array[];
  /** Writes the first `take` of `count` entries in the order of their keys. */
  writeSorted(
    keys: ByteSlices,
    records: ByteSlices,
    count: number,
    take: number,
    blockBytes: number,
  ): WrittenEntries;
  /** Writes the groups of a partial in the order of their keys; null where the reference has to. */
  writeGroups(partial: Uint8Array, head: AggregateHead, blockBytes: number): WrittenEntries | null;
}
