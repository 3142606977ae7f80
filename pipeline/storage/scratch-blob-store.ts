import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { SluiceError } from '../errors.ts';
import type { BlobParts, FileSlice, Room } from './blob-store.ts';
import { FileBlobStore, isContentHash, verifyContent } from './file-blob-store.ts';
import { readSlice } from './file-slice.ts';
import { writeAll } from './write-all.ts';

/**
 * A folder that nobody reads after this run: nothing is synced, and what stands in the input file
 * already is not written again. A chunk may be a slice of the file, and so may parts of a result:
 * a plain copy is made of little else.
 *
 * ```
 * chunks/<key>.at        the FileSlice that the chunk is
 * results/<key>          the bytes of the result that are its own
 * results/<key>.parts    FileSlices in order, of that file and of the input; only where it has both
 * ```
 */
export class ScratchBlobStore extends FileBlobStore {
  /** By its memory: the chunk that was read into it last. */
  readonly #chunks = new WeakMap<ArrayBufferLike, ReadChunk>();

  constructor(dir: string) {
    super(dir, { durable: false });
  }

  /**
   * Makes bytes of another file a chunk, without a copy. That they were changed since is found by
   * their hash, which is not made where the file has kept its version.
   */
  override referNow(name: string, slice: FileSlice): void {
    const target = `${this.pathOf(name)}${REFERENCE}`;
    const dir = path.dirname(target);
    if (!this.knownDirs.has(dir)) mkdirSync(dir, { recursive: true });
    this.knownDirs.add(dir);
    writeFileSync(target, JSON.stringify(slice));
  }

  override async get(name: string, room?: Room): Promise<Uint8Array> {
    const slice = readJson<FileSlice>(`${this.pathOf(name)}${REFERENCE}`);
    if (slice === null) return await super.get(name, room);
    return await this.guard(name, async () => {
      const { bytes, isUnchanged } = await readSlice(slice, room ?? ownMemory);
      if (isUnchanged) this.#chunks.set(bytes.buffer, { start: bytes.byteOffset, slice });
      else this.#chunks.delete(bytes.buffer);
      if (isContentHash(name) && !isUnchanged) verifyContent(name, slice.path, bytes);
      return bytes;
    });
  }

  /** Large parts that are views of a chunk, which its reader has not given back, are referred to. */
  override async put(name: string, parts: BlobParts): Promise<{ readonly created: boolean }> {
    const target = this.pathOf(name);
    if (!Array.isArray(parts) || existsSync(target)) return await super.put(name, parts);
    return await this.guard(name, async () => {
      const own: Uint8Array[] = [];
      const slices: FileSlice[] = [];
      let ownBytes = 0;
      for (const part of parts as readonly Uint8Array[]) {
        const inInput = this.#sliceOf(part);
        if (inInput === null) own.push(part);
        const start = ownBytes;
        if (inInput === null) ownBytes += part.length;
        slices.push(inInput ?? { path: target, start, end: ownBytes, version: null });
      }
      await this.ensureDir(path.dirname(target));
      if (own.length < slices.length) {
        await writeFile(`${target}${PARTS}`, JSON.stringify(slices));
      }
      await this.#write(target, own);
      return { created: true };
    });
  }

  override async getRange(name: string, start: number, end: number): Promise<Uint8Array> {
    const slices = this.#partsOf(name);
    if (slices === null) {
      if (end - start > SMALL_BYTES_MAX) return await super.getRange(name, start, end);
      return await this.guard(name, async () => readNow(this.pathOf(name), start, end));
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#pieces(name, slices, start, end)) pieces.push(piece);
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  override stream(name: string, start: number, end: number): Readable {
    const slices = this.#partsOf(name);
    if (slices === null) return super.stream(name, start, end);
    return Readable.from(this.#pieces(name, slices, start, end), { objectMode: false });
  }

  override lend(name: string, start: number, end: number, room: Room): AsyncIterable<Uint8Array> {
    const slices = this.#partsOf(name);
    if (slices === null) return super.lend(name, start, end, room);
    return this.#pieces(name, slices, start, end, room);
  }

  /** The bytes `[start, end)`, a part after the other; none of a part that may have been changed. */
  async *#pieces(
    name: string,
    slices: readonly FileSlice[],
    start: number,
    end: number,
    room: Room = ownMemory,
  ): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (const slice of slices) {
      const from = slice.start + Math.max(0, start - at);
      const to = Math.min(slice.end, slice.start + end - at);
      at += slice.end - slice.start;
      if (from >= to) continue;
      const wanted = { ...slice, start: from, end: to };
      const { bytes, isUnchanged } = await this.guard(name, () => readSlice(wanted, room));
      if (slice.version !== null && !isUnchanged) {
        const message = `${name}: ${slice.path} was changed while it was read`;
        throw new SluiceError('blob-corrupt', message, { details: { name } });
      }
      yield bytes;
    }
  }

  #partsOf(name: string): readonly FileSlice[] | null {
    return readJson<readonly FileSlice[]>(`${this.pathOf(name)}${PARTS}`);
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

  /** Under another name first: what stands under its own is whole. */
  async #write(target: string, parts: readonly Uint8Array[]): Promise<void> {
    const temporary = await this.temporaryName();
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (bytes <= SMALL_BYTES_MAX) {
      writeFileSync(temporary, Buffer.concat(parts), { flag: 'wx' });
      renameSync(temporary, target);
      return;
    }
    const file = await open(temporary, 'wx');
    try {
      await writeAll(file, parts);
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  }
}

interface ReadChunk {
  /** Where in its memory it starts. */
  readonly start: number;
  readonly slice: FileSlice;
}

const REFERENCE = '.at';
const PARTS = '.parts';

/** A smaller part is written sooner than it is looked up. */
const REFERRED_BYTES_MIN = 64 * 1024;

/** Read and written by calls that block: a thread to do it costs more than it takes. */
const SMALL_BYTES_MAX = 64 * 1024;

function readNow(file: string, start: number, end: number): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.allocUnsafe(end - start);
    let length = 0;
    for (let read = -1; length < bytes.length && read !== 0; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, start + length);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Null where there is no such file. By calls that block: some ten microseconds each. */
function readJson<T>(file: string): T | null {
  if (!existsSync(file)) return null;
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function ownMemory(byteCount: number): Uint8Array {
  return Buffer.allocUnsafeSlow(byteCount);
}
