import {
  closeSync,
  createReadStream,
  fdatasync,
  mkdirSync,
  mkdtempSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Dirent } from 'node:fs';
import { link, mkdir, mkdtemp, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { invariant, SluiceError, toSluiceError } from '../errors.ts';
import { assertBlobName } from './blob-name.ts';
import type { BlobParts, FileSlice, IngestBlobStore, Room } from './blob-store.ts';
import { isContentHash, verifyContent } from './content-hash.ts';
import { ignoreMissing, isMissing, storageError, systemCode } from './file-errors.ts';
import { readSlice } from './file-slice.ts';
import { writeAll } from './write-all.ts';
import { touch, touchNow, unlinkUnchanged, versionOf } from './file-version.ts';

/**
 * Blobs as files: `<dir>/<first segment>/<first two characters>/<rest>`, so that no folder gets
 * huge. An object is visible only when it is complete and durable: it is written under a temporary
 * name, synced, and linked to its own name, which fails harmlessly when the name is taken.
 */
export class FileBlobStore implements IngestBlobStore {
  readonly isDurable = true;
  readonly #dir: string;
  #temporaryDir: Promise<string> | null = null;
  /** Of `putNow`. */
  #blockingDir: string | null = null;
  #temporaryCount = 0;
  readonly #knownDirs = new Set<string>();

  constructor(dir: string) {
    this.#dir = path.resolve(dir);
  }

  async put(name: string, parts: BlobParts): Promise<{ readonly created: boolean }> {
    const target = this.#pathOf(name);
    if (await this.renew(name)) return { created: false };
    return await this.#guardPut(name, async () => {
      const temporary = await this.#writeTemporary(parts);
      return { created: await this.#publish(temporary, target) };
    });
  }

  /**
   * As `put`, of bytes that are the caller's again when the call returns its promise: they are
   * written by then, by calls that block. For a thread that does nothing else.
   */
  async putNow(name: string, bytes: Uint8Array): Promise<{ readonly created: boolean }> {
    const target = this.#pathOf(name);
    return await this.#guardPut(name, async () => {
      if (touchNow(target)) {
        await this.#syncName(target);
        return { created: false };
      }
      const { file, temporary } = this.#writeTemporaryNow(bytes);
      try {
        await syncData(file);
      } catch (thrown) {
        unlinkSync(temporary);
        throw thrown;
      } finally {
        closeSync(file);
      }
      return { created: await this.#publish(temporary, target) };
    });
  }

  referNow(_name: string, _slice: FileSlice): void {
    invariant(false, 'a durable store holds its chunks itself');
  }

  async get(name: string, room: Room = ownMemory): Promise<Uint8Array> {
    const file = this.#pathOf(name);
    const { bytes } = await this.#guard(name, async () => {
      const slice = { path: file, start: 0, end: (await stat(file)).size, version: null };
      return await readSlice(slice, room);
    });
    if (isContentHash(name)) verifyContent(name, file, bytes);
    return bytes;
  }

  async getRange(name: string, start: number, end: number): Promise<Uint8Array> {
    const slice = { path: this.#pathOf(name), start, end, version: null };
    return (await this.#guard(name, () => readSlice(slice, ownMemory))).bytes;
  }

  stream(name: string, start: number, end: number): Readable {
    if (end <= start) return Readable.from([]);
    return createReadStream(this.#pathOf(name), { start, end: end - 1, highWaterMark: 1 << 18 });
  }

  lend(name: string, start: number, end: number, room: Room): AsyncIterable<Uint8Array> {
    return this.#lendSlice(name, { path: this.#pathOf(name), start, end, version: null }, room);
  }

  /** A slice in pieces that fit a processor's cache, each of them lent. */
  async *#lendSlice(name: string, slice: FileSlice, room: Room): AsyncGenerator<Uint8Array> {
    const file = await this.#guard(name, () => open(slice.path, 'r'));
    try {
      const memory = room(LENT_BYTES);
      for (let at = slice.start; at < slice.end;) {
        const wanted = Math.min(memory.length, slice.end - at);
        const { bytesRead } = await this.#guard(name, () => file.read(memory, 0, wanted, at));
        if (bytesRead === 0) return;
        at += bytesRead;
        yield memory.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async has(name: string): Promise<boolean> {
    return (await this.version(name)) !== null;
  }

  async renew(name: string): Promise<boolean> {
    return await this.#guard(name, () => this.#touchDurable(this.#pathOf(name)));
  }

  async version(name: string): Promise<string | null> {
    return await this.#guard(name, () => versionOf(this.#pathOf(name)));
  }

  async deleteUnchanged(name: string, version: string): Promise<boolean> {
    return await this.#guard(name, async () => {
      const aside = await this.#temporaryName();
      return await unlinkUnchanged(this.#pathOf(name), version, aside);
    });
  }

  async delete(name: string): Promise<void> {
    await this.#guard(name, () => unlink(this.#pathOf(name)).catch(ignoreMissing));
  }

  async *list(prefix: string): AsyncIterable<string> {
    const room = path.join(this.#dir, ...prefix.split('/').slice(0, 1));
    for (const { name: shard } of await entries(room)) {
      for (const rest of await entries(path.join(room, shard))) {
        for (const name of await this.#namesAt(path.basename(room), shard, rest)) {
          if (name.startsWith(prefix)) yield name;
        }
      }
    }
  }

  /** Removes what crashed processes left half-written. What others write now fails, and can be
   *  tried again. */
  async removeTemporaries(): Promise<void> {
    await rm(path.join(this.#dir, 'tmp'), { recursive: true, force: true });
    this.#temporaryDir = null;
    this.#blockingDir = null;
  }

  async #namesAt(room: string, shard: string, entry: Dirent): Promise<string[]> {
    const name = `${room}/${shard}${entry.name === SHORT_NAME ? '' : entry.name}`;
    if (!entry.isDirectory()) return [name];
    const children = await entries(path.join(this.#dir, room, shard, entry.name));
    return children.map((child) => `${name}/${child.name}`);
  }

  #pathOf(name: string): string {
    assertBlobName(name);
    const [room = '', key = '', ...more] = name.split('/');
    const rest = key.slice(2) === '' ? SHORT_NAME : key.slice(2);
    return path.join(this.#dir, room, key.slice(0, 2), rest, ...more);
  }

  /** Gives a durable temporary file its name. Returns false when the name is taken. */
  async #publish(temporary: string, target: string): Promise<boolean> {
    try {
      await this.#ensureDir(path.dirname(target));
      await link(temporary, target);
      await this.#syncName(target);
      return true;
    } catch (thrown) {
      // Another one wrote the same just now.
      if (systemCode(thrown) === 'EEXIST' && (await this.#touchDurable(target))) return false;
      throw thrown;
    } finally {
      await unlink(temporary).catch(ignoreMissing);
    }
  }

  /** Whoever gave the file its name may not have synced that yet. False when there is none. */
  async #touchDurable(target: string): Promise<boolean> {
    if (!(await touch(target))) return false;
    await this.#syncName(target);
    return true;
  }

  async #syncName(target: string): Promise<void> {
    await syncDir(path.dirname(target));
  }

  #writeTemporaryNow(bytes: Uint8Array): { file: number; temporary: string } {
    this.#blockingDir ??= mkdtempSync(path.join(this.#makeTemporaryRoot(), 'w-'));
    const temporary = path.join(this.#blockingDir, String(this.#temporaryCount++));
    const file = openSync(temporary, 'wx');
    try {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(file, bytes, at, Math.min(WRITE_BYTES, bytes.length - at));
      }
    } catch (thrown) {
      closeSync(file);
      unlinkSync(temporary);
      throw thrown;
    }
    return { file, temporary };
  }

  #makeTemporaryRoot(): string {
    const root = path.join(this.#dir, 'tmp');
    mkdirSync(root, { recursive: true });
    return root;
  }

  async #writeTemporary(parts: BlobParts): Promise<string> {
    const temporary = await this.#temporaryName();
    const file = await open(temporary, 'wx');
    try {
      if (Array.isArray(parts)) await writeAll(file, parts);
      else for await (const part of parts) await file.writeFile(part);
      await file.datasync();
    } catch (thrown) {
      await file.close();
      await unlink(temporary).catch(ignoreMissing);
      throw thrown;
    }
    await file.close();
    return temporary;
  }

  /** Of a file that does not exist, on the same file system. */
  async #temporaryName(): Promise<string> {
    return path.join(await this.#temporaries(), String(this.#temporaryCount++));
  }

  async #temporaries(): Promise<string> {
    this.#temporaryDir ??= (async () => {
      await mkdir(path.join(this.#dir, 'tmp'), { recursive: true });
      return await mkdtemp(path.join(this.#dir, 'tmp', 'w-'));
    })();
    return await this.#temporaryDir.catch((thrown: unknown) => {
      this.#temporaryDir = null;
      throw thrown;
    });
  }

  async #ensureDir(dir: string): Promise<void> {
    if (this.#knownDirs.has(dir)) return;
    await mkdir(dir, { recursive: true });
    // Its name, too, and those of the folders above it, whoever made them.
    for (let at = dir; at.length >= this.#dir.length; at = path.dirname(at)) {
      await this.#syncName(at);
    }
    if (this.#knownDirs.size < 4096) this.#knownDirs.add(dir);
  }

  /** A master that was started again removes temporary files of processes that it takes for gone. */
  async #guardPut<T>(name: string, work: () => Promise<T>): Promise<T> {
    return await this.#guard(name, async () => {
      try {
        return await work();
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown;
        this.#temporaryDir = null;
        this.#blockingDir = null;
        throw new SluiceError('storage-failed', `${name}: its temporary file was removed`, {
          details: { name, dir: this.#dir },
          cause: thrown,
        });
      }
    });
  }

  async #guard<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw storageError(name, this.#dir, thrown);
    }
  }
}

/** Bytes a blocking write: larger ones were not faster in any measurement. */
const WRITE_BYTES = 256 * 1024;

/** Lent at a time: the larger, the fewer calls. */
const LENT_BYTES = 1024 * 1024;

/** Stands for the empty rest of a key of one or two characters. */
const SHORT_NAME = '_';

function ownMemory(byteCount: number): Uint8Array {
  return Buffer.allocUnsafeSlow(byteCount);
}

async function entries(dir: string): Promise<Dirent[]> {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw toSluiceError(thrown);
  }
}

async function syncData(file: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    fdatasync(file, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
