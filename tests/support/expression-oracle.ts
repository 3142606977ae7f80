import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { formatDouble } from '../../pipeline/values/format.ts';
import { runPlan } from './run-plan.ts';

export type Types = Readonly<Record<string, ColumnType>>;

const DUCKDB_TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  datetime: 'TIMESTAMP',
};

/** DuckDB's types by Sluice's; DuckDB has narrower integers for literals and signs. */
export const SAME_TYPES: Readonly<Record<string, ColumnType>> = {
  ...{ VARCHAR: 'string', DOUBLE: 'number', BOOLEAN: 'boolean', DATE: 'date' },
  ...{ TIMESTAMP: 'datetime', BIGINT: 'integer', INTEGER: 'integer', TINYINT: 'integer' },
  HUGEINT: 'integer',
};

/** What an expression gives for every record of a file, as text, and its type. */
export interface ExpressionAnswer {
  readonly type: string;
  readonly values: readonly (string | null)[];
}

/** FROM clause of a file whose columns have these types. */
export function readCsvOf(file: string, header: readonly string[], types: Types): string {
  const columns = header.map(
    (name) => `'${name.replaceAll("'", "''")}': '${DUCKDB_TYPES[types[name] ?? 'string']}'`,
  );
  return `read_csv('${file}', columns={${columns.join(', ')}}, auto_detect=false, header=true, delim=',', quote='"', escape='"')`;
}

/** DuckDB's answers. An expression that fails for a record gives NULL for it. Each is a query of its
 *  own: DuckDB takes common parts out of TRY. */
export async function askDuckDB(
  from: string,
  expressions: readonly string[],
): Promise<ExpressionAnswer[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rowsOf = async (sql: string): Promise<unknown[][]> =>
    (await connection.runAndReadAll(sql)).getRows();
  try {
    await connection.run(
      `CREATE TABLE input AS SELECT row_number() OVER () AS "record number", * FROM ${from}`,
    );
    const answers: ExpressionAnswer[] = [];
    for (const text of expressions) {
      const [described] = await rowsOf(`DESCRIBE SELECT TRY((${text})) FROM input`);
      const values = await rowsOf(
        `SELECT TRY(CAST((${text}) AS VARCHAR)) FROM input ORDER BY "record number"`,
      );
      const type = String(described?.[1]);
      const texts = values.map(([value]) => value as string | null);
      if (type.startsWith('DECIMAL')) answers.push({ type: 'number', values: texts.map(asDouble) });
      else answers.push({ type: SAME_TYPES[type] ?? type, values: texts });
    }
    return answers;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A decimal's text as that of the double next to it. */
function asDouble(text: string | null): string | null {
  return text === null ? null : formatDouble(Number(text) + 0);
}

/** Sluice's answers, in chunks of so many records. */
export function askSluice(
  file: string,
  types: Types,
  expressions: readonly string[],
  chunkRecords = Infinity,
): ExpressionAnswer[] {
  const names = expressions.map((_, i) => `v${String(i)}`);
  const derive = Object.fromEntries(expressions.map((text, i) => [names[i], text]));
  const cast = Object.fromEntries(names.map((name) => [name, 'string']));
  const plan = {
    read: { on_error: 'null' },
    steps: [{ derive }, { select: names }, { cast }],
    write: { format: 'ndjson' },
  };
  const input = readFileSync(file);
  const { output } = runPlan(JSON.stringify(plan), input, { types, chunkRecords });
  const typed = { ...plan, steps: plan.steps.slice(0, 2) };
  const { outputColumns } = runPlan(JSON.stringify(typed), input, { types }).compiled;
  const lines = output.toString().trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, string | null>);
  return names.map((name, i) => ({
    type: outputColumns[i]?.type ?? '',
    values: records.map((record) => record[name] ?? null),
  }));
}
