import { lstat, open, realpath, rename, rm } from 'node:fs/promises';
import { SluiceError, toSluiceError } from '../pipeline/errors.ts';
import { writeAll } from '../pipeline/storage/write-all.ts';
import { assertWritable, reasonOf } from './writable.ts';

/**
 * The file that a result is written to. Nobody sees half a result under its final name: it is
 * written beside it and renamed. What is no regular file (a device, a pipe) is written to as it is.
 */
export interface OutputFile {
  write(pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** Ends with the result under its name, or without a trace of it. */
  settle(keep: boolean): Promise<void>;
}

/** Throws `usage` when nothing can be written there. */
export async function outputFile(name: string): Promise<OutputFile> {
  // Through a link, what it leads to is written.
  const target = await realpath(name).catch(() => name);
  const found = await lstat(target).catch(() => null);
  if (found?.isDirectory() === true) {
    throw new SluiceError('usage', `${name} is a folder: name a file in it`);
  }
  const isSpecial = found !== null && !found.isFile();
  if (!isSpecial) assertWritable(target);
  const written = isSpecial ? target : `${target}.${process.pid}.part`;
  const unwritable = (error: unknown): never => {
    const code = toSluiceError(error).code === 'disk-full' ? 'disk-full' : 'storage-failed';
    throw new SluiceError(code, `${name} cannot be written: ${reasonOf(error)}`, { cause: error });
  };
  return {
    async write(pieces) {
      const file = await open(written, 'w').catch(unwritable);
      try {
        for await (const piece of pieces) await writeAll(file, [piece]).catch(unwritable);
      } finally {
        await file.close();
      }
    },
    async settle(keep) {
      if (isSpecial) return;
      if (keep) await rename(written, target);
      else await rm(written, { force: true });
    },
  };
}
