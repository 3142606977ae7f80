import { SluiceError } from '../errors.ts';
import { HyperLogLog } from '../profile/hyper-log-log.ts';
import { ValueHash } from '../profile/value-hash.ts';
import type { ColumnType } from '../protocol/job.ts';
import { ByteReader } from '../values/byte-reader.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { QuantileSketch } from '../values/quantile-sketch.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureState } from './measure-state.ts';
import { scalarText } from './scalar-text.ts';

/** As in the profile: standard error 0.81 %. */
const PRECISION = 14;
/** Bytes of the sketches of one measure, of all its groups. */
const SKETCH_BYTES_MAX = 64 * 1024 * 1024;

/** approx_count_distinct: a HyperLogLog sketch for each group. */
export class DistinctSketchState implements MeasureState {
  readonly #sketches: HyperLogLog[] = [];
  readonly #hash = new ValueHash();
  readonly #scalar = new DataView(new ArrayBuffer(16));
  #bytes = 0;

  reserve(count: number): void {
    while (this.#sketches.length < count) this.#sketches.push(new HyperLogLog(PRECISION));
  }

  add(group: number, { isNull, type, slice, scalar }: InputCell): void {
    if (isNull) return;
    if (type === 'string') this.#hash.ofBytes(slice.bytes, slice.start, slice.end);
    else this.#hashScalar(scalar);
    const sketch = this.#sketches[group]!;
    const before = sketch.bytes;
    sketch.add(this.#hash.high, this.#hash.low);
    this.#grow(sketch.bytes - before);
  }

  write(group: number, writer: ByteWriter): void {
    const block = new ByteWriter();
    this.#sketches[group]!.write(block);
    writer.block(block.finish());
  }

  merge(group: number, reader: ByteReader): void {
    const sketch = this.#sketches[group]!;
    const before = sketch.bytes;
    sketch.merge(new ByteReader(reader.block()));
    this.#grow(sketch.bytes - before);
  }

  text(group: number): string {
    return String(Math.round(this.#sketches[group]!.estimate()));
  }

  #hashScalar(value: number | bigint): void {
    const view = this.#scalar;
    view.setFloat64(0, typeof value === 'number' ? value + 0 : 0, true);
    view.setBigInt64(8, typeof value === 'bigint' ? value : 0n, true);
    const word = (at: number): number => view.getInt32(at, true);
    this.#hash.ofWords(word(0), word(4), word(8), word(12), typeof value === 'number' ? 8 : 16);
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > SKETCH_BYTES_MAX) throw tooManyGroups('approx_count_distinct');
  }
}

/** approx_quantile: counts of values by logarithmic buckets, see QuantileSketch. */
export class QuantileSketchState implements MeasureState {
  readonly #sketches: QuantileSketch[] = [];
  readonly #share: number;
  readonly #type: ColumnType;
  #buckets = 0;

  constructor(share: number, type: ColumnType) {
    this.#share = share;
    this.#type = type;
  }

  reserve(count: number): void {
    while (this.#sketches.length < count) this.#sketches.push(new QuantileSketch());
  }

  add(group: number, { isNull, scalar }: InputCell): void {
    if (isNull) return;
    const sketch = this.#sketches[group]!;
    const before = sketch.bucketCount;
    sketch.add(Number(scalar));
    this.#grow(sketch.bucketCount - before);
  }

  write(group: number, writer: ByteWriter): void {
    const block = new ByteWriter();
    this.#sketches[group]!.write(block);
    writer.block(block.finish());
  }

  merge(group: number, reader: ByteReader): void {
    const sketch = this.#sketches[group]!;
    const before = sketch.bucketCount;
    sketch.merge(new ByteReader(reader.block()));
    this.#grow(sketch.bucketCount - before);
  }

  text(group: number): string | null {
    const value = this.#sketches[group]!.quantile(this.#share);
    if (value === null) return null;
    return scalarText(this.#type === 'number' ? value : Math.round(value), this.#type);
  }

  #grow(buckets: number): void {
    this.#buckets += buckets;
    if (this.#buckets * BUCKET_BYTES > SKETCH_BYTES_MAX) throw tooManyGroups('approx_quantile');
  }
}

/** Of a map's entry. */
const BUCKET_BYTES = 40;

function tooManyGroups(fn: string): SluiceError {
  const message = `${fn} holds more than ${String(SKETCH_BYTES_MAX)} bytes of sketches`;
  return new SluiceError('group-limit', message, { details: { bytesMax: SKETCH_BYTES_MAX } });
}
