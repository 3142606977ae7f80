import { decimalToDouble } from './ratio.ts';
import { formatDecimal } from './format.ts';
import type { DecimalParts } from './number.ts';

/** An exact decimal: `mantissa / 10^scale`, without trailing zeros in the fraction. */
export interface ExactDecimal {
  readonly mantissa: bigint;
  readonly scale: number;
}

const SAFE = Number.MAX_SAFE_INTEGER;
const SAFE_BIG = BigInt(SAFE);
const POWERS_OF_TEN = Float64Array.from({ length: 16 }, (_, power) => 10 ** power);

/** Mantissas are split here when a slot overflows: both halves have room for many more. */
const LIMB = 1e9;
/** `SPILLS_MAX` of these stay below 2^53, and so do as many low limbs. */
const LIMB_HIGH_MAX = 1.8e9;
const LIMB_BIG = 1_000_000_000n;
/** Scales with limbs of their own; beyond, sums go to bigints at once. */
const LIMB_SCALES = 32;
const SPILLS_MAX = 5_000_000;

/** What left a slot's double: by scale a high and a low limb, and the rest as a bigint. */
interface Spill {
  readonly limbs: Float64Array;
  /** Values that the limbs took in since they were emptied. */
  count: number;
  big: ExactDecimal;
}

/**
 * Exact sums of decimals, one a slot. A slot adds in one double as long as that stays below 2^53;
 * what exceeds it spills into limbs, and from there into a bigint before they could exceed it. So
 * the total depends neither on order nor on grouping.
 */
export class ExactSums {
  #fast = new Float64Array(0);
  #scales = new Uint16Array(0);
  readonly #spills = new Map<number, Spill>();

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
      else this.#spillThenSet(slot, mantissa, parts.scale);
    } else {
      this.#addRescaled(slot, mantissa, parts.scale);
    }
  }

  /** Adds `mantissa / 10^scale`. */
  addExact(slot: number, mantissa: bigint, scale: number): void {
    const spill = this.#spillOf(slot);
    const high = scale < LIMB_SCALES ? mantissa / LIMB_BIG : SAFE_BIG;
    if (high >= SAFE_BIG || high <= -SAFE_BIG || Math.abs(Number(high)) > LIMB_HIGH_MAX) {
      spill.big = sumOf(spill.big, { mantissa, scale });
    } else {
      addLimbs(spill, Number(high), Number(mantissa - high * LIMB_BIG), scale);
    }
  }

  /** The sum so far, in its one normal form. */
  total(slot: number): ExactDecimal {
    const fast = { mantissa: BigInt(this.#fast[slot]!), scale: this.#scales[slot]! };
    const spill = this.#spills.get(slot);
    if (spill === undefined) return normalised(fast);
    emptyLimbs(spill);
    return normalised(sumOf(spill.big, fast));
  }

  /** The sum times 10^`shortScale` where a double holds it; null elsewhere. */
  shortMantissa(slot: number): number | null {
    return this.#spills.size > 0 && this.#spills.has(slot) ? null : this.#fast[slot]! + 0;
  }

  shortScale(slot: number): number {
    return this.#scales[slot]!;
  }

  #addRescaled(slot: number, mantissa: number, scale: number): void {
    const difference = scale - this.#scales[slot]!;
    const power = POWERS_OF_TEN[Math.abs(difference)] ?? Infinity;
    const held = this.#fast[slot]!;
    const scaled = difference > 0 ? held * power : mantissa * power;
    const total = difference > 0 ? scaled + mantissa : held + scaled;
    if (held === 0 || !(Math.abs(scaled) <= SAFE && Math.abs(total) <= SAFE)) {
      this.#spillThenSet(slot, mantissa, scale);
    } else {
      this.#fast[slot] = total;
      if (difference > 0) this.#scales[slot] = scale;
    }
  }

  #spillThenSet(slot: number, mantissa: number, scale: number): void {
    const held = this.#fast[slot]!;
    const heldScale = this.#scales[slot]!;
    if (held !== 0 && heldScale < LIMB_SCALES) {
      const high = Math.trunc(held / LIMB);
      addLimbs(this.#spillOf(slot), high, held - high * LIMB, heldScale);
    } else if (held !== 0) this.addExact(slot, BigInt(held), heldScale);
    this.#fast[slot] = mantissa + 0;
    this.#scales[slot] = scale;
  }

  #spillOf(slot: number): Spill {
    let spill = this.#spills.get(slot);
    if (spill === undefined) {
      const limbs = new Float64Array(2 * LIMB_SCALES);
      spill = { limbs, count: 0, big: { mantissa: 0n, scale: 0 } };
      this.#spills.set(slot, spill);
    }
    return spill;
  }
}

function addLimbs(spill: Spill, high: number, low: number, scale: number): void {
  if (spill.count === SPILLS_MAX) emptyLimbs(spill);
  spill.limbs[2 * scale]! += high;
  spill.limbs[2 * scale + 1]! += low;
  spill.count += 1;
}

/** Moves the limbs into the bigint. */
function emptyLimbs(spill: Spill): void {
  for (let scale = 0; scale < LIMB_SCALES; scale++) {
    const high = spill.limbs[2 * scale]!;
    const low = spill.limbs[2 * scale + 1]!;
    if (high === 0 && low === 0) continue;
    spill.big = sumOf(spill.big, { mantissa: BigInt(high) * LIMB_BIG + BigInt(low), scale });
  }
  spill.limbs.fill(0);
  spill.count = 0;
}

function sumOf(left: ExactDecimal, right: ExactDecimal): ExactDecimal {
  const scale = Math.max(left.scale, right.scale);
  const mantissa =
    upscale(left.mantissa, scale - left.scale) + upscale(right.mantissa, scale - right.scale);
  return { mantissa, scale };
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
