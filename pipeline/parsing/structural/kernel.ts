import { invariant } from '../../errors.ts';

/** The compiled kernel; the caller loads its bytes (`kernel.wasm`), this room does no I/O. */
export type KernelModule = WebAssembly.Module;

export function compileKernel(wasm: Uint8Array): KernelModule {
  return new WebAssembly.Module(wasm);
}

/** What `assembly/index.ts` exports; see there. Pointers and offsets are bytes. */
interface KernelExports {
  heapBase(): number;
  records(): number;
  fields(): number;
  lines(): number;
  isIrregular(): number;
  evenFields(): number;
  tokenize(
    ...args: [
      ...[index: number, base: number, start: number, end: number, isFinal: boolean],
      ...[delimiter: number, quote: number, skipBlank: boolean, recordMax: number],
    ]
  ): number;
  listLines(index: number, base: number, firstLine: number): void;
  countRecords(
    ...args: [
      ...[base: number, start: number, end: number, isFinal: boolean],
      ...[delimiter: number, quote: number, columns: number],
    ]
  ): number;
  countedRecords(): number;
  countedLines(): number;
  initColumn(column: number, cacheEntries: number): void;
  profileColumn(
    ...[frame, column, position, from, to]: readonly [number, number, number, number, number]
  ): number;
  flushColumn(column: number): void;
  listRegisters(column: number, target: number, most: number): number;
  clearGroups(frame: number): void;
  hasRoom(frame: number): number;
  addBlock(frame: number, from: number, to: number): number;
  listGroups(frame: number): void;
  sortGroups(frame: number): void;
  encodeGroups(frame: number): number;
  fillFirstFields(
    ...[recordFields, selection, count, firstFields]: readonly [number, number, number, number]
  ): void;
  addMember(set: number, text: number, length: number): void;
  select(frame: number): number;
  writeRecords(frame: number, from: number): number;
  writeRuns(frame: number, from: number): number;
  writeKeys(frame: number): number;
}

const PAGE_BYTES = 65_536;
/** The memory grows to twice its size, by no more than this if so much will do: pages that are not
 *  touched are not resident, but each growth has the garbage collector count the memory anew, and run. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024;
/** The kernel writes up to a block of 64 entries, and one more, past the last it checked for. */
const SLACK = 66;
/** The kernel reads whole blocks. */
const BLOCK_BYTES = 64;
/** Regions that overlap are held side by side in so many bytes, which stay in the processor's cache. */
const WINDOW_BYTES = 256 * 1024;
/** Fields of a batch: some 256 records of a thousand columns. Of narrow tables there are far fewer. */
const FIELDS_MAX = 262_144;

/** As `IndexFrame` in `assembly/tokenize.ts` begins, and `recordFlags`. */
const ARRAYS = [
  ...['fieldStarts', 'fieldEnds', 'recordFields', 'recordStarts', 'recordEnds', 'recordLines'],
  'recordFlags',
] as const;
const FRAME_BYTES = 32;

/** Instead of an offset: records are not all alike. */
const UNEVEN = 0xffffffff;

/** What was counted, up to the offset `next`. */
export interface CountedText {
  readonly next: number;
  readonly recordCount: number;
  readonly lineCount: number;
}

/** Typed arrays over the kernel's memory. Void after the memory has grown. */
export interface KernelArrays {
  readonly fieldStarts: Uint32Array;
  readonly fieldEnds: Uint32Array;
  readonly recordFields: Uint32Array;
  readonly recordStarts: Uint32Array;
  readonly recordEnds: Uint32Array;
  readonly recordLines: Uint32Array;
  /** Written by the caller. */
  readonly recordFlags: Uint8Array;
}

/**
 * An instance of the kernel with its memory: the index arrays first, then areas that were reserved,
 * then a window on the text, into which a region at a time is copied: it stays in the processor's
 * cache, which a whole text would not. The memory grows to the largest region.
 */
export class Kernel {
  readonly exports: KernelExports;
  readonly recordsMax: number;
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #pointers: number[] = [];
  readonly #frame: number;
  #window: number;
  /** What of the text is in the window. */
  #heldFrom = 0;
  #heldTo = 0;
  #arrays: KernelArrays;
  #text: Uint8Array = new Uint8Array(0);

  constructor(module: KernelModule, recordsMax: number) {
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.exports = instance.exports as unknown as KernelExports;
    this.recordsMax = recordsMax;
    let pointer = align(this.exports.heapBase());
    for (const name of ARRAYS) {
      this.#pointers.push(pointer);
      pointer = align(pointer + 4 * this.#capacityOf(name));
    }
    this.#frame = pointer;
    this.#window = align(this.#frame + FRAME_BYTES);
    this.#arrays = this.#reserveWindow(0);
    new Uint32Array(this.buffer, this.#frame, FRAME_BYTES / 4).set([
      ...this.#pointers.slice(0, ARRAYS.indexOf('recordFlags')),
      FIELDS_MAX,
    ]);
  }

  get arrays(): KernelArrays {
    return this.#arrays;
  }

  /** The whole memory. Another buffer, and this one void, after it has grown. */
  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  /** What the kernel adds offsets in the text to, modulo 2^32: where the text would begin. */
  get textPointer(): number {
    return (this.#window - this.#heldFrom) >>> 0;
  }

  /** Where an array begins. */
  pointerOf(name: keyof KernelArrays): number {
    return this.#pointers[ARRAYS.indexOf(name)]!;
  }

  /** Sets an area of the memory aside, for good; returns its pointer. Before any text is loaded. */
  reserve(byteCount: number): number {
    invariant(this.#text.length === 0, 'areas are reserved before a text is loaded');
    const pointer = this.#window;
    this.#window = align(pointer + byteCount);
    this.#arrays = this.#reserveWindow(0);
    return pointer;
  }

  /** Takes a text; its regions are copied in when they are read. */
  load(text: Uint8Array): void {
    this.#text = text;
    this.#heldFrom = 0;
    this.#heldTo = 0;
  }

  /** Whether `bytes` are the text that was loaded last. */
  holds(bytes: Uint8Array): boolean {
    return bytes === this.#text;
  }

  /** See `tokenize` in `assembly/tokenize.ts`. */
  tokenize(
    start: number,
    end: number,
    isFinal: boolean,
    delimiter: number,
    quote: number,
    skipBlank: boolean,
    recordsMax: number,
  ): number {
    this.#hold(start, end, isFinal);
    const hasRoom = recordsMax >= BLOCK_BYTES && recordsMax <= this.recordsMax;
    invariant(hasRoom, 'there is room for the records of a block, and for so many');
    const consumed = this.exports.tokenize(
      ...([this.#frame, this.textPointer, start, end, isFinal] as const),
      ...([delimiter, quote, skipBlank, recordsMax] as const),
    );
    return consumed >>> 0;
  }

  /** Fills `recordLines` of the records that `tokenize` found last. */
  listLines(firstLine: number): void {
    this.exports.listLines(this.#frame, this.textPointer, firstLine);
  }

  /** See `countRecords` in `assembly/count-records.ts`; null where it cannot count. */
  count(
    start: number,
    end: number,
    isFinal: boolean,
    delimiter: number,
    quote: number,
    columnCount: number,
  ): CountedText | null {
    this.#hold(start, end, isFinal);
    const { exports } = this;
    const next =
      exports.countRecords(
        ...([this.textPointer, start, end, isFinal, delimiter, quote, columnCount] as const),
      ) >>> 0;
    if (next === UNEVEN) return null;
    return { next, recordCount: exports.countedRecords(), lineCount: exports.countedLines() };
  }

  get recordCount(): number {
    return this.exports.records();
  }

  get fieldCount(): number {
    return this.exports.fields();
  }

  /** Line ends before the offset that `tokenize` returned, in what it read. */
  get lineCount(): number {
    return this.exports.lines();
  }

  /** Whether quotes were met that only the scalar tokenizer reads: nothing written counts. */
  get isIrregular(): boolean {
    return this.exports.isIrregular() !== 0;
  }

  /** Fields of every record, when all have as many; else 0. */
  get evenFields(): number {
    return this.exports.evenFields();
  }

  /** Copies a region in with the block behind it, but for what of it is there already. */
  #hold(start: number, end: number, isFinal: boolean): void {
    const text = this.#text;
    const { length } = text;
    invariant(isFinal ? end === length : end < length, 'a region lies in the text');
    const to = Math.min(end + BLOCK_BYTES, length);
    const isHeld = start >= this.#heldFrom && (start + to) / 2 < this.#heldTo;
    if (!isHeld || to - this.#heldFrom > WINDOW_BYTES) {
      this.#heldFrom = start;
      this.#heldTo = start;
    }
    if (to <= this.#heldTo) return;
    this.#arrays = this.#reserveWindow(to - this.#heldFrom);
    const at = this.#window + this.#heldTo - this.#heldFrom;
    const target = new Uint8Array(this.buffer, at, to - this.#heldTo + BLOCK_BYTES);
    target.set(text.subarray(this.#heldTo, to));
    target.fill(0, to - this.#heldTo);
    this.#heldTo = to;
  }

  #capacityOf(name: (typeof ARRAYS)[number]): number {
    return (name.startsWith('field') ? FIELDS_MAX : this.recordsMax) + SLACK;
  }

  #reserveWindow(byteCount: number): KernelArrays {
    const needed = this.#window + byteCount + BLOCK_BYTES;
    const { byteLength } = this.#memory.buffer;
    const missing = needed - byteLength;
    if (missing > 0) {
      const growth = Math.max(missing, Math.min(byteLength, GROWTH_BYTES_MAX));
      this.#memory.grow(Math.ceil(growth / PAGE_BYTES));
    } else if (this.#arrays !== undefined) return this.#arrays;
    const views = ARRAYS.map((name, i) => {
      const View = name === 'recordFlags' ? Uint8Array : Uint32Array;
      return [name, new View(this.#memory.buffer, this.#pointers[i], this.#capacityOf(name))];
    });
    return Object.fromEntries(views) as KernelArrays;
  }
}

function align(pointer: number): number {
  return Math.ceil(pointer / BLOCK_BYTES) * BLOCK_BYTES;
}
