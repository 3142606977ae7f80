import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  meaningfulStatement,
  STATEMENT_HEADER,
  STATEMENT_LOOKUPS,
  STATEMENT_TEXT,
  STATEMENT_TYPES,
} from '../support/random-statements.ts';
import { runs } from '../support/runs.ts';
import { difference, DuckDBFile, runSql } from '../support/sql-oracle.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-statements-'));
let duckdb: DuckDBFile;
beforeAll(async () => {
  const file = path.join(folder, 'data.csv');
  writeFileSync(file, STATEMENT_TEXT);
  duckdb = await DuckDBFile.open(file, STATEMENT_HEADER, STATEMENT_TYPES, STATEMENT_LOOKUPS);
});
afterAll(() => {
  duckdb.close();
  rmSync(folder, { recursive: true });
});

it('random statements give what DuckDB gives, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(meaningfulStatement, fc.integer({ min: 1, max: 200 }), async (sql, size) => {
      const wanted = await duckdb.ask(sql);
      const options = { types: STATEMENT_TYPES, lookups: STATEMENT_LOOKUPS, chunkRecords: size };
      expect(difference(runSql(sql, STATEMENT_TEXT, options), wanted, true)).toBeNull();
    }),
    { numRuns: runs(60) },
  );
});
