import type { ChunkLimits } from '../limits.ts';
import { LIMITS } from '../limits.ts';
import { RFC_4180 } from '../parsing/dialect.ts';
import type { Dialect } from '../parsing/dialect.ts';
import { RecordScanner } from '../parsing/record-scanner.ts';
import type { RecordEnds } from '../parsing/record-scanner.ts';
import type { KernelModule } from '../parsing/structural/kernel.ts';
import { isScannable, StructuralScanner } from '../parsing/structural/structural-scanner.ts';
import { isBoundary } from './boundary-rule.ts';
import { ByteQueue } from './byte-queue.ts';

/** A run of whole records, cut out of the input. */
export interface CutChunk {
  /** 'oversized' is one single record that is too long to be read. */
  readonly kind: 'records' | 'oversized';
  /** The chunk's own bytes; of an oversized record only its first. */
  readonly bytes: Buffer;
  /** Length in the input. */
  readonly fullBytes: number;
  /** Where it starts in the input. */
  readonly byteOffset: number;
  /** Line of its first byte, counted from 0 in the input. */
  readonly line: number;
  /** Line ends in it: the next chunk starts on line `line + lines`. */
  readonly lines: number;
}

export interface ChunkerOptions {
  /** A longer record (its line end included) becomes a chunk of kind 'oversized'. */
  readonly recordBytesMax?: number;
  /** Offset and line of the first byte that is pushed. */
  readonly startOffset?: number;
  readonly startLine?: number;
  /** Finds the ends of records some ten times as fast, with the same result. */
  readonly kernel?: KernelModule | undefined;
}

/** Takes a chunk, whose bytes are lent: valid until it returns. */
export type TakeChunk = (cut: CutChunk) => void;

/** One JSON document a line: no quotes to look at, and a CR is white space. */
const NDJSON_LINES: Dialect = { ...RFC_4180, quote: '', escape: '', newline: '\n', header: false };

/** Bytes taken in between two scans: bounds what is held beside the chunk being cut. */
const STEP_BYTES = 256 * 1024;

/**
 * Cuts a stream of records into chunks at boundaries that the content decides (`isBoundary`). The
 * chunks, put together, are the input (but for the tail of an oversized record); how the input was
 * split into pushed buffers makes no difference. Holds the chunk being cut, at most `maxBytes` or
 * one record.
 *
 * | state   | means                                        | left                             |
 * | ------- | -------------------------------------------- | -------------------------------- |
 * | cutting | the queue holds the chunk from its start on  | a record exceeds recordBytesMax  |
 * | passing | the queue held an oversized record's start   | at that record's end             |
 */
export class Chunker {
  readonly #scanner: RecordEnds;
  readonly #limits: ChunkLimits;
  readonly #recordBytesMax: number;
  readonly #startLine: number;
  readonly #queue: ByteQueue;
  #take: TakeChunk = () => undefined;
  /** In the queue: where the chunk starts, where its last record ends, how far was scanned. */
  #start = 0;
  #recordEnd = 0;
  #scanned = 0;
  /** In the input: where the chunk starts, the line there, and the line where its last record ends. */
  #byteOffset: number;
  #line: number;
  #recordEndLine: number;
  /** The oversized record being passed: its first bytes, and how many have left the queue. */
  #oversized: { readonly head: Buffer; passedBytes: number } | null = null;

  constructor(dialect: Dialect | 'ndjson', limits: ChunkLimits, options: ChunkerOptions = {}) {
    const lines = dialect === 'ndjson' ? NDJSON_LINES : dialect;
    const { kernel, recordBytesMax = LIMITS.recordBytesMax } = options;
    if (kernel !== undefined && isScannable(lines)) {
      const scanner = new StructuralScanner(lines, limits, recordBytesMax, kernel);
      this.#scanner = scanner;
      this.#queue = new ByteQueue(0, (capacityBytes) => scanner.grow(capacityBytes));
    } else {
      this.#scanner = new RecordScanner(lines);
      this.#queue = new ByteQueue(0);
    }
    this.#limits = limits;
    this.#recordBytesMax = recordBytesMax;
    this.#byteOffset = options.startOffset ?? 0;
    this.#startLine = options.startLine ?? 0;
    this.#line = this.#recordEndLine = this.#startLine;
  }

  /** The chunks that these bytes complete, with bytes of their own. The caller may reuse `bytes`. */
  push(bytes: Uint8Array): CutChunk[] {
    return collect((take) => this.pushTo(bytes, take));
  }

  /** The chunks that are left at the input's end. */
  finish(): CutChunk[] {
    return collect((take) => this.finishTo(take));
  }

  /** As `push`, without a copy of the chunks. */
  pushTo(bytes: Uint8Array, take: TakeChunk): void {
    this.#take = take;
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      this.#queue.append(bytes.subarray(at, at + STEP_BYTES));
      this.#scan(false);
    }
  }

  /**
   * As `pushTo` of bytes that `read` puts into the room it is given. Returns what `read` did: how
   * many those are.
   */
  pushFrom(read: (room: Buffer) => number, take: TakeChunk): number {
    this.#take = take;
    const byteCount = this.#queue.fill(STEP_BYTES, read);
    this.#scan(false);
    return byteCount;
  }

  finishTo(take: TakeChunk): void {
    this.#take = take;
    this.#scan(true);
    if (this.#queue.length > 0) this.#cutRecords(this.#queue.bytes);
  }

  #scan(isFinal: boolean): void {
    const scanner = this.#scanner;
    const bytes = this.#queue.bytes;
    do {
      const isPassing = this.#oversized !== null;
      const chunk = isPassing ? null : { start: this.#start, recordStart: this.#recordEnd };
      this.#scanned = scanner.scan(bytes, this.#scanned, bytes.length, isFinal, chunk);
      if (scanner.passedEnd >= 0) {
        this.#recordEnd = scanner.passedEnd;
        this.#recordEndLine = this.#startLine + scanner.passedLine;
      }
      for (let i = 0; i < scanner.endCount; i++) {
        this.#endRecord(bytes, scanner.ends[i]!, this.#startLine + scanner.endLines[i]!);
      }
    } while (scanner.isFull);
    this.#endEarly(bytes);
    this.#forget();
  }

  /** Decides at a record's end. */
  #endRecord(bytes: Buffer, end: number, line: number): void {
    if (this.#oversized !== null) {
      this.#cutOversized(end, line);
      return;
    }
    const recordBytes = end - this.#recordEnd;
    const isOversized = recordBytes > this.#recordBytesMax;
    if (isOversized || end - this.#start > this.#limits.maxBytes) this.#cutRecords(bytes);
    if (isOversized) {
      this.#passOversized(bytes);
      this.#cutOversized(end, line);
      return;
    }
    this.#recordEnd = end;
    this.#recordEndLine = line;
    const isFull = end - this.#start > this.#limits.maxBytes;
    if (isFull || isBoundary(bytes, this.#start, end, recordBytes, this.#limits)) {
      this.#cutRecords(bytes);
    }
  }

  /** Cuts what is certain before the open record's end has come: bounds the queue. */
  #endEarly(bytes: Buffer): void {
    if (this.#oversized !== null) return;
    const isOversized = this.#scanned - this.#recordEnd > this.#recordBytesMax;
    const isFull = this.#scanned - this.#start > this.#limits.maxBytes;
    if (isOversized || isFull) this.#cutRecords(bytes);
    if (isOversized) this.#passOversized(bytes);
  }

  /** The records from the chunk's start to the last record's end, if there are any. */
  #cutRecords(bytes: Buffer): void {
    const fullBytes = this.#recordEnd - this.#start;
    if (fullBytes === 0) return;
    const lent = bytes.subarray(this.#start, this.#recordEnd);
    this.#emit('records', lent, fullBytes, this.#recordEndLine);
    this.#start = this.#recordEnd;
  }

  /** The chunk's start is that of an oversized record: from here on it is counted, not kept. */
  #passOversized(bytes: Buffer): void {
    const keptBytes = Math.min(LIMITS.oversizedRawBytesMax, this.#recordBytesMax);
    const head = Buffer.from(bytes.subarray(this.#start, this.#start + keptBytes));
    this.#oversized = { head, passedBytes: 0 };
  }

  #cutOversized(end: number, line: number): void {
    const { head, passedBytes } = this.#oversized!;
    this.#emit('oversized', head, passedBytes + end - this.#start, line);
    this.#oversized = null;
    this.#start = this.#recordEnd = end;
    this.#recordEndLine = line;
  }

  #emit(kind: CutChunk['kind'], bytes: Buffer, fullBytes: number, line: number): void {
    const lines = line - this.#line;
    this.#take({
      kind,
      bytes,
      fullBytes,
      byteOffset: this.#byteOffset,
      line: this.#line,
      lines,
    });
    this.#byteOffset += fullBytes;
    this.#line = line;
  }

  /** Gives up the bytes that belong to no open chunk. */
  #forget(): void {
    if (this.#oversized !== null) {
      this.#oversized.passedBytes += this.#scanned - this.#start;
      this.#start = this.#recordEnd = this.#scanned;
    }
    this.#queue.drop(this.#start);
    this.#scanned -= this.#start;
    this.#recordEnd -= this.#start;
    this.#start = 0;
  }
}

function collect(run: (take: TakeChunk) => void): CutChunk[] {
  const chunks: CutChunk[] = [];
  run((cut) => chunks.push({ ...cut, bytes: Buffer.from(cut.bytes) }));
  return chunks;
}
