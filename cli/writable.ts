import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { SluiceError } from '../pipeline/errors.ts';
import { makeFolder } from '../pipeline/storage/make-folder.ts';

/** Makes the data folder, so that what keeps it from being used is told before anything is started. */
export function makeDataFolder(dataDir: string): void {
  const folder = path.resolve(dataDir);
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SluiceError(
      'storage-failed',
      `the data folder ${folder} cannot be written: ${reasonOf(error)}. ` +
        'Choose another with --data DIR',
      { cause: error },
    );
  }
}

/** Throws `usage` where a file of this name cannot be written, before any work is done for it. */
export function assertWritable(name: string): void {
  const folder = path.dirname(path.resolve(name));
  try {
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is no folder`);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === 'ENOENT';
    const reason = isMissing ? `there is no folder ${folder}` : reasonOf(error);
    throw new SluiceError('usage', `${name} cannot be written: ${reason}`, { cause: error });
  }
}

/** What the system said, without the call that it said it of. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [, code, said] = /^([A-Z]+): ([^,]+),/.exec(text) ?? [];
  return said === undefined ? text : `${said} (${code})`;
}
