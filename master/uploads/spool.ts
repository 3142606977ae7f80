import { mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { LIMITS } from '../../pipeline/limits.ts';

/** Bytes read at a time when a spool is read back. */
const READ_BYTES = 256 * 1024;
/** Names sort as their offsets do: 2^53 has 16 digits. */
const OFFSET_DIGITS = 16;

interface SpoolFile {
  readonly start: number;
  bytes: number;
  isSynced: boolean;
}

/**
 * The bytes `[start, end)` of one upload, as a row of files named by their offset. Appended at the
 * end, deleted from the start, read in between. One writer; reads and deletions may run beside it.
 * Nothing survives a loss of power before `sync`. Errors: `disk-full`, `storage-failed`.
 */
export class Spool {
  readonly #dir: string;
  #files: SpoolFile[] = [];
  #handle: FileHandle | null = null;
  /** A file was made whose name is not on the disk yet. */
  #dirIsSynced = true;
  /** The last file may have bytes of an append that failed, behind those that count. */
  #isRagged = false;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * What an earlier process left from `offset` on, as far as it hangs together: nothing is read behind
   * a gap. Of files that were deleted before it a loss of power may bring any back.
   */
  static async open(dir: string, offset: number): Promise<Spool> {
    const spool = new Spool(dir);
    await guard(async () => {
      await mkdir(dir, { recursive: true });
      const starts = await offsetsIn(dir);
      const first = starts.findLastIndex((start) => start <= offset);
      for (const start of starts.slice(Math.max(0, first))) {
        if (spool.#files.length > 0 && start !== spool.end) {
          await rm(spool.#pathOf(start), { force: true });
          continue;
        }
        const { size } = await stat(spool.#pathOf(start));
        spool.#files.push({ start, bytes: size, isSynced: false });
      }
    });
    return spool;
  }

  get start(): number {
    return this.#files[0]?.start ?? 0;
  }

  get end(): number {
    const last = this.#files.at(-1);
    return last === undefined ? 0 : last.start + last.bytes;
  }

  /** Resolves when the bytes are handed to the system. After a failure none of them count. */
  async append(bytes: Uint8Array): Promise<void> {
    await guard(async () => {
      let last = this.#files.at(-1);
      if (last === undefined || last.bytes >= LIMITS.spoolFileBytes) last = await this.#addFile();
      const handle = await this.#open(last);
      // Files must end where the next one begins.
      if (this.#isRagged) await truncate(this.#pathOf(last.start), last.bytes);
      this.#isRagged = true;
      for (let at = 0; at < bytes.length;) {
        at += (await handle.write(bytes, at, bytes.length - at, last.bytes + at)).bytesWritten;
      }
      this.#isRagged = false;
      last.bytes += bytes.length;
      last.isSynced = false;
    });
  }

  /** Resolves when all that was appended before is on the disk. */
  async sync(): Promise<void> {
    await guard(async () => {
      for (const file of this.#files.filter((one) => !one.isSynced)) {
        const { bytes } = file;
        await syncFile(this.#pathOf(file.start));
        if (file.bytes === bytes) file.isSynced = true;
      }
      if (this.#dirIsSynced) return;
      await syncFile(this.#dir);
      await syncFile(path.dirname(this.#dir));
      this.#dirIsSynced = true;
    });
  }

  /** The bytes `[from, to)`. */
  async *read(from: number, to: number): AsyncGenerator<Buffer> {
    let at = from;
    for (const file of [...this.#files]) {
      const end = Math.min(to, file.start + file.bytes);
      if (at < file.start || at >= end) continue;
      const handle = await guard(() => open(this.#pathOf(file.start), 'r'));
      try {
        while (at < end) {
          const bytes = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
          const { bytesRead } = await guard(() =>
            handle.read(bytes, 0, bytes.length, at - file.start),
          );
          if (bytesRead === 0) break;
          at += bytesRead;
          yield bytes.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    }
    if (at < to) {
      throw new SluiceError('storage-failed', `the spool of an upload ends at byte ${at}`, {
        details: { dir: this.#dir, from, to, at },
      });
    }
  }

  /** Drops what lies behind `end`. */
  async truncate(end: number): Promise<void> {
    await guard(async () => {
      await this.#closeHandle();
      while (this.#files.length > 0 && this.end > end) {
        const last = this.#files.at(-1)!;
        if (last.start >= end) await this.#removeFile(this.#files.pop()!);
        else {
          await truncate(this.#pathOf(last.start), end - last.start);
          Object.assign(last, { bytes: end - last.start, isSynced: false });
        }
      }
      if (this.#files.length === 0) await this.#addFile(end);
    });
  }

  /** Drops everything: the next byte is the one at `start`. */
  async restartAt(start: number): Promise<void> {
    await guard(async () => {
      // Nothing counts from here on, also where not all of it can be deleted.
      this.#files = [];
      await this.#closeHandle();
      for (const offset of await offsetsIn(this.#dir)) {
        await rm(this.#pathOf(offset), { force: true });
      }
      await this.#addFile(start);
    });
  }

  /** Whether `dropBefore` would delete anything. */
  hasFileBefore(offset: number): boolean {
    const [first] = this.#files;
    return this.#files.length > 1 && first !== undefined && first.start + first.bytes <= offset;
  }

  /** Deletes the files whose bytes all lie before `offset`, but not the last one. */
  async dropBefore(offset: number): Promise<void> {
    while (this.hasFileBefore(offset)) await guard(() => this.#removeFile(this.#files.shift()!));
  }

  async close(): Promise<void> {
    await guard(() => this.#closeHandle());
  }

  /** Deletes all of it. */
  async remove(): Promise<void> {
    await guard(async () => {
      await this.#closeHandle();
      this.#files = [];
      await rm(this.#dir, { recursive: true, force: true });
    });
  }

  async #addFile(start = this.end): Promise<SpoolFile> {
    await this.#closeHandle();
    const file: SpoolFile = { start, bytes: 0, isSynced: false };
    this.#handle = await open(this.#pathOf(start), 'w');
    this.#files.push(file);
    this.#dirIsSynced = false;
    return file;
  }

  async #open(last: SpoolFile): Promise<FileHandle> {
    this.#handle ??= await open(this.#pathOf(last.start), 'r+');
    return this.#handle;
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #removeFile(file: SpoolFile): Promise<void> {
    await rm(this.#pathOf(file.start), { force: true });
  }

  #pathOf(offset: number): string {
    return path.join(this.#dir, String(offset).padStart(OFFSET_DIGITS, '0'));
  }
}

async function offsetsIn(dir: string): Promise<number[]> {
  const names = (await readdir(dir)).filter((name) => /^\d+$/.test(name));
  return names.map(Number).sort((a, b) => a - b);
}

/** Of a file or a folder. One that was deleted meanwhile needs no sync. */
export async function syncFile(target: string): Promise<void> {
  try {
    const handle = await open(target, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (error.code === 'disk-full') {
      const message = 'no space left for the upload: free some space and send it again';
      throw new SluiceError('disk-full', message, { cause: thrown });
    }
    throw error.code === 'internal'
      ? new SluiceError('storage-failed', error.message, { cause: thrown })
      : error;
  }
}
