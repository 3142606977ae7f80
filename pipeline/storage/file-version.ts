import { utimesSync } from 'node:fs';
import { link, rename, stat, unlink, utimes } from 'node:fs/promises';
import { ignoreMissing, isMissing, systemCode } from './file-errors.ts';

/** Gives a file a new version. False when there is none. */
export async function touch(target: string): Promise<boolean> {
  // eslint-disable-next-line no-restricted-syntax -- no decision depends on it: any new time will do
  const now = new Date();
  try {
    await utimes(target, now, now);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** The same by a call that blocks. */
export function touchNow(target: string): boolean {
  // eslint-disable-next-line no-restricted-syntax -- no decision depends on it: any new time will do
  const now = new Date();
  try {
    utimesSync(target, now, now);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** Changes with every `touch`; null when there is no file. */
export async function versionOf(target: string): Promise<string | null> {
  try {
    return String((await stat(target, { bigint: true })).mtimeNs);
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
}

/**
 * Removes a file unless it was touched since it had the version. It is moved `aside` first, so that
 * a touch comes either before that, and is seen, or finds no file.
 */
export async function unlinkUnchanged(
  target: string,
  version: string,
  aside: string,
): Promise<boolean> {
  if ((await versionOf(target)) !== version) return false;
  try {
    await rename(target, aside);
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
  const isUnchanged = (await versionOf(aside)) === version;
  try {
    if (!isUnchanged) await link(aside, target);
  } catch (thrown) {
    // Written anew meanwhile.
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
  } finally {
    await unlink(aside).catch(ignoreMissing);
  }
  return isUnchanged;
}
