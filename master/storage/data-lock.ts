import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import Database from 'libsql';
import { SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import { makeFolder } from '../../pipeline/storage/make-folder.ts';

/**
 * Keeps a second master out of a data folder until the function that it returns is called, or the
 * process ends in whatever way: the system holds the lock, which SQLite takes on a file of no content.
 * (A process id in a file tells nothing in containers, where each master has the same.) The file
 * `master.lock` says to people who has it. Errors: `conflict`, `storage-failed`.
 */
export function lockDataDir(dataDir: string): () => void {
  const owner = path.join(dataDir, 'master.lock');
  let lock: Database.Database | null = null;
  try {
    makeFolder(dataDir);
    lock = new Database(path.join(dataDir, 'lock.sqlite'));
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(owner, `process ${process.pid} on ${hostname()}\n`);
  } catch (thrown) {
    lock?.close();
    if ((thrown as { code?: string }).code === 'SQLITE_BUSY') throw conflict(dataDir, owner);
    const error = toSluiceError(thrown);
    const code = error.code === 'internal' ? 'storage-failed' : error.code;
    throw new SluiceError(code, `cannot use the data folder ${dataDir}: ${error.message}`, {
      cause: thrown,
    });
  }
  const held = lock;
  return () => {
    rmSync(owner, { force: true });
    held.close();
  };
}

function conflict(dataDir: string, owner: string): SluiceError {
  const who = ownerIn(owner);
  return new SluiceError(
    'conflict',
    `another Sluice master${who === null ? '' : ` (${who})`} uses the data folder ${dataDir}: ` +
      'stop it, or give this one another folder with --data DIR',
    { details: { dataDir, owner: who } },
  );
}

function ownerIn(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
