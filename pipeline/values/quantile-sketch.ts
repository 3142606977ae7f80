import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Buckets of each power of two: a value lies within 1/256 of the middle of its bucket. */
const BITS = 7;
const EXACT_MIN = 2 ** -1022;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/**
 * Quantiles to a relative error of 0.4 %: a DDSketch (Masson, Rim and Lee, "DDSketch: a fast and
 * fully-mergeable quantile sketch", VLDB 2019) whose buckets are the leading bits of a double, so
 * that neither order nor grouping of values matters, nor rounding. Merging is the sum of counts.
 */
export class QuantileSketch {
  /** By bucket; negative numbers have buckets below 0. */
  readonly #counts = new Map<number, number>();
  #count = 0;
  #min = Infinity;
  #max = -Infinity;

  get bucketCount(): number {
    return this.#counts.size;
  }

  /** NaN is left out. */
  add(value: number, times = 1): void {
    if (Number.isNaN(value)) return;
    this.addBucket(bucketOf(value), times, value, value);
  }

  /** Takes values of a bucket, and the bounds that they have. */
  addBucket(bucket: number, times: number, min: number, max: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + times);
    this.#count += times;
    if (min < this.#min) this.#min = min;
    if (max > this.#max) this.#max = max;
  }

  /** The value `share` of the way up, 0 to 1; null when there is none. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    const place = share * (this.#count - 1);
    let behind = 0;
    for (const [bucket, count] of this.buckets()) {
      behind += count;
      if (behind > place) return Math.min(this.#max, Math.max(this.#min, valueOf(bucket)));
    }
    return this.#max;
  }

  /** Buckets and their counts, ascending by value. */
  buckets(): [bucket: number, count: number][] {
    return [...this.#counts].sort(([left], [right]) => left - right);
  }

  write(writer: ByteWriter): void {
    const buckets = this.buckets();
    writer.count(buckets.length);
    if (buckets.length === 0) return;
    writer.scalar(this.#min);
    writer.scalar(this.#max);
    let previous = 0;
    buckets.forEach(([bucket, count], i) => {
      if (i === 0) writer.scalar(bucket);
      else writer.count(bucket - previous);
      writer.count(count);
      previous = bucket;
    });
  }

  merge(reader: ByteReader): void {
    const bucketCount = reader.count();
    if (bucketCount === 0) return;
    const min = Number(reader.scalar());
    const max = Number(reader.scalar());
    let bucket = 0;
    for (let i = 0; i < bucketCount; i++) {
      bucket = i === 0 ? Number(reader.scalar()) : bucket + reader.count();
      this.addBucket(bucket, reader.count(), min, max);
    }
  }
}

/** The leading bits of the double's magnitude, with its sign. */
export function bucketOf(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < EXACT_MIN) return 0;
  double[0] = magnitude;
  const bucket = words[1]! >>> (20 - BITS);
  return value < 0 ? -bucket : bucket;
}

/** The middle of a bucket. */
export function valueOf(bucket: number): number {
  const magnitude = Math.abs(bucket);
  if (magnitude === 0) return 0;
  words[0] = 0;
  words[1] = magnitude << (20 - BITS);
  const low = double[0]!;
  words[1] = (magnitude + 1) << (20 - BITS);
  const high = double[0]!;
  const middle = Number.isFinite(high) ? low + (high - low) / 2 : low;
  return bucket < 0 ? -middle : middle;
}
