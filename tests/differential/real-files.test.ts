import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpusNeed } from '../support/corpus.ts';
import { askSluice, DuckDBTable, headerOf, queriedFiles } from '../support/differential.ts';
import { describeWith, type Need } from '../support/needs.ts';
import { SQL_FILES } from '../support/sql-queries.ts';

const files = queriedFiles();
const always: Need = { met: true, otherwise: '' };

for (const file of files) {
  describeWith(file.isCorpus ? corpusNeed : always, `queries on ${file.name}`, () => {
    let table: DuckDBTable;
    beforeAll(async () => {
      table = await DuckDBTable.open(file.path, headerOf(file.path), file.types);
    });
    afterAll(() => {
      table.close();
    });

    it.each(file.queries.map((query) => [query.title, query] as const))('%s', async (_, query) => {
      const wanted = await table.answer(query);
      expect(wanted.records.length).toBeGreaterThan(0);
      for (const chunkRecords of [Infinity, 1009]) {
        const given = askSluice(file, query, chunkRecords);
        expect(given.types).toEqual(wanted.types);
        const at = given.records.findIndex((record, i) => record !== wanted.records[i]);
        expect(at < 0 ? null : given.records[at]).toBe(at < 0 ? null : wanted.records[at]);
        expect(given.records.length).toBe(wanted.records.length);
      }
    });
  });
}

describe('the differential suite', () => {
  it('has 400 different queries on real files and 12 files at the least', () => {
    const plans = files.flatMap(({ name, queries }) => queries.map(({ title }) => name + title));
    const statements = SQL_FILES.flatMap(({ name, queries }) => queries.map((sql) => name + sql));
    expect(new Set([...plans, ...statements]).size).toBeGreaterThanOrEqual(400);
    expect(files.filter(({ isCorpus }) => !isCorpus).length).toBeGreaterThanOrEqual(12);
  });
});
