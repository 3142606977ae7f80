import { SluiceError } from '../errors.ts';
import type { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';

/**
 * HyperLogLog sketch of distinct values over 64-bit hashes, estimated by Ertl's improved raw
 * estimator (O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017),
 * which is right for small counts too. Standard error 1.04 / sqrt(2^precision): 0.81 % at 14.
 * Merging is the maximum of registers: associative, commutative, idempotent.
 */
export class HyperLogLog {
  readonly precision: number;
  /** Left out until the first value comes. */
  #registers: Uint8Array | null = null;

  constructor(precision: number) {
    this.precision = precision;
  }

  /** Takes a value by its hash, 32 high and 32 low bits. */
  add(high: number, low: number): void {
    const registers = (this.#registers ??= new Uint8Array(1 << this.precision));
    const register = high >>> (32 - this.precision);
    const rest = high << this.precision;
    const rank = rest !== 0 ? Math.clz32(rest) + 1 : 33 - this.precision + Math.clz32(low);
    if (rank > registers[register]!) registers[register] = rank;
  }

  /** Estimated number of distinct values. */
  estimate(): number {
    if (this.#registers === null) return 0;
    const size = 1 << this.precision;
    const rankMax = 64 - this.precision;
    const histogram = new Float64Array(rankMax + 2);
    for (const rank of this.#registers) histogram[rank]! += 1;
    let z = size * tau(1 - histogram[rankMax + 1]! / size);
    for (let rank = rankMax; rank >= 1; rank--) z = 0.5 * (z + histogram[rank]!);
    z += size * sigma(histogram[0]! / size);
    return (size * size) / (2 * Math.LN2 * z);
  }

  /** Few registers as a list of gap and rank; many as nibbles above the least rank, with a list of
   *  those that a nibble cannot hold. */
  write(writer: ByteWriter): void {
    const registers = this.#registers ?? new Uint8Array(0);
    const used = usedCount(registers);
    if (used * 4 < registers.length || used === 0) {
      writer.byte(SPARSE);
      writeList(writer, registers, 1, used);
      return;
    }
    const base = used < registers.length ? 0 : leastRank(registers);
    const nibbles = new Uint8Array(registers.length >>> 1);
    let listed = 0;
    for (let i = 0; i < nibbles.length; i++) {
      let low = registers[2 * i]! - base;
      let high = registers[2 * i + 1]! - base;
      if ((low | high) >= NIBBLE_MAX) {
        if (low >= NIBBLE_MAX) listed++;
        if (high >= NIBBLE_MAX) listed++;
        low = Math.min(low, NIBBLE_MAX);
        high = Math.min(high, NIBBLE_MAX);
      }
      nibbles[i] = low | (high << 4);
    }
    writer.byte(DENSE);
    writer.byte(base);
    writer.raw(nibbles);
    writeList(writer, registers, base + NIBBLE_MAX, listed);
  }

  /** Takes the registers of a sketch of the same precision. */
  mergeRegisters(others: Uint8Array): void {
    const registers = this.#registers;
    if (registers === null) {
      this.#registers = others.slice();
      return;
    }
    for (let i = 0; i < registers.length; i++) {
      if (others[i]! > registers[i]!) registers[i] = others[i]!;
    }
  }

  /** Takes a sketch of the same precision that `write` wrote. */
  merge(reader: ByteReader): void {
    const size = 1 << this.precision;
    const form = reader.byte();
    if (form === DENSE) {
      const registers = (this.#registers ??= new Uint8Array(size));
      const base = reader.byte();
      const nibbles = reader.raw(size >>> 1);
      for (let i = 0; i < size; i++) {
        const rank = base + ((nibbles[i >>> 1]! >>> ((i & 1) * 4)) & 15);
        if (rank > registers[i]!) registers[i] = rank;
      }
    }
    const count = reader.count();
    if (count === 0) return;
    const registers = (this.#registers ??= new Uint8Array(size));
    let register = -1;
    for (let i = 0; i < count; i++) {
      register += reader.count() + 1;
      const rank = reader.byte();
      if (register >= size) throw new SluiceError('blob-corrupt', 'A stored sketch is too long');
      if (rank > registers[register]!) registers[register] = rank;
    }
  }
}

const SPARSE = 0;
const DENSE = 1;
const NIBBLE_MAX = 15;

/** How many registers are not 0. Four at a time: ranks are below 128, so that adding 127 to a byte
 *  sets its highest bit when it is not 0, and carries nothing. */
function usedCount(registers: Uint8Array): number {
  const words = new Uint32Array(registers.buffer, registers.byteOffset, registers.length >>> 2);
  let used = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === 0) continue;
    const marks = ((word + 0x7f7f7f7f) >>> 7) & 0x01010101;
    used += Math.imul(marks, 0x01010101) >>> 24;
  }
  return used;
}

function leastRank(registers: Uint8Array): number {
  let least = 255;
  for (let i = 0; i < registers.length; i++) least = Math.min(least, registers[i]!);
  return least;
}

/** Lists the `count` registers of at least a rank, which is not 0. */
function writeList(
  writer: ByteWriter,
  registers: Uint8Array,
  rankMin: number,
  count: number,
): void {
  writer.count(count);
  const words = new Uint32Array(registers.buffer, registers.byteOffset, registers.length >>> 2);
  let previous = -1;
  let left = count;
  for (let word = 0; left > 0; word++) {
    if (words[word] === 0) continue;
    for (let i = 4 * word; i < 4 * word + 4; i++) {
      const rank = registers[i]!;
      if (rank < rankMin) continue;
      writer.count(i - previous - 1);
      writer.byte(rank);
      previous = i;
      left--;
    }
  }
}

function sigma(share: number): number {
  if (share === 1) return Infinity;
  let x = share;
  let y = 1;
  let z = share;
  for (;;) {
    x *= x;
    const before = z;
    z += x * y;
    y += y;
    if (z === before) return z;
  }
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - share;
  for (;;) {
    x = Math.sqrt(x);
    const before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
    if (z === before) return z / 3;
  }
}
