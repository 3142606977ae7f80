/**
 * Computed columns. An operator fills a vector batch by batch; positions are those of the records in
 * the batch's index, and only the records that were computed hold something.
 *
 * - `ValueVector`: integer, number, boolean, date and datetime. `values` is a
 *   double; booleans are 0 and 1, dates and datetimes microseconds since 1970. An integer or time
 *   beyond 2^53 stands in `exact` too, as a bigint; `values` is then the double nearest to it.
 * - `TextVector`: UTF-8. A text is a slice of the batch's bytes, or of the vector's own arena.
 *
 * Both: `valid[record]` is 0 for NULL.
 */
export type Vector = ValueVector | TextVector;

/** Typed values, by position of the record in its batch. */
export class ValueVector {
  values = new Float64Array(0);
  valid = new Uint8Array(0);
  /** Exact values of the integers and times that are not safe as doubles. */
  readonly exact = new Map<number, bigint>();

  reserve(recordCount: number): void {
    this.exact.clear();
    if (recordCount <= this.values.length) return;
    this.values = new Float64Array(recordCount * 2);
    this.valid = new Uint8Array(recordCount * 2);
  }

  exactAt(record: number): bigint {
    return this.exact.get(record) ?? BigInt(this.values[record] ?? 0);
  }
}

export class TextVector {
  valid = new Uint8Array(0);
  starts = new Uint32Array(0);
  ends = new Uint32Array(0);
  inArena = new Uint8Array(0);
  /** The batch's bytes. */
  bytes: Uint8Array = new Uint8Array(0);
  arena: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  arenaLength = 0;
  /** The text of every record, where it is the same for all. */
  constant: string | null = null;

  /** Forgets all texts, and makes room for so many records. */
  reserve(recordCount: number, bytes: Uint8Array): void {
    this.bytes = bytes;
    this.arenaLength = 0;
    if (recordCount <= this.valid.length) return;
    this.valid = new Uint8Array(recordCount * 2);
    this.starts = new Uint32Array(recordCount * 2);
    this.ends = new Uint32Array(recordCount * 2);
    this.inArena = new Uint8Array(recordCount * 2);
  }

  /** What the slices of `record` are of. */
  bytesOf(record: number): Uint8Array {
    return this.inArena[record] === 1 ? this.arena : this.bytes;
  }

  textAt(record: number): string {
    if (this.constant !== null) return this.constant;
    const bytes = this.bytesOf(record);
    const start = this.starts[record]!;
    const length = this.ends[record]! - start;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString();
  }

  /** A slice of the batch's bytes. */
  share(record: number, start: number, end: number): void {
    this.valid[record] = 1;
    this.inArena[record] = 0;
    this.starts[record] = start;
    this.ends[record] = end;
  }

  /** A part of another vector's text of the same batch: shared where that is possible. */
  slice(record: number, other: TextVector, start: number, end: number): void {
    if (other.inArena[record] === 1) this.copy(record, other.arena, start, end);
    else this.share(record, start, end);
  }

  copy(record: number, bytes: Uint8Array, start: number, end: number): void {
    const target = this.open(end - start);
    if (end - start <= 32) {
      for (let i = start, at = this.arenaLength; i < end; i++) target[at++] = bytes[i]!;
    } else {
      target.set(bytes.subarray(start, end), this.arenaLength);
    }
    this.close(record, this.arenaLength + end - start);
  }

  set(record: number, text: string): void {
    const target = this.open(text.length * 3);
    const { written } = encoder.encodeInto(text, target.subarray(this.arenaLength));
    this.close(record, this.arenaLength + written);
  }

  /** The arena, with room for `length` more bytes at `arenaLength`; what it holds stays. */
  open(length: number): Uint8Array {
    if (this.arenaLength + length > this.arena.length) {
      const grown = new Uint8Array((this.arenaLength + length) * 2);
      grown.set(this.arena);
      this.arena = grown;
    }
    return this.arena;
  }

  /** What was written to the arena up to `end` becomes the record's text. */
  close(record: number, end: number): void {
    this.valid[record] = 1;
    this.inArena[record] = 1;
    this.starts[record] = this.arenaLength;
    this.ends[record] = end;
    this.arenaLength = end;
  }
}

/** Fills `to` with what `from` holds for `records[0, count)`, in this order. `bytes` are the batch's. */
export function gather(
  from: Vector,
  records: Uint32Array,
  count: number,
  to: Vector,
  bytes: Uint8Array,
): void {
  to.reserve(count, bytes);
  for (let i = 0; i < count; i++) {
    const record = records[i]!;
    to.valid[i] = from.valid[record]!;
    if (from.valid[record] === 0) continue;
    if (to instanceof TextVector) {
      const text = from as TextVector;
      const start = text.starts[record]!;
      const end = text.ends[record]!;
      if (text.inArena[record] === 1) to.copy(i, text.arena, start, end);
      else to.share(i, start, end);
    } else {
      const value = from as ValueVector;
      to.values[i] = value.values[record]!;
      const exact = value.exact.size > 0 ? value.exact.get(record) : undefined;
      if (exact !== undefined) to.exact.set(i, exact);
    }
  }
}

const encoder = new TextEncoder();
