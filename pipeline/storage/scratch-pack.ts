import { closeSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileSlice } from './blob-store.ts';
import { writeAll } from './write-all.ts';

/** Read and written by calls that block: a thread to do it costs more than it takes. */
export const BLOCKING_BYTES_MAX = 64 * 1024;

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

  async append(parts: readonly Uint8Array[]): Promise<FileSlice> {
    const byteCount = lengthOf(parts);
    if (byteCount <= BLOCKING_BYTES_MAX) return this.appendNow(parts);
    const slice = this.#reserve(byteCount);
    const file = await open(this.#path, 'r+');
    try {
      await writeAll(file, parts, slice.start);
    } finally {
      await file.close();
    }
    return slice;
  }

  /** The parts are the caller's again when it returns. */
  appendNow(parts: readonly Uint8Array[]): FileSlice {
    const slice = this.#reserve(lengthOf(parts));
    let at = slice.start;
    for (const part of parts) {
      for (let done = 0; done < part.length;) {
        const written = writeSync(this.#file, part, done, part.length - done, at);
        done += written;
        at += written;
      }
    }
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
