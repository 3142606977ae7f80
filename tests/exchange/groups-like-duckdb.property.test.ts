import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import { builtKernel } from '../support/kernel.ts';
import { DuckDBTable } from '../support/duckdb-table.ts';
import { cutPlan, runPlan, type RunOptions } from '../support/run-plan.ts';
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

const columns = fc.subarray(Object.keys(RECORD_TYPES).slice(1), { minLength: 1, maxLength: 2 });
const chunkRecords = fc.constantFrom(1, 3, 20, Infinity);
const MEASURES = {
  ...{ k: 'count(*)', total: 'sum(id)', least: 'min(d)', most: 'max(id)', some: 'count(n)' },
  ...{ early: 'first(id)', late: 'last(id)', all: "string_agg(id::string, '-' ORDER BY id)" },
};

/** Measures that need every different value of a group. */
const SPREAD = {
  ...{ k: 'count(*)', words: 'count(DISTINCT t)', ns: 'count(DISTINCT n)', first: 'first(id)' },
  ...{
    middle: 'median(n)',
    days: 'quantile_cont(d, 0.3)',
    time: 'median(s)',
    is: 'median(DISTINCT i)',
  },
  ...{ least: 'quantile_disc(t, 0)', ninth: 'quantile_disc(t, 0.9)', bs: 'quantile_disc(b, 0.5)' },
  ...{ often: 'mode(t)', number: 'mode(n)', total: 'sum(DISTINCT i)', mean: 'avg(DISTINCT n)' },
  ...{ all: "string_agg(DISTINCT t, '-')", some: 'count(DISTINCT b) FILTER (WHERE i > 1)' },
};

/** The header, and all groups of the chunks merged by a table. */
function mergedGroups(plan: string, csv: string, options: RunOptions): string {
  const { compiled, chunks } = cutPlan(plan, csv, options);
  const { context } = compiled.waves[0];
  const program = createChunkProgram({ ...context, exchange: null });
  const merger = new PartialMerger(partialOptions(context));
  for (const chunk of chunks) merger.add(program.run(chunk).partial);
  const { header } = outputFrame(compiled.outputColumns, context.write);
  return Buffer.concat([header, merger.aggregateChunk() ?? new Uint8Array(0)]).toString();
}

describe('an aggregate with keys', () => {
  it('gives what the merge of partials gives, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, chunkRecords, tinyLimits],
        async (csv, by, records, limits) => {
          const types = RECORD_TYPES;
          const plan = JSON.stringify({ steps: [{ aggregate: { by, measures: MEASURES } }] });
          const options = { types, limits, chunkRecords: records, kernel };
          const waves = runPlan(plan, csv, options);
          expect(waves.output.toString()).toBe(mergedGroups(plan, csv, options));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('takes the values of a group together, however they are spread', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, fc.boolean(), chunkRecords, tinyLimits],
        async (csv, keys, isKeyless, records, limits) => {
          const by = isKeyless ? {} : { by: keys };
          const plan = JSON.stringify({ steps: [{ aggregate: { ...by, measures: SPREAD } }] });
          const options = { types: RECORD_TYPES, limits, chunkRecords: records };
          const { output, waves } = runPlan(plan, csv, options);
          expect(waves).toHaveLength(4);
          expect(output.toString()).toBe(mergedGroups(plan, csv, options));
        },
      ),
      { numRuns: runs(40) },
    );
  });

  it('counts different values, and finds those at a place, as DuckDB does', async () => {
    const sql = `count(DISTINCT t), count(DISTINCT n), sum(DISTINCT i), median(i), quantile_disc(t, 0.7),
      quantile_disc(d, 0.25), median(DISTINCT i)`;
    const measures = {
      ...{ m1: 'count(DISTINCT t)', m2: 'count(DISTINCT n)', m3: 'sum(DISTINCT i)' },
      ...{ m4: 'median(i)', m5: 'quantile_disc(t, 0.7)', m6: 'quantile_disc(d, 0.25)' },
      m7: 'median(DISTINCT i)',
    };
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, fc.boolean(), chunkRecords, tinyLimits],
        async (csv, isKeyless, records, limits) => {
          await duckdb.load(csv, RECORD_TYPES);
          const rows = await duckdb.query(
            isKeyless
              ? `SELECT ${sql} FROM input`
              : `SELECT b, ${sql} FROM input GROUP BY b ORDER BY b NULLS LAST`,
          );
          const by = isKeyless ? {} : { by: ['b'] };
          const plan = { steps: [{ aggregate: { ...by, measures } }], write: { format: 'ndjson' } };
          const { output } = runPlan(JSON.stringify(plan), csv, {
            ...{ types: RECORD_TYPES, limits, chunkRecords: records },
          });
          const lines = output.toString().split('\n').slice(0, -1);
          const found = lines.map((line) =>
            Object.values(JSON.parse(line) as Record<string, unknown>),
          );
          // Numbers are spelled in several ways.
          const shown = (value: unknown) => {
            if (typeof value === 'boolean') return String(value);
            return value === null || Number.isNaN(Number(value)) ? value : Number(value);
          };
          expect(found.map((row) => row.map(shown))).toEqual(rows.map((row) => row.map(shown)));
        },
      ),
      { numRuns: runs(25) },
    );
  });

  it('is sorted, cut and filtered as in DuckDB', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, chunkRecords, tinyLimits, fc.integer({ min: 1, max: 9 })],
        async (csv, by, records, limits, limit) => {
          await duckdb.load(csv, RECORD_TYPES);
          const names = by.join(', ');
          const rows = await duckdb.query(
            `SELECT k, total, early FROM (
               SELECT ${names}, count(*) AS k, sum(id) AS total, min(id) AS early FROM input
               GROUP BY ${names} HAVING count(*) < 5)
             ORDER BY k DESC, total, early LIMIT ${String(limit)}`,
          );
          const measures = { k: 'count(*)', total: 'sum(id)', early: 'first(id)' };
          const steps = [
            ...[{ aggregate: { by, measures } }, { filter: 'k < 5' }],
            ...[{ sort: [{ by: 'k', desc: true }, 'total', 'early'] }, { limit }],
            { select: ['k', 'total', 'early'] },
          ];
          const { output } = runPlan(JSON.stringify({ steps }), csv, {
            ...{ types: RECORD_TYPES, limits, chunkRecords: records, kernel },
          });
          const lines = output.toString().split('\n').slice(1, -1);
          expect(lines).toEqual(rows.map((row) => row.join(',')));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('may come behind other waves', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...[typedRecords, columns, chunkRecords, tinyLimits],
        async (csv, by, records, limits) => {
          await duckdb.load(csv, RECORD_TYPES);
          const names = by.join(', ');
          const rows = await duckdb.query(
            `SELECT b, count(*) FROM (SELECT DISTINCT ${names}, b FROM input)
             GROUP BY b ORDER BY b NULLS LAST`,
          );
          const steps = [
            { dedupe: { by: [...new Set([...by, 'b'])] } },
            { aggregate: { by: ['b'], measures: { k: 'count(*)' } } },
          ];
          const { output } = runPlan(JSON.stringify({ steps }), csv, {
            ...{ types: RECORD_TYPES, limits, chunkRecords: records, kernel },
          });
          const lines = output.toString().split('\n').slice(1, -1);
          expect(lines).toEqual(rows.map((row) => row.join(',')));
        },
      ),
      { numRuns: runs(40) },
    );
  });
});
