import { decimalToDouble } from './ratio.ts';
import { formatDecimal } from './format.ts';
import type { DecimalParts } from './number.ts';

/** An exact decimal: `mantissa / 10^scale`, without trailing zeros in the fraction. */
export interface ExactDecimal {
  readonly mantissa: bigint;
  readonly scale: number;
}

const SAFE = Number.MAX_SAFE_INTEGER;
const POWERS_OF_TEN = Float64Array.from({ length: 16 }, (_, power) => 10 ** power);

/**
 * Exact sums of decimals, one a slot. A slot adds in a double as long as that stays below 2^53 and
 * moves to a bigint before it would not, so the total depends neither on order nor on grouping.
 */
export class ExactSums {
  #fast = new Float64Array(0);
  #scales = new Uint16Array(0);
  readonly #big = new Map<number, ExactDecimal>();

  /** Makes slots `[0, count)` exist; new ones hold 0. */
  reserve(count: number): void {
    if (count <= this.#fast.length) return;
    const capacity = Math.max(count, this.#fast.length * 2);
    const fast = new Float64Array(capacity);
    fast.set(this.#fast);
    const scales = new Uint16Array(capacity);
    scales.set(this.#scales);
    this.#fast = fast;
    this.#scales = scales;
  }

  /** Adds `parts`, `times` times. */
  add(slot: number, parts: DecimalParts, times = 1): void {
    if (parts.big !== null) {
      this.addExact(slot, parts.big * BigInt(times), parts.scale);
      return;
    }
    const mantissa = parts.mantissa * times;
    if (mantissa > SAFE || mantissa < -SAFE) {
      this.addExact(slot, BigInt(parts.mantissa) * BigInt(times), parts.scale);
    } else if (parts.scale === this.#scales[slot]) {
      const total = this.#fast[slot]! + mantissa;
      if (total <= SAFE && total >= -SAFE) this.#fast[slot] = total;
      else this.#flushThenSet(slot, mantissa, parts.scale);
    } else {
      this.#addRescaled(slot, mantissa, parts.scale);
    }
  }

  /** Adds `mantissa / 10^scale`. */
  addExact(slot: number, mantissa: bigint, scale: number): void {
    const before = this.#big.get(slot) ?? { mantissa: 0n, scale: 0 };
    const common = Math.max(before.scale, scale);
    const total =
      upscale(before.mantissa, common - before.scale) + upscale(mantissa, common - scale);
    this.#big.set(slot, { mantissa: total, scale: common });
  }

  /** The sum so far, in its one normal form. */
  total(slot: number): ExactDecimal {
    const fast = { mantissa: BigInt(this.#fast[slot]!), scale: this.#scales[slot]! };
    const big = this.#big.get(slot);
    if (big === undefined) return normalised(fast);
    const common = Math.max(big.scale, fast.scale);
    return normalised({
      mantissa:
        upscale(big.mantissa, common - big.scale) + upscale(fast.mantissa, common - fast.scale),
      scale: common,
    });
  }

  #addRescaled(slot: number, mantissa: number, scale: number): void {
    const difference = scale - this.#scales[slot]!;
    const power = POWERS_OF_TEN[Math.abs(difference)] ?? Infinity;
    const held = this.#fast[slot]!;
    const total = difference > 0 ? held * power + mantissa : held + mantissa * power;
    const scaled = difference > 0 ? held * power : mantissa * power;
    const exact = Math.abs(scaled) <= SAFE && Math.abs(total) <= SAFE;
    if (held === 0) this.#flushThenSet(slot, mantissa, scale);
    else if (!exact) this.#flushThenSet(slot, mantissa, scale);
    else {
      this.#fast[slot] = total;
      if (difference > 0) this.#scales[slot] = scale;
    }
  }

  #flushThenSet(slot: number, mantissa: number, scale: number): void {
    const held = this.#fast[slot]!;
    if (held !== 0) this.addExact(slot, BigInt(held), this.#scales[slot]!);
    this.#fast[slot] = mantissa + 0;
    this.#scales[slot] = scale;
  }
}

/** Text of the exact value. */
export function exactText(value: ExactDecimal): string {
  return formatDecimal(value.mantissa, value.scale);
}

/** The exact value divided by `count`, rounded once. */
export function exactMean(value: ExactDecimal, count: number): number {
  return decimalToDouble(value.mantissa, value.scale, BigInt(count));
}

/** Negative, zero or positive, as `left` is below, equal to or above `right`. */
export function compareExact(left: ExactDecimal, right: ExactDecimal): number {
  const common = Math.max(left.scale, right.scale);
  const a = upscale(left.mantissa, common - left.scale);
  const b = upscale(right.mantissa, common - right.scale);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The normal form of parsed parts. */
export function exactOf(parts: DecimalParts): ExactDecimal {
  return normalised({ mantissa: parts.big ?? BigInt(parts.mantissa), scale: parts.scale });
}

function upscale(mantissa: bigint, powers: number): bigint {
  return powers === 0 ? mantissa : mantissa * 10n ** BigInt(powers);
}

function normalised(value: ExactDecimal): ExactDecimal {
  let { mantissa, scale } = value;
  if (mantissa === 0n) return { mantissa, scale: 0 };
  while (scale > 0 && mantissa % 10n === 0n) {
    mantissa /= 10n;
    scale -= 1;
  }
  return { mantissa, scale };
}
