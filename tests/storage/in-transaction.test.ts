import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { inTransaction } from '../../master/storage/in-transaction.ts';

describe('a transaction', () => {
  function filled(): Database.Database {
    const db = new Database(':memory:');
    db.exec('PRAGMA max_page_count = 20; CREATE TABLE t (a)');
    return db;
  }

  const count = (db: Database.Database): number =>
    (db.prepare('SELECT count(*) AS n FROM t').get() as { n: number }).n;

  it('counts as a whole, with its result', () => {
    const db = filled();
    const insert = db.prepare('INSERT INTO t VALUES (1), (2)');
    expect(inTransaction(db, () => insert.run().changes)).toBe(2);
    expect(count(db)).toBe(2);
  });

  it('leaves nothing of what failed, and throws its error on', () => {
    const db = filled();
    const work = (): never => {
      db.exec('INSERT INTO t VALUES (1)');
      throw new RangeError('in vain');
    };
    expect(() => inTransaction(db, work)).toThrow(new RangeError('in vain'));
    expect(count(db)).toBe(0);
  });

  it('says that the disk is full, which ends a transaction by itself', () => {
    const db = filled();
    const insert = db.prepare('INSERT INTO t VALUES (randomblob(100000))');
    expect(() => inTransaction(db, () => [insert.run(), insert.run()])).toThrow(
      expect.objectContaining({ code: 'SQLITE_FULL' }),
    );
    inTransaction(db, () => db.exec('INSERT INTO t VALUES (1)'));
    expect(count(db)).toBe(1);
  });
});
