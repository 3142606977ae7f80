import { OutputBuffer } from './output-buffer.ts';

const FIRST_BYTES = 64 * 1024;

/** Records written one after another into one piece of memory. */
export class RecordBuffer extends OutputBuffer {
  /** Where each record ends; it begins where the one before ends. */
  ends = new Uint32Array(1024);
  count = 0;

  override reserve(length: number): void {
    const needed = this.position + length;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(FIRST_BYTES, needed * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
  }

  override share(source: Uint8Array, start: number, end: number): void {
    this.copy(source, start, end);
  }

  endRecord(): void {
    if (this.count === this.ends.length) {
      const grown = new Uint32Array(this.count * 2);
      grown.set(this.ends);
      this.ends = grown;
    }
    this.ends[this.count++] = this.position;
  }

  startOf(record: number): number {
    return record === 0 ? 0 : this.ends[record - 1]!;
  }

  clear(): void {
    this.count = 0;
    this.position = 0;
  }
}
