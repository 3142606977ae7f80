import { SluiceError } from '../errors.ts';
import { ByteReader } from '../values/byte-reader.ts';
import type { ByteWriter } from '../values/byte-writer.ts';

/**
 * HyperLogLog sketch of distinct values over 64-bit hashes, estimated by Ertl's improved raw
 * estimator (O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017),
 * which is right for small counts too. Standard error 1.04 / sqrt(2^precision): 0.81 % at 14.
 * Merging is the maximum of registers: associative, commutative, idempotent.
 */
export class HyperLogLog {
  readonly precision: number;
  /** Ranks of the registers that are not 0, while they are few. */
  #few: Map<number, number> | null = null;
  /** The registers that are not 0 as they are written, where they are all there is. */
  #list: { readonly count: number; readonly bytes: Uint8Array } | null = null;
  /** Left out while they are few, or none. */
  #registers: Uint8Array | null = null;

  constructor(precision: number) {
    this.precision = precision;
  }

  /** Takes a value by its hash, 32 high and 32 low bits. */
  add(high: number, low: number): void {
    const register = high >>> (32 - this.precision);
    const rest = high << this.precision;
    const rank = rest !== 0 ? Math.clz32(rest) + 1 : 33 - this.precision + Math.clz32(low);
    this.#raise(register, rank);
  }

  /** Bytes that it takes. */
  get bytes(): number {
    const listed = this.#list?.bytes.length ?? 0;
    return (this.#registers?.length ?? 0) + (this.#few?.size ?? 0) * FEW_ENTRY_BYTES + listed;
  }

  /** Estimated number of distinct values. */
  estimate(): number {
    if (this.#list !== null) this.#all();
    if (this.#registers === null && this.#few === null) return 0;
    const size = 1 << this.precision;
    const rankMax = 64 - this.precision;
    const histogram = new Float64Array(rankMax + 2);
    if (this.#registers !== null) for (const rank of this.#registers) histogram[rank]! += 1;
    else this.#countFew(histogram);
    let z = size * tau(1 - histogram[rankMax + 1]! / size);
    for (let rank = rankMax; rank >= 1; rank--) z = 0.5 * (z + histogram[rank]!);
    z += size * sigma(histogram[0]! / size);
    return (size * size) / (2 * Math.LN2 * z);
  }

  /** Few registers as a list of gap and rank; many as nibbles above the least rank, with a list of
   *  those that a nibble cannot hold. */
  write(writer: ByteWriter): void {
    if (this.#few !== null) {
      this.#writeFew(writer, this.#few);
      return;
    }
    if (this.#list !== null) {
      writer.byte(SPARSE);
      writer.count(this.#list.count);
      writer.raw(this.#list.bytes);
      return;
    }
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
    if (this.#isEmpty) {
      this.#registers = others.slice();
      return;
    }
    const registers = this.#all();
    for (let i = 0; i < registers.length; i++) {
      if (others[i]! > registers[i]!) registers[i] = others[i]!;
    }
  }

  /** Takes registers as `write` lists them when they are few: no more than `SPARSE_REGISTERS_MAX`,
   *  and that of a sketch of the same precision, 14. */
  mergeList(count: number, bytes: Uint8Array): void {
    if (this.#isEmpty) this.#list = { count, bytes };
    else this.#raiseListed(count, new ByteReader(bytes));
  }

  /** Takes a sketch of the same precision that `write` wrote. */
  merge(reader: ByteReader): void {
    const size = 1 << this.precision;
    const form = reader.byte();
    if (form === DENSE) {
      const registers = this.#all();
      const base = reader.byte();
      const nibbles = reader.raw(size >>> 1);
      for (let i = 0; i < size; i++) {
        const rank = base + ((nibbles[i >>> 1]! >>> ((i & 1) * 4)) & 15);
        if (rank > registers[i]!) registers[i] = rank;
      }
    }
    this.#raiseListed(reader.count(), reader);
  }

  get #isEmpty(): boolean {
    return this.#registers === null && this.#few === null && this.#list === null;
  }

  #raiseListed(count: number, reader: ByteReader): void {
    let register = -1;
    for (let i = 0; i < count; i++) {
      register += reader.count() + 1;
      const rank = reader.byte();
      if (register >= 1 << this.precision) {
        throw new SluiceError('blob-corrupt', 'A stored sketch is too long');
      }
      this.#raise(register, rank);
    }
  }

  #raise(register: number, rank: number): void {
    if (this.#list !== null) this.#all();
    const registers = this.#registers;
    if (registers !== null) {
      if (rank > registers[register]!) registers[register] = rank;
      return;
    }
    const few = (this.#few ??= new Map());
    if (rank > (few.get(register) ?? 0)) few.set(register, rank);
    if (few.size > FEW_MAX) this.#all();
  }

  /** All registers, from now on. */
  #all(): Uint8Array {
    if (this.#registers !== null) return this.#registers;
    const registers = new Uint8Array(1 << this.precision);
    for (const [register, rank] of this.#few ?? []) registers[register] = rank;
    this.#registers = registers;
    this.#few = null;
    const list = this.#list;
    this.#list = null;
    if (list !== null) this.#raiseListed(list.count, new ByteReader(list.bytes));
    return registers;
  }

  #countFew(histogram: Float64Array): void {
    const ranks = [...(this.#few?.values() ?? [])];
    histogram[0] = (1 << this.precision) - ranks.length;
    for (const rank of ranks) histogram[rank]! += 1;
  }

  #writeFew(writer: ByteWriter, few: ReadonlyMap<number, number>): void {
    writer.byte(SPARSE);
    writer.count(few.size);
    let previous = -1;
    for (const [register, rank] of [...few].sort(([left], [right]) => left - right)) {
      writer.count(register - previous - 1);
      writer.byte(rank);
      previous = register;
    }
  }
}

/** Of a sketch of precision 14: up to here it is written as a list. */
export const SPARSE_REGISTERS_MAX = 4_095;

/** Up to here registers are held one by one: a map's entry takes some 40 bytes. */
const FEW_MAX = 128;
const FEW_ENTRY_BYTES = 40;

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
