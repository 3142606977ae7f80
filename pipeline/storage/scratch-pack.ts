import { closeSync, openSync } from 'node:fs';
import type { FileSlice } from './blob-store.ts';
import { writeAllNow } from './write-all.ts';

/** The file that one writer appends to. Throws what the system says; what failed leaves a gap. */
export class ScratchPack {
  readonly #path: string;
  readonly #file: number;
  #length = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'wx');
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The parts are the caller's again when it returns. Blocks: a thread for it costs more than the system
   *  takes to copy them, and a worker would wait for it. */
  append(parts: readonly Uint8Array[]): FileSlice {
    const slice = this.#reserve(lengthOf(parts));
    writeAllNow(this.#file, parts, slice.start);
    return slice;
  }

  #reserve(byteCount: number): FileSlice {
    const start = this.#length;
    this.#length += byteCount;
    return { path: this.#path, start, end: this.#length, version: null };
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
