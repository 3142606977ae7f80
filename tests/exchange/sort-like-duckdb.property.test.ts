import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtKernel } from '../support/kernel.ts';
import { DuckDBTable } from '../support/duckdb-table.ts';
import { runPlan } from '../support/run-plan.ts';
import { RECORD_TYPES, tinyLimits, typedRecords } from '../support/typed-records.ts';
import { runs } from '../support/runs.ts';

const kernel = builtKernel();
let duckdb: DuckDBTable;
beforeAll(async () => {
  duckdb = await DuckDBTable.open();
});
afterAll(() => {
  duckdb.close();
});

const column = fc.constantFrom(...Object.keys(RECORD_TYPES).slice(1));
const sortKey = fc.record({
  by: column,
  desc: fc.boolean(),
  nulls: fc.option(fc.constantFrom('first', 'last'), { nil: undefined }),
});
const sortKeys = fc.array(sortKey, { minLength: 1, maxLength: 3 });
const chunkRecords = fc.constantFrom(1, 3, 20, Infinity);
type SortKeys = typeof sortKeys extends fc.Arbitrary<infer Keys> ? Keys : never;

function orderBy(keys: SortKeys): string {
  const parts = keys.map(
    ({ by, desc, nulls }) => `${by} ${desc ? 'DESC' : 'ASC'} NULLS ${nulls ?? 'last'}`,
  );
  return `ORDER BY ${parts.join(', ')}, "record number"`;
}

/** Ids of a CSV with header. */
function idsOf(output: Buffer): string[] {
  const lines = output.toString().split('\n').slice(1, -1);
  return lines.map((line) => line.slice(0, line.includes(',') ? line.indexOf(',') : line.length));
}

describe('sort', () => {
  it('gives the order of DuckDB, and equal records in file order, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, sortKeys, chunkRecords, tinyLimits],
        async (csv, keys, records, limits) => {
          await duckdb.load(csv, RECORD_TYPES);
          const rows = await duckdb.query(`SELECT id FROM input ${orderBy(keys)}`);
          const expected = rows.map(([id]) => id);
          const plan = JSON.stringify({ steps: [{ sort: keys }, { select: ['id', 'i'] }] });
          const types = RECORD_TYPES;
          const cut = runPlan(plan, csv, { types, limits, chunkRecords: records, kernel });
          expect(idsOf(cut.output)).toEqual(expected);
          expect(cut.rejects).toEqual([]);
          const whole = runPlan(plan, csv, { types });
          expect(cut.output.toString()).toBe(whole.output.toString());
          const further = JSON.stringify({
            steps: [{ derive: { x: 'i', y: 'upper(t)', z: 'n * 2' } }, { sort: keys }],
          });
          const none = JSON.stringify({
            steps: [
              ...[{ derive: { x: 'i', y: 'upper(t)' } }, { sort: keys }, { sample: SAMPLE_ALL }],
              { derive: { z: 'n * 2' } },
            ],
          });
          const direct = runPlan(further, csv, { types }).output.toString();
          const between = runPlan(none, csv, { types, limits, chunkRecords: records, kernel });
          expect(between.output.toString()).toBe(direct);
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('and limit give the records that DuckDB gives, top_k too', async () => {
    const count = fc.integer({ min: 0, max: 30 });
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, sortKeys, chunkRecords, tinyLimits, count, count],
        async (csv, keys, records, limits, limit, offset) => {
          await duckdb.load(csv, RECORD_TYPES);
          const options = { types: RECORD_TYPES, limits, chunkRecords: records, kernel };
          const run = (steps: unknown[]) => runPlan(JSON.stringify({ steps }), csv, options);
          const idsFrom = async (sql: string) => (await duckdb.query(sql)).map(([id]) => id);
          const page = `LIMIT ${String(limit)} OFFSET ${String(offset)}`;
          expect(idsOf(run([{ sort: keys }, { limit: { count: limit, offset } }]).output)).toEqual(
            await idsFrom(`SELECT id FROM input ${orderBy(keys)} ${page}`),
          );
          const derived = [{ sort: keys }, { limit }, { filter: 'i > 0' }, { limit: { offset } }];
          expect(idsOf(run(derived).output)).toEqual(
            await idsFrom(
              `SELECT id FROM (SELECT * FROM input ${orderBy(keys)} LIMIT ${String(limit)}) ` +
                `WHERE i > 0 ${orderBy(keys)} OFFSET ${String(offset)}`,
            ),
          );
          const top = run([{ top_k: { by: keys, k: limit + 1 } }, { select: ['id', 't'] }]);
          expect(idsOf(top.output)).toEqual(
            await idsFrom(`SELECT id FROM input ${orderBy(keys)} LIMIT ${String(limit + 1)}`),
          );
          const unsorted = run([{ filter: 'i < 2' }, { limit: { count: limit, offset } }]);
          expect(idsOf(unsorted.output)).toEqual(
            await idsFrom(`SELECT id FROM input WHERE i < 2 ORDER BY "record number" ${page}`),
          );
        },
      ),
      { numRuns: runs(40) },
    );
  });
});

const SAMPLE_ALL = { fraction: 1 };
