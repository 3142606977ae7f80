import { ByteWriter } from '../values/byte-writer.ts';
import { ByteReader } from '../values/byte-reader.ts';
import type { ColumnType } from '../protocol/job.ts';
import { GroupTable } from './group-table.ts';
import type { InputCell } from './input-cell.ts';

/** What one measure may hold, of all its groups: with the tables around it some 100 bytes a value. */
export const VALUE_COUNTS_LIMITS = {
  groupCountMax: 1_000_000,
  keyBytesMax: 64 * 1024 * 1024,
  what: 'different values: string_agg(DISTINCT ...) holds each of them',
};

/** A value, how often it came, and the position of the first record that had it. */
export interface HeldValue {
  readonly value: number | bigint | Uint8Array;
  readonly count: number;
  readonly position: number;
}

const GROUP_BYTES = 4;
const DOUBLE = 0;
const EXACT = 1;

/**
 * How often each value came in each group. Takes time and memory by the number of different values;
 * merging is the sum of counts, in any order. Throws `group-limit`.
 */
export class ValueCounts {
  readonly #isText: boolean;
  readonly #table = new GroupTable(VALUE_COUNTS_LIMITS);
  #counts = new Float64Array(1024);
  #positions = new Float64Array(1024);
  /** Entry + 1 that came before an entry of the same group, or 0. */
  #previous = new Uint32Array(1024);
  /** Entry + 1 that came last of each group, or 0. */
  #last = new Uint32Array(1024);
  #key = new Uint8Array(64);
  #view = new DataView(this.#key.buffer);

  constructor(type: ColumnType) {
    this.#isText = type === 'string';
  }

  addCell(group: number, { slice, scalar }: InputCell, position: number): void {
    if (this.#isText) this.#addText(group, slice.bytes, slice.start, slice.end, 1, position);
    else this.addScalar(group, scalar, 1, position);
  }

  /** -0 is 0, and a NaN is like another. */
  addScalar(group: number, value: number | bigint, count: number, position: number): void {
    if (typeof value === 'number') {
      this.#key[GROUP_BYTES] = DOUBLE;
      this.#view.setFloat64(GROUP_BYTES + 1, value + 0);
    } else {
      this.#key[GROUP_BYTES] = EXACT;
      this.#view.setBigInt64(GROUP_BYTES + 1, value);
    }
    this.#take(group, GROUP_BYTES + 9, count, position);
  }

  /** The group's values, each once: numbers and times by value, texts by their bytes. */
  sorted(group: number): HeldValue[] {
    const held: HeldValue[] = [];
    for (let entry = this.#last[group] ?? 0; entry > 0; entry = this.#previous[entry - 1]!) {
      const count = this.#counts[entry - 1]!;
      held.push({ value: this.#valueOf(entry - 1), count, position: this.#positions[entry - 1]! });
    }
    return held.sort((left, right) => compareValues(left.value, right.value));
  }

  /** Different values of all groups. */
  get size(): number {
    return this.#table.count;
  }

  /** Hands over all values as they came, and forgets them. */
  drain(take: (group: number, held: HeldValue) => void): void {
    for (let entry = 0; entry < this.#table.count; entry++) {
      const key = this.#table.key(entry);
      const group = new DataView(key.buffer, key.byteOffset).getUint32(0);
      const count = this.#counts[entry]!;
      take(group, { value: this.#valueOf(entry), count, position: this.#positions[entry]! });
    }
    this.#table.clear();
    this.#last.fill(0);
  }

  /** How many different values a group has. */
  countOf(group: number): number {
    let count = 0;
    for (let entry = this.#last[group] ?? 0; entry > 0; entry = this.#previous[entry - 1]!) count++;
    return count;
  }

  write(group: number, writer: ByteWriter): void {
    const block = new ByteWriter();
    for (const { value, count, position } of this.sorted(group)) {
      if (value instanceof Uint8Array) block.block(value);
      else block.scalar(value);
      block.count(count);
      block.count(position);
    }
    writer.block(block.finish());
  }

  merge(group: number, reader: ByteReader, offset: number): void {
    const block = new ByteReader(reader.block());
    while (!block.done) {
      const value = this.#isText ? block.block() : block.scalar();
      const count = block.count();
      const position = block.count() + offset;
      if (value instanceof Uint8Array)
        this.#addText(group, value, 0, value.length, count, position);
      else this.addScalar(group, value, count, position);
    }
  }

  #addText(
    group: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    position: number,
  ): void {
    const length = GROUP_BYTES + end - start;
    if (length > this.#key.length) {
      this.#key = new Uint8Array(length * 2);
      this.#view = new DataView(this.#key.buffer);
    }
    for (let i = start, at = GROUP_BYTES; i < end; i++) this.#key[at++] = bytes[i]!;
    this.#take(group, length, count, position);
  }

  #take(group: number, length: number, count: number, position: number): void {
    this.#view.setUint32(0, group);
    const before = this.#table.count;
    const entry = this.#table.groupOf(this.#key, length);
    if (entry < before) {
      this.#counts[entry]! += count;
      if (position < this.#positions[entry]!) this.#positions[entry] = position;
      return;
    }
    if (entry >= this.#counts.length) {
      this.#counts = doubled(this.#counts, new Float64Array(entry * 2));
      this.#positions = doubled(this.#positions, new Float64Array(entry * 2));
      this.#previous = doubled(this.#previous, new Uint32Array(entry * 2));
    }
    if (group >= this.#last.length) this.#last = doubled(this.#last, new Uint32Array(group * 2));
    this.#counts[entry] = count;
    this.#positions[entry] = position;
    this.#previous[entry] = this.#last[group]!;
    this.#last[group] = entry + 1;
  }

  #valueOf(entry: number): number | bigint | Uint8Array {
    const value = this.#table.key(entry).subarray(GROUP_BYTES);
    if (this.#isText) return value;
    const view = new DataView(value.buffer, value.byteOffset);
    return value[0] === DOUBLE ? view.getFloat64(1) : view.getBigInt64(1);
  }
}

/** NaN comes last. */
export function compareValues(
  left: number | bigint | Uint8Array,
  right: number | bigint | Uint8Array,
): number {
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    return Buffer.compare(left as Uint8Array, right as Uint8Array);
  }
  if (left < right) return -1;
  if (left > right) return 1;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function doubled<T extends Float64Array | Uint32Array>(source: T, target: T): T {
  target.set(source);
  return target;
}
