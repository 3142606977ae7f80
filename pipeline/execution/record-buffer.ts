import type { ByteSlices } from '../exchange/entry-engine.ts';
import { OutputBuffer } from './output-buffer.ts';

const FIRST_BYTES = 64 * 1024;

/** Records written one after another into one piece of memory. */
export class RecordBuffer extends OutputBuffer {
  /** Where each record starts; `starts[count]` is where the last one ends. */
  starts = new Uint32Array(1024);
  count = 0;

  /** Makes room for so many bytes at first: growing copies. */
  expect(byteCount: number): void {
    if (this.position > 0 || this.bytes.length >= byteCount) return;
    this.bytes = Buffer.allocUnsafeSlow(byteCount + FIRST_BYTES);
  }

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
    this.endRecordAt(this.position);
  }

  /** Ends a record at a place behind the end of the one before. */
  endRecordAt(end: number): void {
    this.count += 1;
    if (this.count === this.starts.length) {
      const grown = new Uint32Array(this.count * 2);
      grown.set(this.starts);
      this.starts = grown;
    }
    this.starts[this.count] = end;
  }

  /** The records, as slices. */
  get slices(): ByteSlices {
    const { bytes, position, starts } = this;
    return { bytes: bytes.subarray(0, position), starts, ends: starts.subarray(1) };
  }

  clear(): void {
    this.count = 0;
    this.position = 0;
  }
}
