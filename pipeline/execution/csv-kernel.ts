import type { Kernel } from '../parsing/structural/kernel.ts';
import type { Batch } from './batch.ts';
import { FIELD_FRAME_WORDS, type KernelBatch } from './kernel-batch.ts';
import { SHARED_BYTES_MIN, type OutputBuffer } from './output-buffer.ts';

/** `OutputFrame` in `assembly/output/write-records.ts`. */
const FRAME_BYTES = 128;
const SELECTED_COUNT = FIELD_FRAME_WORDS + 4;
const OUTPUT_LENGTH = FIELD_FRAME_WORDS + 12;
const RUN_END = FIELD_FRAME_WORDS + 13;
const SPAN_BYTES = 8;

/** What one batch becomes, mostly: it is taken over from here while it is in the cache. */
const OUTPUT_BYTES = 256 * 1024;

/** Columns side by side in input and output. */
export interface FieldSpan {
  readonly first: number;
  readonly last: number;
}

/** What a writer writes: spans of fields with a delimiter between, or whole records as they are. */
export interface CsvLayout {
  readonly spans: readonly FieldSpan[];
  /** A byte. */
  readonly delimiter: number;
  /** One column, in which an empty field is written as `""`. */
  readonly isLone: boolean;
  /** All columns in their order. */
  readonly isIdentity: boolean;
}

/**
 * Writes delimited text inside the kernel, by copying slices: fields as they are, and runs of whole
 * records where nothing is left out. What cannot be copied is left to the reference.
 */
export class CsvKernel {
  readonly #batches: KernelBatch;
  readonly #kernel: Kernel;
  readonly #frame: number;
  readonly #spans: number;
  readonly #spansMax: number;
  readonly #output: number;
  #isIdentity = false;

  /** Reserves memory of the kernel, for so many columns. */
  constructor(batches: KernelBatch, columnCount: number) {
    const { kernel } = batches;
    this.#batches = batches;
    this.#kernel = kernel;
    this.#frame = kernel.reserve(FRAME_BYTES);
    this.#spans = kernel.reserve(columnCount * SPAN_BYTES);
    this.#spansMax = columnCount;
    this.#output = kernel.reserve(OUTPUT_BYTES);
  }

  /** Starts anew; false when there are more spans than room was reserved for. */
  begin({ spans, delimiter, isLone, isIdentity }: CsvLayout): boolean {
    const kernel = this.#kernel;
    if (spans.length > this.#spansMax) return false;
    this.#isIdentity = isIdentity;
    const places = new Uint32Array(kernel.buffer, this.#spans, spans.length * 2);
    places.set(spans.flatMap(({ first, last }) => [first, last]));
    this.#words().set(
      [
        ...[kernel.pointerOf('recordStarts'), kernel.pointerOf('recordEnds')],
        ...[kernel.pointerOf('recordFlags'), this.#batches.selection, 0],
        ...[this.#spans, spans.length, delimiter, isLone ? 1 : 0],
        ...[this.#output, OUTPUT_BYTES, SHARED_BYTES_MIN, 0, 0],
      ],
      FIELD_FRAME_WORDS,
    );
    return true;
  }

  holds(batch: Batch): boolean {
    return this.#batches.holds(batch);
  }

  /** Writes the selected records; `writeRecord` takes those that cannot be copied. */
  write(batch: Batch, out: OutputBuffer, writeRecord: (record: number) => void): void {
    const { exports, buffer } = this.#kernel;
    const { selection, selectedCount, index } = batch;
    this.#batches.enter(batch, this.#frame);
    const words = this.#words();
    words[SELECTED_COUNT] = selectedCount;
    for (let at = 0; at < selectedCount;) {
      const next = this.#isIdentity
        ? exports.writeRuns(this.#frame, at)
        : exports.writeRecords(this.#frame, at);
      const length = words[OUTPUT_LENGTH]!;
      if (length > 0) out.copy(new Uint8Array(buffer, this.#output, length), 0, length);
      const runEnd = this.#isIdentity ? words[RUN_END]! : 0;
      if (runEnd > 0) {
        const start = index.recordStarts[selection[next]!]!;
        shareRun(batch, start, index.recordEnds[selection[runEnd - 1]!]!, out);
        at = runEnd;
      } else if (next === at) {
        writeRecord(selection[at]!);
        at += 1;
      } else at = next;
    }
  }

  #words(): Uint32Array {
    return new Uint32Array(this.#kernel.buffer, this.#frame, FRAME_BYTES / 4);
  }
}

const LF = 0x0a;

/** Takes over the records from `start` to `end`, with a line end of their own where it is an LF. */
function shareRun({ bytes }: Batch, start: number, end: number, out: OutputBuffer) {
  if (bytes[end] === LF) out.share(bytes, start, end + 1);
  else {
    out.share(bytes, start, end);
    out.byte(LF);
  }
}
