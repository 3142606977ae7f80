import { GroupTable } from '../aggregation/group-table.ts';
import type { ColumnDetailProfile } from '../protocol/job.ts';
import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import { ExactSums, exactOf, type ExactDecimal } from '../values/exact-sum.ts';
import { parseDecimal, type DecimalParts } from '../values/number.ts';
import { QuantileSketch, valueOf } from '../values/quantile-sketch.ts';
import { decimalToDouble, ratioToDouble } from '../values/ratio.ts';
import { ValueKind, valueKind } from '../values/value-kind.ts';

/** Different values whose counts are held, of a column and of all columns together. */
const VALUE_COUNT_MAX = 4096;
const VALUE_COUNT_ALL = 400_000;
const VALUE_BYTES_MAX = 256 * 1024;
const FREQUENT_COUNT = 10;
const BIN_COUNT = 20;
const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/**
 * What a detailed profile knows of a column besides: how often each value came, as long as the
 * different ones are few, and of its numbers the sum of squares and a sketch of quantiles. While the
 * values are few the numbers are in their counts; so what comes out depends on the values alone, not
 * on their order or how they were cut. Merging is associative and commutative.
 */
export class ColumnDetail {
  readonly #valueCountMax: number;
  #values: GroupTable | null;
  #counts = new Float64Array(64);
  #valueBytes = 0;
  #key = new Uint8Array(64);
  readonly #squares = new ExactSums();
  readonly #sketch = new QuantileSketch();

  constructor(columnCount: number) {
    this.#valueCountMax = Math.min(VALUE_COUNT_MAX, Math.floor(VALUE_COUNT_ALL / columnCount));
    this.#values = this.#emptyTable();
    this.#squares.reserve(1);
  }

  /** Takes a value that is not empty, `times` times. */
  add(bytes: Uint8Array, start: number, end: number, times = 1): void {
    if (this.#values !== null && this.#count(this.#values, bytes, start, end, times)) return;
    this.#addNumber(bytes, start, end, times);
  }

  write(writer: ByteWriter): void {
    const values = this.#values;
    writer.byte(values === null ? 1 : 0);
    if (values !== null) {
      writer.count(values.count);
      for (const entry of values.sortedGroups()) {
        writer.block(values.key(entry));
        writer.count(this.#counts[entry]!);
      }
      return;
    }
    const { mantissa, scale } = this.#squares.total(0);
    writer.count(scale);
    writer.scalar(mantissa);
    this.#sketch.write(writer);
  }

  merge(reader: ByteReader): void {
    if (reader.byte() === 0) {
      const count = reader.count();
      for (let i = 0; i < count; i++) {
        const value = reader.block();
        this.add(value, 0, value.length, reader.count());
      }
      return;
    }
    this.#overflow();
    const scale = reader.count();
    this.#squares.addExact(0, BigInt(reader.scalar()), scale);
    this.#sketch.merge(reader);
  }

  /** `count` and `sum` are those of the column's numbers. */
  toProfile(count: number, sum: ExactDecimal): ColumnDetailProfile {
    const frequent = this.#frequent();
    const numbers = this.#numbers();
    return {
      stddev: count < 2 ? null : deviation(count, sum, numbers.squares),
      quantiles: SHARES.flatMap((share) => {
        const value = numbers.sketch.quantile(share);
        return value === null ? [] : [{ share, value }];
      }),
      histogram: histogram(numbers.sketch),
      frequent,
    };
  }

  /** Squares and sketch of all numbers, of those too that are in the counts. */
  #numbers(): { readonly squares: ExactDecimal; readonly sketch: QuantileSketch } {
    if (this.#values === null) return { squares: this.#squares.total(0), sketch: this.#sketch };
    const all = new ColumnDetail(1);
    all.#values = null;
    this.#pour(all);
    return { squares: all.#squares.total(0), sketch: all.#sketch };
  }

  #frequent(): { value: string; count: number }[] | null {
    const values = this.#values;
    if (values === null) return null;
    return [...values.sortedGroups()]
      .sort((left, right) => this.#counts[right]! - this.#counts[left]!)
      .slice(0, FREQUENT_COUNT)
      .map((entry) => ({
        value: new TextDecoder().decode(values.key(entry)),
        count: this.#counts[entry]!,
      }));
  }

  /** Counts a value; false when the different ones are too many, from now on. */
  #count(
    values: GroupTable,
    bytes: Uint8Array,
    start: number,
    end: number,
    times: number,
  ): boolean {
    const length = end - start;
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#key[i] = bytes[start + i]!;
    let entry = values.find(this.#key, length);
    if (entry < 0) {
      const isFull = values.count >= this.#valueCountMax;
      if (isFull || this.#valueBytes + length > VALUE_BYTES_MAX) {
        this.#overflow();
        return false;
      }
      entry = values.groupOf(this.#key, length);
      this.#valueBytes += length;
      if (entry === this.#counts.length) {
        const grown = new Float64Array(entry * 2);
        grown.set(this.#counts);
        this.#counts = grown;
      }
      this.#counts[entry] = 0;
    }
    this.#counts[entry]! += times;
    return true;
  }

  #overflow(): void {
    this.#pour(this);
    this.#values = null;
  }

  /** Gives the numbers among the counted values to a detail that counts none. */
  #pour(into: ColumnDetail): void {
    const values = this.#values;
    if (values === null) return;
    for (let entry = 0; entry < values.count; entry++) {
      const value = values.key(entry);
      into.#addNumber(value, 0, value.length, this.#counts[entry]!);
    }
  }

  #addNumber(bytes: Uint8Array, start: number, end: number, times: number): void {
    const kind = valueKind(bytes, start, end);
    if (kind !== ValueKind.integer && kind !== ValueKind.number) return;
    const parts: DecimalParts = { mantissa: 0, big: null, scale: 0 };
    if (!parseDecimal(bytes, start, end, parts)) return;
    const { mantissa, scale } = exactOf(parts);
    this.#squares.addExact(0, mantissa * mantissa * BigInt(times), scale * 2);
    this.#sketch.add(decimalToDouble(mantissa, scale), times);
  }

  #emptyTable(): GroupTable {
    return new GroupTable({
      groupCountMax: this.#valueCountMax,
      keyBytesMax: VALUE_BYTES_MAX,
    });
  }
}

/** Of the sample: `sqrt((n * squares - sum^2) / (n * (n - 1)))`. */
function deviation(count: number, sum: ExactDecimal, squares: ExactDecimal): number {
  const scale = Math.max(2 * sum.scale, squares.scale);
  const n = BigInt(count);
  const weighted = n * squares.mantissa * 10n ** BigInt(scale - squares.scale);
  const squared = sum.mantissa * sum.mantissa * 10n ** BigInt(scale - 2 * sum.scale);
  const divisor = n * (n - 1n) * 10n ** BigInt(scale);
  return Math.sqrt(ratioToDouble(weighted - squared, divisor));
}

/** Bins of equal width from the least to the greatest number; counts are those of the sketch. */
function histogram(sketch: QuantileSketch): { from: number; to: number; count: number }[] {
  const min = sketch.quantile(0);
  const max = sketch.quantile(1);
  if (min === null || max === null) return [];
  const width = (max - min) / BIN_COUNT;
  if (!(width > 0) || !Number.isFinite(width)) {
    const count = sketch.buckets().reduce((sum, [, times]) => sum + times, 0);
    return [{ from: min, to: max, count }];
  }
  const bins = Array.from({ length: BIN_COUNT }, (_, i) => ({
    ...{ from: min + i * width, to: i === BIN_COUNT - 1 ? max : min + (i + 1) * width, count: 0 },
  }));
  for (const [bucket, times] of sketch.buckets()) {
    const place = Math.floor((valueOf(bucket) - min) / width);
    bins[Math.min(BIN_COUNT - 1, Math.max(0, place))]!.count += times;
  }
  return bins;
}
