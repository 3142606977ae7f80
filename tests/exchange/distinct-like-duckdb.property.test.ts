import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtKernel } from '../support/kernel.ts';
import { DuckDBTable } from '../support/duckdb-table.ts';
import { runPlan } from '../support/run-plan.ts';
import { total } from '../support/run-waves.ts';
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

const columns = fc.subarray(Object.keys(RECORD_TYPES).slice(1), { minLength: 1, maxLength: 3 });
const chunkRecords = fc.constantFrom(1, 3, 20, Infinity);
const keep = fc.constantFrom('first' as const, 'last' as const);

/** Ids of an NDJSON output. */
function idsOf(output: Buffer): string[] {
  const lines = output.toString().trimEnd().split('\n').filter(Boolean);
  return lines.map((line) => String((JSON.parse(line) as { id: number }).id));
}

describe('dedupe', () => {
  it('keeps the first or last record of each key in file order, as DuckDB counts them', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, keep, chunkRecords, tinyLimits, fc.boolean()],
        async (csv, by, kept, records, limits, goesOn) => {
          await duckdb.load(csv, RECORD_TYPES);
          const order = kept === 'first' ? 'min' : 'max';
          const rows = await duckdb.query(
            `SELECT ${order}("record number") FROM input GROUP BY ${by.join(', ')} ORDER BY 1`,
          );
          const steps: unknown[] = [{ dedupe: { by, keep: kept } }];
          if (goesOn) steps.push({ derive: { x: 'i + 0.5' } }, { filter: 'id > 0' });
          const plan = JSON.stringify({ steps, write: { format: 'ndjson' } });
          const options = { types: RECORD_TYPES, limits, chunkRecords: records, kernel };
          const { output, waves } = runPlan(plan, csv, options);
          expect(idsOf(output)).toEqual(rows.map(([id]) => id));
          const all = waves.flat();
          const counts = [total(all, 'deduplicated'), total(waves.at(-1)!, 'recordsOut')];
          expect(counts).toEqual([total(waves[0]!, 'recordsIn') - rows.length, rows.length]);
          expect(output.toString()).toBe(
            runPlan(plan, csv, { types: RECORD_TYPES }).output.toString(),
          );
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('of all columns is SELECT DISTINCT', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, chunkRecords, tinyLimits],
        async (csv, by, records, limits) => {
          await duckdb.load(csv, RECORD_TYPES);
          const names = by.join(', ');
          const [[count] = []] = await duckdb.query(
            `SELECT count(*) FROM (SELECT DISTINCT ${names} FROM input)`,
          );
          const plan = JSON.stringify({ steps: [{ select: by }, { dedupe: {} }, { limit: 1000 }] });
          const options = { types: RECORD_TYPES, limits, chunkRecords: records, kernel };
          const { waves } = runPlan(plan, csv, options);
          expect(String(total(waves.at(-1)!, 'recordsOut'))).toBe(count);
        },
      ),
      { numRuns: runs(40) },
    );
  });
});

describe('unique', () => {
  it('rejects all but the first record of each key without NULL', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, chunkRecords, tinyLimits],
        async (csv, by, records, limits) => {
          await duckdb.load(csv, RECORD_TYPES);
          const isNull = by.map((name) => `${name} IS NULL`).join(' OR ');
          const rows = await duckdb.query(
            `SELECT "record number" FROM input WHERE ${isNull} OR "record number" IN (
               SELECT min("record number") FROM input GROUP BY ${by.join(', ')})
             ORDER BY 1`,
          );
          const plan = JSON.stringify({ steps: [{ unique: by }], write: { format: 'ndjson' } });
          const options = { types: RECORD_TYPES, limits, chunkRecords: records, kernel };
          const { output, rejects, waves } = runPlan(plan, csv, options);
          expect(idsOf(output)).toEqual(rows.map(([id]) => id));
          expect(rejects.length).toBe(total(waves[0]!, 'recordsIn') - rows.length);
          const whole = runPlan(plan, csv, { types: RECORD_TYPES });
          const shown = (list: typeof rejects) => list.map(({ code, raw }) => [code, raw]);
          expect(shown(rejects)).toEqual(shown(whole.rejects));
          for (const { code } of rejects) expect(code).toBe('unique-error');
        },
      ),
      { numRuns: runs(60) },
    );
  });
});
