import { SluiceError } from '../errors.ts';
import type { ExchangeLimits } from '../limits.ts';
import { isWholeKey, type BlockIndex } from './block-index.ts';
import { compareKeys, orderByKey } from './order-by-key.ts';
import {
  base64,
  sliceBytes,
  sliceOf,
  type Bound,
  type SliceDocument,
  type WaveDocument,
} from './wave-document.ts';

/** An output of the wave before, and its index. */
export interface Run {
  readonly taskKey: string;
  readonly index: BlockIndex;
  /** Where its blocks begin in the output; 0 when left out. */
  readonly start?: number;
  /** What an entry counts as at least; `ENTRY_BYTES_MIN` when left out. */
  readonly entryBytes?: number;
  /** The place of the output among all; that among these runs when left out. */
  readonly number?: number;
}

/**
 * A place in the order of all records: by key, then by run, then by position in the run. `run` -1 is
 * before every record of that key, and of the keys that begin with it.
 */
interface Place {
  readonly key: Uint8Array;
  readonly run: number;
  readonly ordinal: number;
}

/** A block, by its run and its place there. */
interface BlockRef {
  readonly run: number;
  readonly block: number;
}

export interface SortPlan {
  /** So many of the first records are needed; null for all. */
  readonly take: number | null;
  /** Whether entries of one key may be in several tasks. */
  readonly splitsKeys: boolean;
  /** Whether tasks have to know the order of the runs. */
  readonly tellsRuns?: boolean;
  /** Runs that may hold the same range of keys; all when left out. */
  readonly depth?: number;
}

/**
 * Tasks that merge sorted runs: ranges of keys of some `partitionBytes`, cut where blocks begin, and
 * inside a key where many records share it. With `take`, blocks that cannot hold one of the first
 * records are left out.
 */
export function* planSort(
  runs: readonly Run[],
  { take, splitsKeys, tellsRuns = false, depth = runs.length }: SortPlan,
  limits: ExchangeLimits,
): Generator<MergeDocument> {
  const blocks = blocksInOrder(runs);
  const end = take === null ? null : endOf(runs, blocks, take);
  const kept = end === null ? blocks : blocksBefore(runs, blocks, end);
  const filtered = recordsOf(runs, blocks) - recordsOf(runs, kept);
  if (kept.count === 0) {
    if (filtered > 0) yield { kind: 'merge', lower: null, upper: null, slices: [], filtered };
    return;
  }
  const places = splitPlaces(runs, kept, partitionBytes(runs, kept, depth, limits), splitsKeys);
  const cursor = new RangeCursor(runs, keptCounts(runs, kept));
  for (let i = 0; i <= places.length; i++) {
    const lower = places[i - 1] ?? null;
    const upper = places[i] ?? null;
    const slices = cursor.next(lower, upper, limits);
    yield {
      kind: 'merge',
      ...{ lower: boundOf(lower, slices), upper: boundOf(upper, slices) },
      ...{ slices: slices.map(({ document }) => document), filtered: i === 0 ? filtered : 0 },
      ...(tellsRuns ? { runs: slices.map(({ run }) => runs[run]!.number ?? run) } : {}),
    };
  }
}

export type MergeDocument = Extract<WaveDocument, { kind: 'merge' }>;

/** Many blocks, without an object for each. */
interface Blocks {
  readonly count: number;
  readonly run: Uint32Array;
  readonly block: Uint32Array;
}

function* refsOf({ count, run, block }: Blocks): Generator<BlockRef> {
  for (let i = 0; i < count; i++) yield { run: run[i]!, block: block[i]! };
}

/** All blocks by the place of their first record. */
function blocksInOrder(runs: readonly Run[]): Blocks {
  const count = runs.reduce((sum, { index }) => sum + index.count, 0);
  const all = { count, run: new Uint32Array(count), block: new Uint32Array(count) };
  const starts = new Uint32Array(count + 1);
  let i = 0;
  runs.forEach(({ index }, run) => {
    for (let block = 0; block < index.count; block++, i++) {
      all.run[i] = run;
      all.block[i] = block;
      starts[i + 1] = starts[i]! + index.keyEnds[block]! - index.keyStarts[block]!;
    }
  });
  const keys = new Uint8Array(starts[count]!);
  i = 0;
  for (const ref of refsOf(all)) keys.set(keyOf(runs, ref), starts[i++]);
  const order = orderByKey(keys, starts, starts.subarray(1), count);
  return {
    ...{ count, run: order.map((at) => all.run[at]!) },
    block: order.map((at) => all.block[at]!),
  };
}

/** Those that may hold a record before a place. */
function blocksBefore(runs: readonly Run[], blocks: Blocks, end: Place): Blocks {
  const kept = [...refsOf(blocks)].filter((ref) => !startsAtOrAfter(runs, ref, end));
  return {
    ...{ count: kept.length, run: Uint32Array.from(kept, ({ run }) => run) },
    block: Uint32Array.from(kept, ({ block }) => block),
  };
}

/** The place behind which no record is among the first `take`. */
function endOf(runs: readonly Run[], blocks: Blocks, take: number): Place | null {
  const ends = Array.from(refsOf(blocks), ({ run, block }) => ({ run, block: block + 1 }));
  ends.sort((left, right) => comparePlaces(placeOf(runs, left), placeOf(runs, right)));
  let records = 0;
  for (const end of ends) {
    const { ordinals } = runs[end.run]!.index;
    records += ordinals[end.block]! - ordinals[end.block - 1]!;
    const isCertain = isWholeKey(runs[end.run]!.index, end.block);
    if (records >= take && isCertain) return placeOf(runs, end);
  }
  return null;
}

/** What an entry counts as at least: sorting takes some 50 bytes for each beside its own. */
export const ENTRY_BYTES_MIN = 32;

/** Where partitions begin, but the first: ascending. */
function splitPlaces(
  runs: readonly Run[],
  blocks: Blocks,
  partitionBytes: number,
  splitsKeys: boolean,
): Place[] {
  const places: Place[] = [];
  let last: Place | null = null;
  let bytes = 0;
  for (const ref of refsOf(blocks)) {
    // Before the first key there is nothing.
    last ??= { key: keyOf(runs, ref), run: -1, ordinal: 0 };
    if (bytes >= partitionBytes) {
      const place =
        splitsKeys && isWholeKey(runs[ref.run]!.index, ref.block)
          ? placeOf(runs, ref)
          : { key: keyOf(runs, ref), run: -1, ordinal: 0 };
      if (comparePlaces(last, place) < 0) {
        places.push(place);
        last = place;
        bytes = 0;
      }
    }
    const { entryBytes = ENTRY_BYTES_MIN } = runs[ref.run]!;
    bytes += Math.max(bytesOf(runs, ref), entryBytes * recordsIn(runs, ref));
  }
  return places;
}

/** A partition reads up to one block more of each run at either end: it is made so large that those
 *  are a small part of it. */
function partitionBytes(
  runs: readonly Run[],
  blocks: Blocks,
  depth: number,
  limits: ExchangeLimits,
): number {
  let bytes = 0;
  for (const ref of refsOf(blocks)) bytes += bytesOf(runs, ref);
  const overlap = (2 * depth * bytes) / blocks.count;
  return Math.max(limits.partitionBytes, Math.min(overlap, limits.partitionBytesMax));
}

function keptCounts(runs: readonly Run[], kept: Blocks): Uint32Array {
  const counts = new Uint32Array(runs.length);
  for (const { run } of refsOf(kept)) counts[run]! += 1;
  return counts;
}

/** A slice and the run it is of. */
interface RunSlice {
  readonly run: number;
  readonly firstOrdinal: number;
  readonly document: SliceDocument;
}

/** Finds the blocks of one range of places after another: the ranges ascend. */
class RangeCursor {
  private readonly runs: readonly Run[];
  /** By run: so many blocks take part. */
  private readonly counts: Uint32Array;
  private readonly first: Uint32Array;
  private readonly last: Uint32Array;

  constructor(runs: readonly Run[], counts: Uint32Array) {
    this.runs = runs;
    this.counts = counts;
    this.first = new Uint32Array(runs.length);
    this.last = new Uint32Array(runs.length);
  }

  /** Blocks that may hold records of `[lower, upper)`. */
  next(lower: Place | null, upper: Place | null, limits: ExchangeLimits): RunSlice[] {
    const slices: RunSlice[] = [];
    for (let run = 0; run < this.runs.length; run++) {
      const { taskKey, index, start } = this.runs[run]!;
      const count = this.counts[run]!;
      let first = this.first[run]!;
      while (first < count && lower !== null && this.endsBefore(run, first, lower)) first++;
      let last = Math.max(first, this.last[run]!);
      while (last < count && !this.startsAtOrAfter(run, last, upper)) last++;
      this.first[run] = first;
      this.last[run] = last;
      if (last === first) continue;
      const document = sliceOf(taskKey, index, first, last, start);
      slices.push({ run, firstOrdinal: index.ordinals[first]!, document });
    }
    const bytes = slices.reduce((sum, { document }) => sum + sliceBytes(document), 0);
    if (bytes > limits.taskBytesMax) throw tooLarge(bytes, limits);
    return slices;
  }

  /** Whether all records of a block are surely before a place. */
  private endsBefore(run: number, block: number, place: Place): boolean {
    const ref = { run, block: block + 1 };
    const key = keyOf(this.runs, ref);
    if (isWholeKey(this.runs[run]!.index, block + 1)) {
      return comparePlaces(placeOf(this.runs, ref), place) <= 0;
    }
    const isBefore = compareKeys(key, 0, key.length, place.key, 0, place.key.length) < 0;
    return isBefore && !key.every((byte, i) => place.key[i] === byte);
  }

  private startsAtOrAfter(run: number, block: number, place: Place | null): boolean {
    return place !== null && startsAtOrAfter(this.runs, { run, block }, place);
  }
}

/** Whether all records of a block are surely at a place or behind it. */
function startsAtOrAfter(runs: readonly Run[], ref: BlockRef, place: Place): boolean {
  return comparePlaces(placeOf(runs, ref), place) >= 0;
}

/** The bound that a place is to a task's slices. */
function boundOf(place: Place | null, slices: readonly RunSlice[]): Bound | null {
  if (place === null) return null;
  const slice = slices.filter(({ run }) => run < place.run).length;
  const own = slices[slice];
  const entry = own?.run === place.run ? Math.max(0, place.ordinal - own.firstOrdinal) : 0;
  return { key: base64(place.key), slice, entry };
}

/** The first record of a block; of the block behind the last, the place behind the last record. */
function placeOf(runs: readonly Run[], ref: BlockRef): Place {
  const ordinal = runs[ref.run]!.index.ordinals[ref.block]!;
  return { key: keyOf(runs, ref), run: ref.run, ordinal };
}

function comparePlaces(left: Place, right: Place): number {
  const { key } = left;
  return (
    compareKeys(key, 0, key.length, right.key, 0, right.key.length) ||
    left.run - right.run ||
    left.ordinal - right.ordinal
  );
}

function keyOf(runs: readonly Run[], { run, block }: BlockRef): Uint8Array {
  const { bytes, keyStarts, keyEnds } = runs[run]!.index;
  return bytes.subarray(keyStarts[block], keyEnds[block]);
}

function bytesOf(runs: readonly Run[], { run, block }: BlockRef): number {
  const { starts } = runs[run]!.index;
  return starts[block + 1]! - starts[block]!;
}

function recordsOf(runs: readonly Run[], blocks: Blocks): number {
  let records = 0;
  for (const ref of refsOf(blocks)) records += recordsIn(runs, ref);
  return records;
}

function recordsIn(runs: readonly Run[], { run, block }: BlockRef): number {
  const { ordinals } = runs[run]!.index;
  return ordinals[block + 1]! - ordinals[block]!;
}

function tooLarge(bytes: number, { taskBytesMax }: ExchangeLimits): SluiceError {
  const mib = (size: number): string => `${String(Math.ceil(size / 2 ** 20))} MiB`;
  return new SluiceError(
    'limit-exceeded',
    `A task would read ${mib(bytes)}, more than the ${mib(taskBytesMax)} that a worker holds: ` +
      'too many records share the first 1024 bytes of their keys, or are themselves too long',
    { details: { bytes, taskBytesMax } },
  );
}
