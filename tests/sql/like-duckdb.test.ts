import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SluiceError } from '../../pipeline/errors.ts';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';
import type { RunOptions } from '../support/run-plan.ts';
import { difference, DuckDBFile, runSql, type SqlAnswer } from '../support/sql-oracle.ts';
import { SQL_FILES, type SqlFile } from '../support/sql-queries.ts';

/** What the steps cannot do yet. */
const WAITING = /^(The step dedupe|\w+ after aggregate|aggregate after a global step) is not/;

/** Records a chunk: all, and sizes at which groups and orders go across chunks. */
const CHUNKS = [Infinity, 997, 61];

describeWith(corpusNeed, 'a statement gives what DuckDB gives', () => {
  for (const file of SQL_FILES) check(file);
});

function check({ name, types, queries, lookups = [] }: SqlFile): void {
  const file = path.join(corpusFolder, 'realdata', name);
  let duckdb: DuckDBFile;
  let input: Buffer;
  beforeAll(async () => {
    input = readFileSync(file);
    const header = input
      .subarray(0, input.indexOf('\n'))
      .toString()
      .replace(/^\uFEFF|\r$/g, '');
    duckdb = await DuckDBFile.open(file, header.split(',').map(unquoted), types, lookups);
  });
  afterAll(() => {
    duckdb.close();
  });

  it.each(queries)(`${name}: %s`, async (sql) => {
    const wanted = await duckdb.ask(sql);
    for (const chunkRecords of CHUNKS) {
      const got = answer(sql, input, { types, lookups, chunkRecords });
      if (got === null) return;
      const isOrdered = /\bORDER BY\b/i.test(sql) || !/\b(GROUP BY|DISTINCT|JOIN)\b/i.test(sql);
      expect(difference(got, wanted, isOrdered)).toBeNull();
    }
  });
}

function answer(sql: string, input: Buffer, options: RunOptions): SqlAnswer | null {
  try {
    return runSql(sql, input, options);
  } catch (thrown) {
    if (thrown instanceof SluiceError && WAITING.test(thrown.message)) {
      return null;
    }
    throw thrown;
  }
}

function unquoted(name: string): string {
  return name.replace(/^"(.*)"$/, '$1');
}
