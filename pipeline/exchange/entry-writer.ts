import { createHash } from 'node:crypto';
import { BLOCK_SUM_BYTES, BlockIndexWriter } from './block-index.ts';

/** Of the first slab and of the largest: each is four times the one before. */
const SLAB_BYTES_MIN = 16 * 1024;
const SLAB_BYTES_MAX = 1024 * 1024;
const LENGTH_BYTES_MAX = 5;

/**
 * Writes the output of a wave that another one reads: entries one after another, each the length of
 * its key, the length of its record (seven bits a byte, low bits first), key and record. Entries
 * are taken together in blocks, which are what the next wave fetches and verifies.
 */
export class EntryWriter {
  private readonly parts: Uint8Array[] = [];
  private readonly index: BlockIndexWriter;
  private readonly blockBytes: number;
  /** Bytes of the parts. */
  private ended = 0;
  private slab = new Uint8Array(0);
  private slabStart = 0;
  private blockStart = 0;
  private position = 0;
  private blockRecords = 0;

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
    this.index = new BlockIndexWriter();
  }

  add(
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
    records: Uint8Array,
    recordStart: number,
    recordEnd: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const recordLength = recordEnd - recordStart;
    this.reserve(keyLength + recordLength + 2 * LENGTH_BYTES_MAX);
    if (this.blockRecords === 0) this.index.startBlock(keys, keyStart, keyEnd);
    this.blockRecords += 1;
    this.count(keyLength);
    this.count(recordLength);
    this.copy(keys, keyStart, keyEnd);
    this.copy(records, recordStart, recordEnd);
    if (this.position - this.blockStart >= this.blockBytes) this.endBlock();
  }

  /** Adds a whole block of `records` entries, as `add` would have written them. */
  addBlock(
    block: Uint8Array,
    records: number,
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    this.reserve(block.length);
    this.index.startBlock(keys, keyStart, keyEnd);
    this.slab.set(block, this.position);
    this.position += block.length;
    this.blockRecords = records;
    this.endBlock();
  }

  /** Bytes so far. */
  get length(): number {
    return this.ended + this.position - this.slabStart;
  }

  /** `lastKey` is the key of the entry that was added last, or empty. */
  finish(lastKey: Uint8Array): { output: Uint8Array[]; index: Uint8Array } {
    this.endBlock();
    this.endPart();
    return { output: this.parts, index: this.index.finish(lastKey) };
  }

  private count(value: number): void {
    let left = value;
    while (left > 0x7f) {
      this.slab[this.position++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.slab[this.position++] = left;
  }

  /** Short slices are copied byte by byte, which is faster than a call. */
  private copy(from: Uint8Array, start: number, end: number): void {
    const { slab } = this;
    let { position } = this;
    if (end - start <= 32) {
      for (let i = start; i < end; i++) slab[position++] = from[i]!;
    } else {
      slab.set(from.subarray(start, end), position);
      position += end - start;
    }
    this.position = position;
  }

  private endBlock(): void {
    if (this.blockRecords === 0) return;
    const block = this.slab.subarray(this.blockStart, this.position);
    this.index.endBlock(block.length, this.blockRecords, blockSum(block));
    this.blockRecords = 0;
    this.blockStart = this.position;
  }

  /** Blocks that are whole become a part; the open one moves to a new slab where it must. */
  private reserve(more: number): void {
    if (this.position + more <= this.slab.length) return;
    const open = this.slab.subarray(this.blockStart, this.position);
    if (this.blockStart > this.slabStart) {
      this.push(this.slab.subarray(this.slabStart, this.blockStart));
    }
    const slabBytes = Math.max(SLAB_BYTES_MIN, Math.min(SLAB_BYTES_MAX, this.slab.length * 4));
    const slab = new Uint8Array(Math.max(slabBytes, (open.length + more) * 2));
    slab.set(open);
    this.slab = slab;
    this.slabStart = 0;
    this.blockStart = 0;
    this.position = open.length;
  }

  private endPart(): void {
    if (this.position === this.slabStart) return;
    this.push(this.slab.subarray(this.slabStart, this.position));
    this.slabStart = this.position;
  }

  private push(part: Uint8Array): void {
    this.parts.push(part);
    this.ended += part.length;
  }
}

/** Of entries in an order of their own. */
export const NO_KEY = new Uint8Array(0);

/** What a block is verified by: the first half of its sha256. */
export function blockSum(block: Uint8Array): Uint8Array {
  return createHash('sha256').update(block).digest().subarray(0, BLOCK_SUM_BYTES);
}
