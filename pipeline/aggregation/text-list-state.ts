import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { compareHeld, heldOf, readHeld, writeHeld, type Held } from './held.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureState, OrderCells } from './measure-state.ts';
import type { MeasureShape } from './shape.ts';

/** Bytes that one string_agg holds, of all its groups. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
/** What an entry costs besides its text and what it is ordered by: its places, and its length. */
const ENTRY_BYTES = 20;
/** The same where entries are read again to be sorted by values. */
const ORDERED_ENTRY_BYTES = 100;

/**
 * string_agg: texts in the order of their records, or of what ORDER BY says and then of theirs. They
 * lie one after another in one piece of memory, each with the values that it is ordered by. Throws
 * `group-limit`.
 */
export class TextListState implements MeasureState {
  readonly #order: NonNullable<MeasureShape['order']>;
  readonly #separator: Uint8Array;
  readonly #cells: OrderCells | null;
  readonly #entryBytes: number;
  readonly #arena = new ByteWriter();
  /** By entry: where it begins, the position of its record, and 1 + the one before of its group. */
  #starts = new Uint32Array(1024);
  #positions = new Float64Array(1024);
  #previous = new Uint32Array(1024);
  #count = 0;
  /** By group: 1 + its last entry, or 0. */
  #last = new Uint32Array(1024);
  #positionsEnd = 0;

  /** `cells` read what the records are ordered and filtered by; a merger has none. */
  constructor({ order = [], parameter }: MeasureShape, cells: OrderCells | null) {
    this.#order = order;
    this.#separator = Buffer.from(String(parameter));
    this.#cells = cells;
    this.#entryBytes = order.length === 0 ? ENTRY_BYTES : ORDERED_ENTRY_BYTES;
  }

  get positionsEnd(): number {
    return this.#positionsEnd;
  }

  reserve(count: number): void {
    this.#last = withRoom(this.#last, count);
  }

  add(group: number, cell: InputCell, position: number): void {
    if (cell.isNull) return;
    this.#begin(group, position);
    const { bytes, start, end } = cell.slice;
    this.#writeText(bytes, start, end);
    for (const key of this.#cells?.order ?? []) writeHeld(this.#arena, heldOf(key));
    this.#end();
  }

  write(group: number, writer: ByteWriter): void {
    const block = new ByteWriter();
    const bytes = this.#arena.written;
    for (const entry of this.#sorted(group)) {
      block.slice(bytes, this.#starts[entry]!, this.#starts[entry + 1]!);
      block.count(this.#positions[entry]!);
    }
    writer.block(block.written);
  }

  merge(group: number, reader: ByteReader, offset: number): void {
    const bytes = reader.block();
    const block = new ByteReader(bytes);
    while (!block.done) {
      const start = block.position;
      this.#pass(block);
      const end = block.position;
      this.#begin(group, block.count() + offset);
      this.#arena.slice(bytes, start, end);
      this.#end();
    }
  }

  text(group: number): Uint8Array | null {
    const entries = this.#sorted(group);
    if (entries.length === 0) return null;
    const reader = new ByteReader(this.#arena.written);
    const joined = new ByteWriter();
    entries.forEach((entry, i) => {
      if (i > 0) joined.raw(this.#separator);
      reader.seek(this.#starts[entry]! + 1);
      joined.raw(reader.block());
    });
    return joined.written;
  }

  #begin(group: number, position: number): void {
    const entry = this.#count++;
    if (this.#count === this.#starts.length) {
      this.#starts = withRoom(this.#starts, this.#count + 1);
      this.#positions = withRoom(this.#positions, this.#count + 1);
      this.#previous = withRoom(this.#previous, this.#count + 1);
    }
    if (group >= this.#last.length) this.reserve(group + 1);
    this.#positions[entry] = position;
    this.#previous[entry] = this.#last[group]!;
    this.#last[group] = entry + 1;
    if (position >= this.#positionsEnd) this.#positionsEnd = position + 1;
  }

  /** As `writeHeld` does. */
  #writeText(bytes: Uint8Array, start: number, end: number): void {
    this.#arena.byte(1);
    this.#arena.count(end - start);
    this.#arena.slice(bytes, start, end);
  }

  #end(): void {
    const { length } = this.#arena;
    this.#starts[this.#count] = length;
    const bytes = length + this.#count * this.#entryBytes;
    if (bytes > TEXT_BYTES_MAX) throw tooLong(this.#count);
  }

  /** Passes a text and what it is ordered by. */
  #pass(reader: ByteReader): void {
    reader.byte();
    reader.skipBlock();
    for (const { type } of this.#order) readHeld(reader, type);
  }

  /** Entries of a group, in order. */
  #sorted(group: number): Uint32Array {
    const found: number[] = [];
    for (let entry = this.#last[group] ?? 0; entry > 0; entry = this.#previous[entry - 1]!) {
      found.push(entry - 1);
    }
    const entries = Uint32Array.from(found.reverse());
    const compare = this.#comparison(entries);
    if (entries.every((entry, i) => i === 0 || compare(entries[i - 1]!, entry) <= 0)) {
      return entries;
    }
    return entries.sort(compare);
  }

  #comparison(entries: Uint32Array): (left: number, right: number) => number {
    const positions = this.#positions;
    const byPosition = (left: number, right: number): number =>
      positions[left]! - positions[right]!;
    if (this.#order.length === 0) return byPosition;
    const reader = new ByteReader(this.#arena.written);
    const keys = new Map<number, readonly Held[]>();
    for (const entry of entries) {
      reader.seek(this.#starts[entry]! + 1);
      reader.skipBlock();
      keys.set(
        entry,
        this.#order.map(({ type }) => readHeld(reader, type)),
      );
    }
    return (left, right) =>
      compareHeld(this.#order, keys.get(left)!, keys.get(right)!) || byPosition(left, right);
  }
}

function withRoom<T extends Uint32Array | Float64Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const grown = new (array.constructor as new (length: number) => T)(
    Math.max(length, array.length * 2),
  );
  grown.set(array);
  return grown;
}

function tooLong(count: number): SluiceError {
  const message =
    `string_agg would hold more than ${String(TEXT_BYTES_MAX / 2 ** 20)} MiB at once: its texts are ` +
    'too long or too many. Group by more columns, filter before it, or join fewer values with DISTINCT';
  return new SluiceError('group-limit', message, { details: { count, bytesMax: TEXT_BYTES_MAX } });
}
