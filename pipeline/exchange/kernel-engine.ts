import { invariant } from '../errors.ts';
import type { AggregateHead } from '../aggregation/partial-codec.ts';
import type { AggregateShape } from '../aggregation/shape.ts';
import type { KernelModule } from '../parsing/structural/kernel.ts';
import { verify, type Entries } from './entries.ts';
import type { ByteSlices, EntryEngine, WrittenEntries } from './entry-engine.ts';
import { EntryKernel, type EntryAreas } from './entry-kernel.ts';
import { EntryWriter, NO_KEY } from './entry-writer.ts';
import { indexGroups } from './group-index.ts';
import { GROUP_AREA_BYTES, GroupKernel } from './group-kernel.ts';
import { fromBase64, sliceBytes, type Bound, type SliceDocument } from './wave-document.ts';

const PART_BYTES = 1024 * 1024;
/** What sorting takes for each entry, twice. */
const ITEM_BYTES = 16;
const WORD_BYTES = 4;
/** Words of `ReadFrame` and `Bound` in `assembly/entries/read-entries.ts`. */
const READ_FRAME_WORDS = 7;
const READ_COUNT = 4;
const BOUND_WORDS = 5;
/** Words of `EntryFrame`. */
const ORDER_AND_COUNT = 6;

/** Entries in the kernel's memory. */
interface HeldEntries {
  readonly entries: Entries;
  readonly frame: number;
  readonly order: number;
  readonly items: number;
  readonly groups: number;
}

/**
 * Reads, sorts and writes entries in the kernel: with the same results as the reference, and without
 * an object for each. What is read lies in one memory, and what is written in another, since the
 * first is still looked into then.
 */
export class KernelEngine implements EntryEngine {
  readonly #reader: EntryKernel;
  readonly #writer: EntryKernel;
  #held: HeldEntries | null = null;

  constructor(module: KernelModule) {
    this.#reader = new EntryKernel(module);
    this.#writer = new EntryKernel(module);
  }

  read(
    documents: readonly SliceDocument[],
    slices: readonly Uint8Array[],
    lower: Bound | null = null,
    upper: Bound | null = null,
  ): Entries {
    const kernel = this.#reader;
    const lengths = documents.map(sliceBytes);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    kernel.clear(total);
    const text = kernel.area(total);
    let at = text;
    documents.forEach((document, i) => {
      const bytes = slices[i] ?? NO_KEY;
      verify(document, bytes);
      kernel.bytes(at, bytes.length).set(bytes);
      at += bytes.length;
    });
    const most = kernel.exports.countEntries(text, at);
    const bounds = [putBound(kernel, lower), putBound(kernel, upper)];
    const [keyStarts = 0, keyEnds = 0, recordEnds = 0, order = 0] = Array.from({ length: 4 }, () =>
      kernel.area(most * WORD_BYTES),
    );
    const items = kernel.area(2 * most * ITEM_BYTES);
    const groups = kernel.area(GROUP_AREA_BYTES);
    const reading = kernel.area(READ_FRAME_WORDS * WORD_BYTES);
    const words = kernel.words(reading, READ_FRAME_WORDS);
    words.set([text, keyStarts, keyEnds, recordEnds, 0, ...bounds]);
    const sliceStarts = [0];
    at = 0;
    lengths.forEach((length, slice) => {
      kernel.exports.readEntries(reading, at, at + length, slice);
      at += length;
      sliceStarts.push(words[READ_COUNT]!);
    });
    const count = words[READ_COUNT]!;
    const frame = kernel.frame({
      ...{ text, starts: keyStarts, ends: keyEnds, order, count },
      ...{ recordText: text, recordStarts: keyEnds, recordEnds },
    });
    kernel.setOutput(frame, PART_BYTES);
    const arrayAt = (pointer: number) => kernel.words(pointer, count);
    const entries = {
      ...{ bytes: kernel.bytes(text, total), count, sliceStarts },
      ...{ keyStarts: arrayAt(keyStarts), keyEnds: arrayAt(keyEnds) },
      recordEnds: arrayAt(recordEnds),
    };
    this.#held = { entries, frame, order, items, groups };
    return entries;
  }

  order(entries: Entries): Uint32Array {
    const { frame, order, items } = this.#heldOf(entries);
    this.#reader.exports.orderKeys(frame, entries.count, order, items);
    return this.#reader.words(order, entries.count);
  }

  mergerOf(entries: Entries, shape: AggregateShape): GroupKernel | null {
    const { frame, groups } = this.#heldOf(entries);
    return GroupKernel.create(this.#reader, frame, groups, shape);
  }

  copyRecords(entries: Entries, order: Uint32Array): Uint8Array[] {
    const kernel = this.#reader;
    const held = this.#heldOf(entries);
    kernel.words(held.order, order.length).set(order);
    kernel.words(held.frame, ORDER_AND_COUNT + 2).set([held.order, order.length], ORDER_AND_COUNT);
    const parts: Uint8Array[] = [];
    for (let place = 0; place < order.length;) {
      place = kernel.exports.copyRecords(held.frame, place);
      parts.push(kernel.written(held.frame).slice());
    }
    return parts;
  }

  writeSorted(
    keys: ByteSlices,
    records: ByteSlices,
    count: number,
    take: number,
    blockBytes: number,
  ): WrittenEntries {
    const kernel = this.#writer;
    const keyBytes = count === 0 ? 0 : keys.ends[count - 1]!;
    kernel.clear(keyBytes + records.bytes.length);
    const [text, recordText] = [keys.bytes.subarray(0, keyBytes), records.bytes].map((bytes) => {
      const pointer = kernel.area(bytes.length);
      kernel.bytes(pointer, bytes.length).set(bytes);
      return pointer;
    }) as [number, number];
    const [starts, ends, recordStarts, recordEnds] = [
      ...[keys.starts, keys.ends, records.starts, records.ends],
    ].map((places) => {
      const pointer = kernel.area(count * WORD_BYTES);
      kernel.words(pointer, count).set(places.subarray(0, count));
      return pointer;
    }) as [number, number, number, number];
    const areas = { text, starts, ends, recordText, recordStarts, recordEnds, count };
    return this.#writeInOrder(areas, take, blockBytes);
  }

  writeGroups(partial: Uint8Array, head: AggregateHead, blockBytes: number): WrittenEntries | null {
    this.#writer.clear(partial.length);
    const areas = indexGroups(this.#writer, partial, head);
    return areas === null ? null : this.#writeInOrder(areas, areas.count, blockBytes);
  }

  /** Writes entries in the writer's memory in the order of their keys. */
  #writeInOrder(
    areas: Omit<EntryAreas, 'order'>,
    take: number,
    blockBytes: number,
  ): WrittenEntries {
    const kernel = this.#writer;
    const { count } = areas;
    const order = kernel.area(count * WORD_BYTES);
    const items = kernel.area(2 * count * ITEM_BYTES);
    const frame = kernel.frame({ ...areas, order });
    kernel.setOutput(frame, blockBytes);
    kernel.exports.orderKeys(frame, count, order, items);
    const sorted = kernel.words(order, count).subarray(0, take);
    kernel.words(frame, ORDER_AND_COUNT + 2)[ORDER_AND_COUNT + 1] = sorted.length;
    const starts = kernel.words(areas.starts, count);
    const ends = kernel.words(areas.ends, count);
    const keyAt = (entry: number): Uint8Array =>
      kernel.bytes(areas.text + starts[entry]!, ends[entry]! - starts[entry]!);
    const writer = new EntryWriter(blockBytes);
    for (let place = 0; place < sorted.length;) {
      const first = keyAt(sorted[place]!);
      const next = kernel.exports.writeBlock(frame, place, blockBytes);
      writer.addBlock(kernel.written(frame), next - place, first, 0, first.length);
      place = next;
    }
    const last = sorted.at(-1);
    return writer.finish(last === undefined ? NO_KEY : keyAt(last));
  }

  #heldOf(entries: Entries): HeldEntries {
    const held = this.#held;
    invariant(held?.entries === entries, 'only what was read last is held');
    return held;
  }
}

/** A bound in the kernel's memory. */
function putBound(kernel: EntryKernel, bound: Bound | null): number {
  const key = bound === null ? NO_KEY : fromBase64(bound.key);
  const keyPointer = kernel.area(key.length);
  kernel.bytes(keyPointer, key.length).set(key);
  const pointer = kernel.area(BOUND_WORDS * WORD_BYTES);
  const { slice = 0, entry = 0 } = bound ?? {};
  const words = [bound === null ? 0 : 1, keyPointer, key.length, slice, entry];
  kernel.words(pointer, BOUND_WORDS).set(words);
  return pointer;
}
