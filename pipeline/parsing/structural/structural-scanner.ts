import { invariant } from '../../errors.ts';
import type { ChunkLimits } from '../../limits.ts';
import type { Dialect } from '../dialect.ts';
import { State } from '../record-machine.ts';
import { RecordScanner } from '../record-scanner.ts';
import type { OpenChunk, RecordEnds } from '../record-scanner.ts';
import { syntaxOf } from '../syntax.ts';
import type { KernelModule } from './kernel.ts';

/** What `assembly/scan.ts` exports; see there. */
interface ScanExports {
  heapBase(): number;
  setScanDialect(delimiter: number, quote: number, lineFeed: number, returns: boolean): void;
  setScanLimits(
    ...[min, target, ease, max, record]: readonly [number, number, number, number, number]
  ): void;
  scanRecords(
    ...args: [
      ...[base: number, from: number, to: number, state: number],
      ...[chunkStart: number, recordStart: number, every: boolean],
    ]
  ): number;
  scanState(): number;
  scanLines(): number;
  scanFound(): number;
  scanIrregular(): number;
  scanPassedEnd(): number;
  scanPassedLines(): number;
}

const PAGE_BYTES = 65_536;
/** The kernel reads whole blocks. */
const BLOCK_BYTES = 64;
const NO_QUOTE = 256;
const NONE = -1;
const LF = 10;
const CR = 13;
/** Read by the scalar scanner at the first irregular quote; twice as much at each one after it. */
const SCALAR_BYTES = 512;
const SCALAR_BYTES_MAX = 64 * 1024;

/** Whether the kernel finds the record ends of a dialect. */
export function isScannable(dialect: Dialect): boolean {
  const { simple, comment, quote, doubling } = syntaxOf(dialect);
  return simple && comment.length === 0 && (quote.length === 0 || doubling);
}

/**
 * The record scanner with SIMD under it, for bytes in its own memory (`grow`). Of the ends of
 * records it gives only those that may end the chunk: where the boundary rule holds, or a bound is
 * exceeded; the last one left out is `passedEnd`. Stretches with irregular quotes are read by
 * `RecordScanner`, which leaves out none. With `chunk` null every end is given, and all together
 * are those that `RecordScanner` gives.
 *
 * | reader | from                                       | to                               |
 * | ------ | ------------------------------------------ | -------------------------------- |
 * | kernel | the start, and behind a scalar stretch     | a block with an irregular quote  |
 * | scalar | the first byte of such a block             | a stretch's end, in any state    |
 */
export class StructuralScanner implements RecordEnds {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #exports: ScanExports;
  readonly #base: number;
  readonly #scalar: RecordScanner;
  readonly #returns: boolean;
  #state: number = State.recordStart;
  #lines = 0;
  /** Bytes of the open or next scalar stretch, and where the open one ends. */
  #scalarBytes = SCALAR_BYTES;
  #scalarLeft = 0;

  endCount = 0;
  readonly ends: Uint32Array;
  readonly endLines: Float64Array;
  passedEnd = NONE;
  passedLine = 0;
  isFull = false;

  /** @param recordBytesMax a longer record's end is given, whatever the boundary rule says */
  constructor(dialect: Dialect, limits: ChunkLimits, recordBytesMax: number, module: KernelModule) {
    const imports = { env: { memory: this.#memory } };
    this.#exports = new WebAssembly.Instance(module, imports).exports as unknown as ScanExports;
    this.#base = Math.ceil(this.#exports.heapBase() / BLOCK_BYTES) * BLOCK_BYTES;
    this.#scalar = new RecordScanner(dialect);
    this.ends = this.#scalar.ends;
    this.endLines = this.#scalar.endLines;
    const { delimiter, quote, newline } = syntaxOf(dialect);
    this.#returns = newline.length === 0;
    this.#exports.setScanDialect(
      ...([delimiter[0] ?? 0, quote[0] ?? NO_QUOTE, newline[0] ?? LF, this.#returns] as const),
    );
    const { minBytes, targetBytes, easeBytes, maxBytes } = limits;
    this.#exports.setScanLimits(minBytes, targetBytes, easeBytes, maxBytes, recordBytesMax);
  }

  /** Makes room for `byteCount` bytes, those before in place; views before are void. */
  grow(byteCount: number): Buffer {
    const missing = this.#base + byteCount + BLOCK_BYTES - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    return Buffer.from(this.#memory.buffer, this.#base, byteCount);
  }

  /** As `RecordScanner.scan`; `bytes` begin where the memory of `grow` does. */
  scan(
    bytes: Uint8Array,
    from: number,
    to: number,
    isFinal: boolean,
    chunk: OpenChunk | null,
  ): number {
    this.endCount = 0;
    this.passedEnd = NONE;
    this.isFull = false;
    const start = bytes.byteOffset - this.#base;
    invariant(start >= 0 && bytes.buffer === this.#memory.buffer, 'bytes of the own memory');
    const isUndecided = !isFinal && this.#returns && from < to && bytes[to - 1] === CR;
    const limit = isUndecided ? to - 1 : to;
    let at = from;
    while (at < limit && this.endCount === 0 && !this.isFull) {
      at =
        this.#scalarLeft > 0
          ? this.#scanScalar(bytes, at, limit, isFinal)
          : this.#scanKernel(start, at, limit, chunk);
    }
    if (this.endCount > 0) this.isFull = true;
    else if (isFinal && at === to && this.#state !== State.recordStart) this.#endLast(to);
    return at;
  }

  #scanKernel(start: number, from: number, to: number, chunk: OpenChunk | null): number {
    const { start: chunkStart, recordStart } = chunk ?? { start: from, recordStart: from };
    const kernel = this.#exports;
    const open = this.passedEnd === NONE ? recordStart : this.passedEnd;
    const next =
      kernel.scanRecords(
        ...([this.#base + start, from, to, this.#state] as const),
        ...([chunkStart, open, chunk === null] as const),
      ) >>> 0;
    this.#state = kernel.scanState();
    const passedEnd = kernel.scanPassedEnd() >>> 0;
    if (passedEnd !== 0xffffffff) {
      this.passedEnd = passedEnd;
      this.passedLine = this.#lines + kernel.scanPassedLines();
    }
    this.#lines += kernel.scanLines();
    if (kernel.scanFound() !== 0) {
      this.#list(next);
    } else if (kernel.scanIrregular() !== 0) {
      const isSoon = next - from < SCALAR_BYTES;
      this.#scalarBytes = isSoon ? Math.min(this.#scalarBytes * 2, SCALAR_BYTES_MAX) : SCALAR_BYTES;
      this.#scalarLeft = this.#scalarBytes;
    }
    return next;
  }

  #scanScalar(bytes: Uint8Array, from: number, to: number, isFinal: boolean): number {
    const scalar = this.#scalar;
    scalar.resume(this.#state, this.#lines);
    const end = Math.min(to, from + this.#scalarLeft);
    const next = scalar.scan(bytes, from, end, isFinal && end === to);
    this.#state = scalar.state;
    this.#lines = scalar.lines;
    this.endCount = scalar.endCount;
    // It may not get past a CR at the stretch's end: the kernel does.
    this.#scalarLeft = next === end || scalar.isFull ? this.#scalarLeft - (next - from) : 0;
    this.isFull = scalar.isFull;
    return next;
  }

  /** The stream's end ends its last record. */
  #endLast(end: number): void {
    this.#state = State.recordStart;
    this.#list(end);
  }

  #list(end: number): void {
    this.ends[0] = end;
    this.endLines[0] = this.#lines;
    this.endCount = 1;
  }
}
