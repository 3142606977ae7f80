import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';
import { ExactSums, exactOf, type ExactDecimal } from '../values/exact-sum.ts';
import { formatDouble } from '../values/format.ts';
import { ratioToDouble } from '../values/ratio.ts';
import type { InputCell } from './input-cell.ts';
import type { MeasureState } from './measure-state.ts';

/**
 * Variances and standard deviations from exact sums of values and of their squares: rounded once,
 * and once more by the root.
 */
export class SpreadState implements MeasureState {
  readonly #isSample: boolean;
  readonly #isRoot: boolean;
  readonly #sums = new ExactSums();
  readonly #squares = new ExactSums();
  readonly #counts: number[] = [];

  constructor(fn: 'var_samp' | 'var_pop' | 'stddev_samp' | 'stddev_pop') {
    this.#isSample = fn.endsWith('_samp');
    this.#isRoot = fn.startsWith('stddev');
  }

  reserve(count: number): void {
    this.#sums.reserve(count);
    this.#squares.reserve(count);
    while (this.#counts.length < count) this.#counts.push(0);
  }

  add(group: number, { isNull, decimal }: InputCell): void {
    if (isNull) return;
    this.#counts[group]! += 1;
    this.#sums.add(group, decimal);
    const { mantissa, scale } = decimal;
    const square = mantissa * mantissa;
    if (decimal.big === null && square <= Number.MAX_SAFE_INTEGER) {
      this.#squares.add(group, { mantissa: square, big: null, scale: scale * 2 });
    } else {
      const exact = exactOf(decimal);
      this.#squares.addExact(group, exact.mantissa * exact.mantissa, exact.scale * 2);
    }
  }

  write(group: number, writer: ByteWriter): void {
    const count = this.#counts[group]!;
    writer.count(count);
    if (count === 0) return;
    for (const sums of [this.#sums, this.#squares]) {
      const { mantissa, scale } = sums.total(group);
      writer.count(scale);
      writer.scalar(mantissa);
    }
  }

  merge(group: number, reader: ByteReader): void {
    const count = reader.count();
    if (count === 0) return;
    this.#counts[group]! += count;
    for (const sums of [this.#sums, this.#squares]) {
      const scale = reader.count();
      sums.addExact(group, BigInt(reader.scalar()), scale);
    }
  }

  text(group: number): string | null {
    const count = this.#counts[group]!;
    const divisor = this.#isSample ? count - 1 : count;
    if (divisor < 1) return null;
    const variance = varianceOf(
      count,
      this.#sums.total(group),
      this.#squares.total(group),
      divisor,
    );
    return formatDouble(this.#isRoot ? Math.sqrt(variance) : variance);
  }
}

/** `(n * squares - sum^2) / (n * divisor)`. */
function varianceOf(
  count: number,
  sum: ExactDecimal,
  squares: ExactDecimal,
  divisor: number,
): number {
  const scale = Math.max(2 * sum.scale, squares.scale);
  const n = BigInt(count);
  const weighted = n * squares.mantissa * 10n ** BigInt(scale - squares.scale);
  const squared = sum.mantissa * sum.mantissa * 10n ** BigInt(scale - 2 * sum.scale);
  return ratioToDouble(weighted - squared, n * BigInt(divisor) * 10n ** BigInt(scale));
}
