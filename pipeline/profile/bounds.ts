import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import { compareExact, exactOf, type ExactDecimal } from '../values/exact-sum.ts';
import type { DecimalParts } from '../values/number.ts';
import { decimalToDouble } from '../values/ratio.ts';

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** Least and greatest of decimals, exactly. */
export class NumberBounds {
  readonly #min = new NumberBound(-1);
  readonly #max = new NumberBound(1);

  get min(): ExactDecimal | null {
    return this.#min.value();
  }

  get max(): ExactDecimal | null {
    return this.#max.value();
  }

  add(parts: DecimalParts): void {
    const { mantissa, big, scale } = parts;
    if (big === null && scale <= 22) {
      const value = mantissa / POWERS_OF_TEN[scale]!;
      this.#min.add(value, mantissa, scale);
      this.#max.add(value, mantissa, scale);
    } else if (big === null || scale > 22 || !this.#isInside(Number(big) / POWERS_OF_TEN[scale]!)) {
      this.addExact(exactOf(parts));
    }
  }

  addExact(value: ExactDecimal): void {
    this.#min.addExact(value);
    this.#max.addExact(value);
  }

  write(writer: ByteWriter): void {
    const { min, max } = this;
    writer.byte(min === null ? 0 : 1);
    for (const bound of [min, max]) {
      if (bound === null) continue;
      writer.count(bound.scale);
      writer.scalar(bound.mantissa);
    }
  }

  merge(reader: ByteReader): void {
    if (reader.byte() === 0) return;
    for (let i = 0; i < 2; i++) {
      const scale = reader.count();
      this.addExact({ mantissa: BigInt(reader.scalar()), scale });
    }
  }

  /** Whether a value that this is near to, by two roundings, lies between the bounds for sure. */
  #isInside(near: number): boolean {
    const margin = Math.abs(near) * 1e-15;
    return near - margin > this.#min.double && near + margin < this.#max.double;
  }
}

/** Short decimals have at most 15 digits: two that differ are different doubles (DBL_DIG). */
const SHORT_END = 1e15;

/** One end: the least (-1) or greatest (1) decimal so far. Doubles decide, since rounding keeps the
 *  order; only when doubles tie and a decimal is not short, exact arithmetic does. */
class NumberBound {
  readonly #sign: -1 | 1;
  /** Of the value held, times the sign: greater is always better. */
  #signedDouble = -Infinity;
  /** The value held, unless `#exact` is. */
  #mantissa = 0;
  #scale = 0;
  #exact: ExactDecimal | null = null;
  #isEmpty = true;

  constructor(sign: -1 | 1) {
    this.#sign = sign;
  }

  /** The value held, rounded to a double. */
  get double(): number {
    return this.#signedDouble * this.#sign;
  }

  value(): ExactDecimal | null {
    if (this.#isEmpty) return null;
    return this.#exact ?? exactOf({ mantissa: this.#mantissa, scale: this.#scale, big: null });
  }

  /** Takes `mantissa / 10^scale`, whose nearest double is given. */
  add(double: number, mantissa: number, scale: number): void {
    const signed = double * this.#sign;
    if (signed < this.#signedDouble) return;
    if (signed === this.#signedDouble && !this.#beats(mantissa, scale)) return;
    this.#signedDouble = signed;
    this.#mantissa = mantissa;
    this.#scale = scale;
    this.#exact = null;
    this.#isEmpty = false;
  }

  addExact(value: ExactDecimal): void {
    const held = this.value();
    if (held !== null && compareExact(value, held) * this.#sign <= 0) return;
    this.#signedDouble = decimalToDouble(value.mantissa, value.scale) * this.#sign;
    this.#exact = value;
    this.#isEmpty = false;
  }

  /** Whether a decimal of the same double is beyond the one held. */
  #beats(mantissa: number, scale: number): boolean {
    if (this.#exact === null) {
      if (mantissa === this.#mantissa && scale === this.#scale) return false;
      const longer = Math.max(Math.abs(mantissa), Math.abs(this.#mantissa));
      if (longer < SHORT_END) return false;
    }
    const value = { mantissa: BigInt(mantissa), scale };
    return compareExact(value, this.value()!) * this.#sign > 0;
  }
}

/** Earliest and latest of timestamps, in microseconds. */
export class TimeBounds {
  min: number | bigint | null = null;
  max: number | bigint | null = null;

  add(micros: number | bigint): void {
    if (this.min === null || micros < this.min) this.min = micros;
    if (this.max === null || micros > this.max) this.max = micros;
  }

  write(writer: ByteWriter): void {
    writer.byte(this.min === null ? 0 : 1);
    for (const bound of [this.min, this.max]) if (bound !== null) writer.scalar(bound);
  }

  merge(reader: ByteReader): void {
    if (reader.byte() === 0) return;
    this.add(reader.scalar());
    this.add(reader.scalar());
  }
}

/** Bytes of a text that count for its bounds: longer texts are compared and shown up to here. */
export const TEXT_BOUND_BYTES = 256;

/** Least and greatest text by bytes, over the first `TEXT_BOUND_BYTES` of each. */
export class TextBounds {
  min: Uint8Array | null = null;
  max: Uint8Array | null = null;
  /** First four bytes of the bounds as big-endian words: most texts are settled by them. */
  #minWord = 0xffffffff;
  #maxWord = 0;

  /** `word`: the first four bytes, zero-padded, big-endian, unsigned. */
  add(word: number, bytes: Uint8Array, start: number, end: number): void {
    if (word <= this.#minWord || word >= this.#maxWord) this.#offer(bytes, start, end);
  }

  addText(text: Uint8Array): void {
    this.#offer(text, 0, text.length);
  }

  write(writer: ByteWriter): void {
    writer.byte(this.min === null ? 0 : 1);
    for (const bound of [this.min, this.max]) if (bound !== null) writer.block(bound);
  }

  merge(reader: ByteReader): void {
    if (reader.byte() === 0) return;
    for (let i = 0; i < 2; i++) {
      this.addText(reader.block());
    }
  }

  #offer(bytes: Uint8Array, start: number, fullEnd: number): void {
    const end = Math.min(fullEnd, start + TEXT_BOUND_BYTES);
    if (this.min === null || compareText(bytes, start, end, this.min) < 0) {
      this.min = bytes.slice(start, end);
      this.#minWord = firstWord(this.min);
    }
    if (this.max === null || compareText(bytes, start, end, this.max) > 0) {
      this.max = bytes.slice(start, end);
      this.#maxWord = firstWord(this.max);
    }
  }
}

function firstWord(text: Uint8Array): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word = word * 256 + (text[i] ?? 0);
  return word;
}

function compareText(bytes: Uint8Array, start: number, end: number, other: Uint8Array): number {
  const length = Math.min(end - start, other.length);
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - other[i]!;
    if (difference !== 0) return difference;
  }
  return end - start - other.length;
}
