import type Database from 'libsql';

/**
 * Runs `work` in one transaction: all of it counts, or nothing and the error is thrown on. SQLite ends
 * a transaction by itself when the disk is full; taking it back then is an error that would hide why.
 */
export function inTransaction<T>(db: Database.Database, work: () => T): T {
  db.exec('BEGIN');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (thrown) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
}
