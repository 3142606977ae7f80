import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { finalOutput } from './aggregate-output.ts';
import { readCsvOf, type Types } from './expression-oracle.ts';
import { runPlan, type LookupFile, type RunOptions } from './run-plan.ts';

/** What a statement gives: types as Sluice names them, values as text, NULL as null. */
export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly records: readonly (readonly (string | null)[])[];
}

/** DuckDB's types by Sluice's. */
const SAME_TYPES: Readonly<Record<string, ColumnType>> = {
  ...{ VARCHAR: 'string', DOUBLE: 'number', FLOAT: 'number', BOOLEAN: 'boolean', DATE: 'date' },
  ...{ TIMESTAMP: 'datetime', BIGINT: 'integer', INTEGER: 'integer', HUGEINT: 'integer' },
  ...{ TINYINT: 'integer', SMALLINT: 'integer' },
};

/** A DuckDB in memory with one file as the table `input`. */
export class DuckDBFile {
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  static async open(
    file: string,
    header: readonly string[],
    types: Types,
    lookups: readonly LookupFile[] = [],
  ): Promise<DuckDBFile> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE input AS SELECT * FROM ${readCsvOf(file, header, types)}`);
    for (const lookup of lookups) await connection.run(tableOf(lookup));
    return new DuckDBFile(instance, connection);
  }

  async ask(sql: string): Promise<SqlAnswer> {
    const described = await this.connection.runAndReadAll(`DESCRIBE SELECT * FROM (${sql})`);
    const reader = await this.connection.runAndReadAll(sql);
    return {
      columns: described.getRows().map(([name, type]) => {
        const own = String(type);
        return {
          name: String(name),
          type: own.startsWith('DECIMAL') ? 'number' : (SAME_TYPES[own] ?? own),
        };
      }),
      records: reader.getRows().map((row) => row.map(asText)),
    };
  }

  /** DuckDB's complaint; null when it takes the statement. */
  async refusal(sql: string): Promise<string | null> {
    try {
      await this.connection.runAndReadAll(sql);
      return null;
    } catch (thrown) {
      return String(thrown);
    }
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** CREATE TABLE for a lookup, called as its file without the extension. */
function tableOf({ name, text, types = {} }: LookupFile): string {
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const columns = header.split(',').map((column) => {
    return `CAST("${column}" AS ${types[column] === 'integer' ? 'BIGINT' : 'VARCHAR'}) AS "${column}"`;
  });
  const values = lines.map((line) => {
    const cells = line.split(',').map((cell) => (cell === '' ? 'NULL' : `'${cell}'`));
    return `(${cells.join(', ')})`;
  });
  const table = name.replace(/\.csv$/, '');
  return `CREATE TABLE "${table}" AS SELECT ${columns.join(', ')} FROM (VALUES ${values.join(', ')}) t("${header.replaceAll(',', '", "')}")`;
}

function asText(value: unknown): string | null {
  return value === null ? null : `${value as string}`;
}

/** Sluice's answer, through the program of every wave. */
export function runSql(sql: string, input: string | Buffer, options: RunOptions): SqlAnswer {
  const plan = JSON.stringify({ sql, write: { format: 'ndjson' } });
  const outcome = runPlan(plan, input, options);
  const columns = outcome.compiled.outputColumns;
  const lines = finalOutput(outcome).toString().split('\n').slice(0, -1);
  return { columns, records: lines.map((line) => recordOf(line, columns.length)) };
}

/** The values of a line of NDJSON as they are spelled, so that no digit is lost. */
function recordOf(line: string, count: number): (string | null)[] {
  const member = /"(?:[^"\\]|\\.)*":(?:("(?:[^"\\]|\\.)*")|([^,}]*))/y;
  const values: (string | null)[] = [];
  member.lastIndex = 1;
  for (let i = 0; i < count; i++) {
    const [, text, other] = member.exec(line) ?? [];
    values.push(
      text === undefined ? (other === 'null' ? null : String(other)) : String(JSON.parse(text)),
    );
    member.lastIndex += 1;
  }
  return values;
}

/** Where two answers differ, in words; null when they are the same. Numbers may differ by what sums
 *  of doubles lose in another order. */
export function difference(got: SqlAnswer, wanted: SqlAnswer, isOrdered: boolean): string | null {
  const types = (answer: SqlAnswer): string => answer.columns.map(({ type }) => type).join(', ');
  if (types(got) !== types(wanted)) return `types ${types(got)} instead of ${types(wanted)}`;
  const named = wanted.columns.findIndex(
    ({ name }, i) => /^\w+$/.test(name) && got.columns[i]?.name !== name,
  );
  if (named >= 0)
    return `column ${String(got.columns[named]?.name)} instead of ${String(wanted.columns[named]?.name)}`;
  if (got.records.length !== wanted.records.length) {
    return `${String(got.records.length)} records instead of ${String(wanted.records.length)}`;
  }
  const isNumber = wanted.columns.map(({ type }) => type === 'number');
  const left = isOrdered ? got.records : sorted(got.records, isNumber);
  const right = isOrdered ? wanted.records : sorted(wanted.records, isNumber);
  const at = left.findIndex((record, i) => !isSame(record, right[i] ?? [], isNumber));
  if (at < 0) return null;
  return `record ${String(at + 1)}: ${JSON.stringify(left[at])} instead of ${JSON.stringify(right[at])}`;
}

/** Numbers sort by few digits, so that equal records stand at the same place. */
function sorted(records: SqlAnswer['records'], isNumber: readonly boolean[]): SqlAnswer['records'] {
  const keyed = records.map((record) => {
    const key = record.map((value, i) =>
      value === null ? null : isNumber[i] === true ? Number(value).toPrecision(9) : value,
    );
    return { record, key: JSON.stringify(key) };
  });
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ record }) => record);
}

function isSame(
  left: readonly (string | null)[],
  right: readonly (string | null)[],
  isNumber: readonly boolean[],
): boolean {
  return left.every((value, i) => {
    const other = right[i] ?? null;
    if (value === other) return true;
    if (value === null || other === null || isNumber[i] !== true) return false;
    const [a, b] = [Number(value), Number(other)];
    return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
  });
}
