import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatDouble } from '../../pipeline/values/format.ts';
import { DuckDBTable } from '../support/duckdb-table.ts';
import { EDGE_TEXT, EDGE_TYPES } from '../support/edge-table.ts';
import { SAME_TYPES } from '../support/expression-oracle.ts';
import { cutPlan, runPlan } from '../support/run-plan.ts';
import { runs } from '../support/runs.ts';
import { typedExpressions } from '../support/typed-expressions.ts';

let duckdb: DuckDBTable;
beforeAll(async () => {
  duckdb = await DuckDBTable.open();
  await duckdb.load(EDGE_TEXT, EDGE_TYPES);
});
afterAll(() => {
  duckdb.close();
});

/** By record: a value, or why there is none. */
type Given = { readonly value: string | null } | { readonly rejected: string };

interface Answer {
  readonly type: string;
  readonly records: readonly Given[];
}

/** Null where DuckDB refuses the query: it computes what is constant before it looks at a record. */
async function askDuckDB(text: string): Promise<Answer | null> {
  try {
    const [described] = await duckdb.query(`DESCRIBE SELECT TRY((${text})) FROM input`);
    const rows = await duckdb.query(
      `SELECT TRY(CAST((${text}) AS VARCHAR)) FROM input ORDER BY "record number"`,
    );
    const type = described?.[1] ?? '';
    return { type, records: rows.map(([value]) => ({ value: value ?? null })) };
  } catch {
    return null;
  }
}

/** Whether DuckDB fails for a record: TRY makes NULL of that. */
async function fails(text: string, record: number): Promise<boolean> {
  const query = `SELECT (${text}) FROM input WHERE "record number" = ${String(record + 1)}`;
  return await duckdb.query(query).then(
    () => false,
    () => true,
  );
}

function askSluice(text: string, chunkRecords: number): Answer {
  const steps = [{ derive: { v: text } }, { select: ['v'] }];
  const planOf = (more: readonly object[]): string =>
    JSON.stringify({ steps: [...steps, ...more], write: { format: 'ndjson' } });
  const { compiled } = cutPlan(planOf([]), EDGE_TEXT, { types: EDGE_TYPES });
  const options = { types: EDGE_TYPES, chunkRecords };
  const { output, waves, results } = runPlan(
    planOf([{ cast: { v: 'string' } }]),
    EDGE_TEXT,
    options,
  );
  expect(waves).toHaveLength(1);
  let before = 0;
  const rejected = new Map<number, string>();
  for (const { statistics, rejects } of results) {
    for (const line of Buffer.from(rejects).toString().split('\n').filter(Boolean)) {
      const { record, message } = JSON.parse(line) as { record: number; message: string };
      rejected.set(before + record, message);
    }
    before += statistics.recordsIn;
  }
  const lines = output.toString().split('\n').filter(Boolean);
  let next = 0;
  const records = Array.from({ length: before }, (_, record): Given => {
    const message = rejected.get(record);
    if (message !== undefined) return { rejected: message };
    return { value: (JSON.parse(lines[next++]!) as { v: string | null }).v };
  });
  return { type: compiled.outputColumns[0]!.type, records };
}

function plainType(type: string): string {
  return type.startsWith('DECIMAL') ? 'number' : (SAME_TYPES[type] ?? type);
}

/** What the table of differences in docs/plan.md says of values. */
function isMeant(wanted: string | null, given: Given): boolean {
  if ('rejected' in given) return wanted === null || /out of range: years/.test(given.rejected);
  return false;
}

function isSame(wanted: string | null, value: string | null, type: string): boolean {
  const plain = wanted?.replaceAll('-nan', 'nan') ?? null;
  if (plain === value) return true;
  if (plain === null || value === null || SAME_TYPES[type] === 'string') return false;
  const number = type.startsWith('DECIMAL') ? formatDouble(Number(plain) + 0) : plain;
  return number === value || (type === 'DOUBLE' && Number(number) === Number(value));
}

const expressions = fc.oneof(...Object.values(typedExpressions));

it('expressions of every function and operator give what DuckDB gives, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(expressions, fc.integer({ min: 1, max: 500 }), async (text, chunkRecords) => {
      const wanted = await askDuckDB(text);
      if (wanted === null) return;
      const { type, records } = askSluice(text, chunkRecords);
      // DuckDB gives a NULL that it has computed beforehand any type.
      if (wanted.records.some((given) => 'value' in given && given.value !== null)) {
        expect(type).toBe(plainType(wanted.type));
      }
      for (const [record, given] of records.entries()) {
        const answer = wanted.records[record] as { readonly value: string | null };
        if (isMeant(answer.value, given)) continue;
        if ('value' in given && isSame(answer.value, given.value, wanted.type)) continue;
        // What comes behind a value that decides may be left out: an error in it is none then.
        if (answer.value === null && (await fails(text, record))) continue;
        expect({ text, record, ...given }).toEqual({ text, record, ...answer });
      }
    }),
    { numRuns: runs(80) },
  );
});
