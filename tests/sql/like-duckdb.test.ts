import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { corpusFolder, corpusNeed } from '../support/corpus.ts';
import { describeWith } from '../support/needs.ts';
import { difference, DuckDBFile, runSql } from '../support/sql-oracle.ts';
import { SQL_FILES, type SqlFile } from '../support/sql-queries.ts';

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
      const got = runSql(sql, input, { types, lookups, chunkRecords });
      const isOrdered = /\bORDER BY\b/i.test(sql) || !/\b(GROUP BY|DISTINCT|JOIN)\b/i.test(sql);
      expect(difference(got, wanted, isOrdered)).toBeNull();
    }
  });
}

function unquoted(name: string): string {
  return name.replace(/^"(.*)"$/, '$1');
}
