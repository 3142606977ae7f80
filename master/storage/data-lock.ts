import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';

/**
 * Keeps a second master out of a data folder: the file `master.lock` holds the owner's process id.
 * A lock whose process is gone is taken over. Errors: `conflict`, `storage-failed`.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = path.join(dataDir, 'master.lock');
  try {
    mkdirSync(dataDir, { recursive: true });
    if (!tryLock(file)) {
      const owner = Number(readFileSync(file, 'utf8').trim());
      if (isAlive(owner)) {
        throw new SluiceError(
          'conflict',
          `another Sluice master (process ${owner}) uses the data folder ${dataDir}: ` +
            'stop it, or give this one another folder with --data DIR',
          { details: { dataDir, owner } },
        );
      }
      rmSync(file, { force: true });
      if (!tryLock(file)) throw new SluiceError('conflict', `cannot lock ${dataDir}`);
    }
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    const error = toSluiceError(thrown);
    const code = error.code === 'internal' ? 'storage-failed' : error.code;
    throw new SluiceError(code, `cannot use the data folder ${dataDir}: ${error.message}`, {
      cause: thrown,
    });
  }
  return () => rmSync(file, { force: true });
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
