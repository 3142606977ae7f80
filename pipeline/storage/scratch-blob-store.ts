import { mkdirSync, mkdtempSync } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { SluiceError } from '../errors.ts';
import { assertBlobName } from './blob-name.ts';
import type { BlobParts, FileSlice, IngestBlobStore, Room } from './blob-store.ts';
import { isContentHash, verifyContent } from './content-hash.ts';
import { ignoreMissing, storageError } from './file-errors.ts';
import { readSlice, readSliceNow } from './file-slice.ts';
import type { SliceBytes } from './file-slice.ts';
import { ScratchIndex } from './scratch-index.ts';
import { ScratchPack } from './scratch-pack.ts';
import { writeAll } from './write-all.ts';

/**
 * A folder that nobody reads after this run: nothing is synced, what stands in the input file
 * already is not written again, and objects have no files of their own: for most, to make and name
 * a file is more work than to write what is in it. An object is a list of slices: of the input (a chunk, and most of a plain
 * copy), and of the file that its writer appends to.
 *
 * ```
 * index      names, and the FileSlices that each object is (`ScratchIndex`)
 * w-<x>/<n>  bytes that one writer has put
 * ```
 */
export class ScratchBlobStore implements IngestBlobStore {
  readonly isDurable = false;
  readonly #dir: string;
  #index: ScratchIndex | null = null;
  #pack: ScratchPack | null = null;
  /** Of this writer. */
  #ownDir: string | null = null;
  #fileCount = 0;
  /** By its memory: the chunk that was read into it last. */
  readonly #chunks = new WeakMap<ArrayBufferLike, ReadChunk>();

  constructor(dir: string) {
    this.#dir = path.resolve(dir);
  }

  /** Lets go of the files. The store can be used on. */
  close(): void {
    this.#index?.close();
    this.#pack?.close();
    this.#index = null;
    this.#pack = null;
  }

  /** Parts that are views of a chunk, which its reader has not given back, are referred to. */
  async put(name: string, parts: BlobParts): Promise<{ readonly created: boolean }> {
    return await this.#guard(name, async () => {
      if (this.#isThere(name)) return { created: false };
      const slices =
        Symbol.asyncIterator in parts ? [await this.#writeStream(parts)] : this.#slicesOf(parts);
      this.#names().add(name, JSON.stringify(slices));
      return { created: true };
    });
  }

  async putNow(name: string, bytes: Uint8Array): Promise<{ readonly created: boolean }> {
    return await this.#guard(name, async () => {
      if (this.#isThere(name)) return { created: false };
      this.#names().add(name, JSON.stringify([this.#ownPack().append([bytes])]));
      return { created: true };
    });
  }

  /**
   * Makes bytes of another file a chunk, without a copy. That they were changed since is found by
   * their hash, which is not made where the file has kept its version.
   */
  referNow(name: string, slice: FileSlice): void {
    assertBlobName(name);
    this.#names().add(name, JSON.stringify([slice]));
  }

  async get(name: string, room: Room = ownMemory): Promise<Uint8Array> {
    return await this.#guard(name, async () => {
      const slices = this.#find(name);
      const [slice] = slices;
      if (slice === undefined || slices.length > 1) {
        return await this.getRange(name, 0, Number.MAX_SAFE_INTEGER);
      }
      // What was hashed a moment ago, by the thread that cut it, is in the system's memory.
      const { bytes, isUnchanged } = readSliceNow(slice, room);
      if (isUnchanged) this.#chunks.set(bytes.buffer, { start: bytes.byteOffset, slice });
      else this.#chunks.delete(bytes.buffer);
      if (isContentHash(name) && !isUnchanged) verifyContent(name, slice.path, bytes);
      return bytes;
    });
  }

  async getRange(
    name: string,
    start: number,
    end: number,
    room: Room = ownMemory,
  ): Promise<Uint8Array> {
    return await this.#guard(name, async () => {
      const slices = slicesWithin(this.#find(name), start, end);
      const bytes = room(slices.reduce((sum, slice) => sum + slice.end - slice.start, 0));
      let length = 0;
      for (const slice of slices) {
        const rest = (byteCount: number) => bytes.subarray(length, length + byteCount);
        length += (await readUnchanged(name, slice, rest)).length;
      }
      return bytes.subarray(0, length);
    });
  }

  stream(name: string, start: number, end: number): Readable {
    return Readable.from(this.lend(name, start, end, ownMemory), { objectMode: false });
  }

  /** The bytes `[start, end)`, a part after the other; none of a part that may have been changed. */
  async *lend(name: string, start: number, end: number, room: Room): AsyncGenerator<Uint8Array> {
    const slices = await this.#guard(name, async () => this.#find(name));
    for (const wanted of slicesWithin(slices, start, end)) {
      if (wanted.version === null) yield* this.#lendOwn(name, wanted, room);
      else yield await this.#guard(name, async () => readUnchanged(name, wanted, room));
    }
  }

  /** Small parts are lent whole, larger ones in pieces. */
  async *#lendOwn(name: string, slice: FileSlice, room: Room): AsyncGenerator<Uint8Array> {
    for (let at = slice.start; at < slice.end; at += LENT_BYTES) {
      const piece = { ...slice, start: at, end: Math.min(slice.end, at + LENT_BYTES) };
      const { bytes } = await this.#guard(name, () => read(piece, room));
      yield bytes;
    }
  }

  async has(name: string): Promise<boolean> {
    return (await this.version(name)) !== null;
  }

  async renew(name: string): Promise<boolean> {
    return await this.#guard(name, async () => this.#isThere(name));
  }

  async version(name: string): Promise<string | null> {
    return await this.#guard(name, async () => this.#names().version(name));
  }

  async delete(name: string): Promise<void> {
    await this.#guard(name, async () => this.#names().remove(name));
  }

  async deleteUnchanged(name: string, version: string): Promise<boolean> {
    return await this.#guard(name, async () => {
      if (this.#names().version(name) !== version) return false;
      this.#names().remove(name);
      return true;
    });
  }

  async *list(prefix: string): AsyncIterable<string> {
    const names = await this.#guard(prefix, async () => this.#names().names());
    yield* names.filter((name) => name.startsWith(prefix));
  }

  /** Whether there is such an object; if so, it is wanted. */
  #isThere(name: string): boolean {
    assertBlobName(name);
    if (this.#names().version(name) === null) return false;
    this.#names().renew(name);
    return true;
  }

  #find(name: string): readonly FileSlice[] {
    assertBlobName(name);
    const entry = this.#names().entry(name);
    if (entry !== null) return JSON.parse(entry) as readonly FileSlice[];
    const details = { name, dir: this.#dir };
    throw new SluiceError('blob-missing', `${name} is not in the store`, { details });
  }

  #slicesOf(parts: readonly Uint8Array[]): FileSlice[] {
    const inInput = parts.map((part) => this.#sliceOf(part));
    const own = parts.filter((_, i) => inInput[i] === null);
    const written = this.#ownPack().append(own);
    let { start } = written;
    return parts.flatMap((part, i) => {
      const referred = inInput[i] ?? null;
      if (referred !== null || part.length === 0) return referred ?? [];
      const slice = { ...written, start, end: start + part.length };
      start = slice.end;
      return slice;
    });
  }

  /** In a file of its own: how long it gets is not known. */
  async #writeStream(parts: AsyncIterable<Uint8Array>): Promise<FileSlice> {
    const file = this.#newFile();
    const handle = await open(file, 'wx');
    let end = 0;
    try {
      for await (const part of parts) {
        await writeAll(handle, [part]);
        end += part.length;
      }
    } catch (thrown) {
      await unlink(file).catch(ignoreMissing);
      throw thrown;
    } finally {
      await handle.close();
    }
    return { path: file, start: 0, end, version: null };
  }

  #sliceOf(part: Uint8Array): FileSlice | null {
    const chunk = part.length < REFERRED_BYTES_MIN ? undefined : this.#chunks.get(part.buffer);
    if (chunk === undefined) return null;
    const start = chunk.slice.start + part.byteOffset - chunk.start;
    const end = start + part.length;
    return start < chunk.slice.start || end > chunk.slice.end
      ? null
      : { ...chunk.slice, start, end };
  }

  /** Opened when it is used: a reader of a folder makes nothing in it. */
  #names(): ScratchIndex {
    if (this.#index === null) {
      mkdirSync(this.#dir, { recursive: true });
      this.#index = new ScratchIndex(path.join(this.#dir, 'index'));
    }
    return this.#index;
  }

  #ownPack(): ScratchPack {
    this.#pack ??= new ScratchPack(this.#newFile());
    return this.#pack;
  }

  #newFile(): string {
    this.#ownDir ??= mkdtempSync(path.join(this.#dir, 'w-'));
    return path.join(this.#ownDir, String(this.#fileCount++));
  }

  async #guard<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw storageError(name, this.#dir, thrown);
    }
  }
}

interface ReadChunk {
  /** Where in its memory it starts. */
  readonly start: number;
  readonly slice: FileSlice;
}

/** A smaller part is written sooner than it is looked up. */
const REFERRED_BYTES_MIN = 64 * 1024;

/** Lent at a time: the larger, the fewer calls. */
const LENT_BYTES = 1024 * 1024;

/** Read by calls that block: a thread to do it costs more than it takes. What this run has written itself
 *  is in the system's memory, and copied from there as fast by one thread as by another. */
const BLOCKING_BYTES_MAX = 64 * 1024;
const BLOCKING_OWN_BYTES_MAX = 4 * 1024 * 1024;

/** What of the slices is among the bytes `[start, end)` that they are together. */
function slicesWithin(slices: readonly FileSlice[], start: number, end: number): FileSlice[] {
  let at = 0;
  return slices.flatMap((slice) => {
    const from = slice.start + Math.max(0, start - at);
    const to = Math.min(slice.end, slice.start + end - at);
    at += slice.end - slice.start;
    return from >= to ? [] : { ...slice, start: from, end: to };
  });
}

async function read(slice: FileSlice, room: Room): Promise<SliceBytes> {
  const most = slice.version === null ? BLOCKING_OWN_BYTES_MAX : BLOCKING_BYTES_MAX;
  const isSmall = slice.end - slice.start <= most;
  return isSmall ? readSliceNow(slice, room) : await readSlice(slice, room);
}

/** Throws `blob-corrupt` where bytes of another file are no longer what they were. */
async function readUnchanged(name: string, slice: FileSlice, room: Room): Promise<Uint8Array> {
  const { bytes, isUnchanged } = await read(slice, room);
  if (isUnchanged || slice.version === null) return bytes;
  const message = `${name}: ${slice.path} was changed while it was read`;
  throw new SluiceError('blob-corrupt', message, { details: { name } });
}

function ownMemory(byteCount: number): Uint8Array {
  return Buffer.allocUnsafeSlow(byteCount);
}
