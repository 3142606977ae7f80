import { invariant } from '../errors.ts';
import type { KernelModule } from '../parsing/structural/kernel.ts';

/** What `assembly/entries` exports; see there. Pointers are bytes. */
export interface EntryExports {
  heapBase(): number;
  orderKeys(frame: number, count: number, order: number, items: number): void;
  countEntries(start: number, end: number): number;
  readEntries(frame: number, start: number, end: number, slice: number): void;
  writeBlock(frame: number, from: number, blockBytes: number): number;
  copyRecords(frame: number, from: number): number;
  longestEntry(frame: number): number;
  mergeGroups(frame: number, from: number): number;
  indexGroups(frame: number): number;
}

const PAGE_BYTES = 65_536;
/** As in `Kernel`: fewer growths, less for the garbage collector to do. */
const GROWTH_BYTES = 16 * 1024 * 1024;
const ALIGNMENT_BYTES = 16;
/** Read behind a text and written behind an output. */
const SLACK_BYTES = 64;
/** A memory that is this many times too large is given up: it cannot shrink. */
const SPARE_FACTOR = 4;
const KEPT_BYTES = 40 * 1024 * 1024;

/** A frame is of so many words; these are its output's, as in `assembly/entries/frame.ts`. */
const FRAME_WORDS = 11;
const FRAME = { output: 8, outputLength: 10 } as const;

/** What one job of the kernel works on: places in its memory. */
export interface EntryAreas {
  readonly text: number;
  readonly starts: number;
  readonly ends: number;
  readonly recordText: number;
  readonly recordStarts: number;
  readonly recordEnds: number;
  readonly order: number;
  readonly count: number;
}

/**
 * An instance of the kernel for entries, and its memory: areas one behind the other, until `clear`.
 * Views are made when all areas are there: they are void when the memory has grown.
 */
export class EntryKernel {
  readonly #module: KernelModule;
  #memory!: WebAssembly.Memory;
  #exports!: EntryExports;
  #base = 0;
  #end = 0;

  constructor(module: KernelModule) {
    this.#module = module;
    this.#instantiate();
  }

  get exports(): EntryExports {
    return this.#exports;
  }

  /** Forgets all areas; some `bytes` will be needed. */
  clear(bytes: number): void {
    const { byteLength } = this.#memory.buffer;
    if (byteLength > KEPT_BYTES && byteLength > SPARE_FACTOR * bytes) this.#instantiate();
    this.#end = this.#base;
  }

  /** Sets an area aside. */
  area(bytes: number): number {
    const start = this.#end;
    this.#end = align(start + bytes + SLACK_BYTES);
    const missing = this.#end - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow((Math.ceil(missing / GROWTH_BYTES) * GROWTH_BYTES) / PAGE_BYTES);
    }
    return start;
  }

  bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, pointer, length);
  }

  words(pointer: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, pointer, count);
  }

  /** A frame for `areas`, without an output. */
  frame(areas: EntryAreas): number {
    const frame = this.area(FRAME_WORDS * 4);
    const { text, starts, ends, recordText, recordStarts, recordEnds, order, count } = areas;
    const words = [text, starts, ends, recordText, recordStarts, recordEnds, order, count, 0, 0, 0];
    this.words(frame, FRAME_WORDS).set(words);
    return frame;
  }

  /** Gives a frame an output of `bytes`, and of at least its longest entry. */
  setOutput(frame: number, bytes: number): void {
    const capacity = bytes + this.#exports.longestEntry(frame) + SLACK_BYTES;
    const output = this.area(capacity);
    this.words(frame, FRAME_WORDS).set([output, capacity], FRAME.output);
  }

  /** What was written last to a frame's output. */
  written(frame: number): Uint8Array {
    const words = this.words(frame, FRAME_WORDS);
    return this.bytes(words[FRAME.output]!, words[FRAME.outputLength]!);
  }

  #instantiate(): void {
    this.#memory = new WebAssembly.Memory({ initial: 1 });
    const instance = new WebAssembly.Instance(this.#module, { env: { memory: this.#memory } });
    this.#exports = instance.exports as unknown as EntryExports;
    this.#base = align(this.#exports.heapBase());
    invariant(this.#base > 0, 'the kernel has data of its own');
    this.#end = this.#base;
  }
}

function align(pointer: number): number {
  return Math.ceil(pointer / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
