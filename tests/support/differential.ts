import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { finalOutput } from './aggregate-output.ts';
import { corpusFolder } from './corpus.ts';
import { readCases } from './expression-cases.ts';
import { SAME_TYPES, readCsvOf, type Types } from './expression-oracle.ts';
import { runPlan } from './run-plan.ts';

/** A query in both languages; `sql` selects from the table `input`. */
export interface Query {
  readonly title: string;
  readonly steps: readonly object[];
  readonly sql: string;
  /** Digits to which numbers agree: all, or those that sums in doubles keep. */
  readonly digits: 'all' | 12;
}

/** A file and the queries on it. */
export interface QueriedFile {
  readonly name: string;
  readonly path: string;
  readonly isCorpus: boolean;
  readonly types: Types;
  readonly queries: readonly Query[];
}

const VEGA = path.resolve(import.meta.dirname, '../../node_modules/vega-datasets/data');

/** The files of `real-files.txt`: `= expression`, `? condition`, `@ keys | measures`,
 *  `| steps => statement`. */
export function queriedFiles(): QueriedFile[] {
  return Object.entries(readCases('real-files.txt')).map(([name, [types = '', ...lines]]) => {
    const isCorpus = name.startsWith('corpus/');
    const folder = isCorpus ? path.join(corpusFolder, 'realdata') : VEGA;
    const pairs = types.replace('types: ', '').split(', ');
    return {
      ...{ name, isCorpus, path: path.join(folder, path.basename(name)) },
      types: Object.fromEntries(
        pairs.map((pair) => [
          pair.slice(0, pair.lastIndexOf(' ')),
          pair.slice(pair.lastIndexOf(' ') + 1) as ColumnType,
        ]),
      ),
      queries: lines.map(readQuery),
    };
  });
}

function readQuery(line: string): Query {
  const text = line.slice(2);
  switch (line[0]) {
    case '=':
      return {
        ...{ title: text, digits: 'all', sql: `SELECT ${text} AS v FROM input` },
        steps: [{ derive: { v: text } }, { select: ['v'] }],
      };
    case '?':
      return {
        ...{ title: text, digits: 'all', sql: `SELECT * FROM input WHERE ${text}` },
        steps: [{ filter: text }],
      };
    case '@':
      return aggregateQuery(text);
    default: {
      const [steps = '', sql = ''] = text.split(' => ');
      return { title: text, digits: 'all', sql, steps: JSON.parse(steps) as object[] };
    }
  }
}

/** Groups by columns or expressions, which are told apart by their parentheses and operators. */
function aggregateQuery(text: string): Query {
  const [keys = '', list = ''] = text.split('|').map((part) => part.trim());
  const by = keys === '' ? [] : keys.split(/, (?![^()]*\))/);
  const measures = list.split(' ; ').map((measure, i) => [`m${String(i)}`, measure] as const);
  const names = by.map((key, i) => (/[(/>]/.test(key) ? `k${String(i)}` : key));
  const selected = [
    ...by.map((key, i) => (names[i] === key ? `"${key}"` : `${key} AS ${names[i] ?? ''}`)),
    ...measures.map(([name, measure]) => `${measure} AS ${name}`),
  ];
  const order = names.map((name) => `"${name}" NULLS LAST`).join(', ');
  const grouped = by.length === 0 ? '' : `GROUP BY ALL ORDER BY ${order}`;
  return {
    title: text,
    digits: 12,
    sql: `SELECT ${selected.join(', ')} FROM input ${grouped}`,
    steps: [
      {
        aggregate: {
          by: by.map((key, i) => (names[i] === key ? key : { [names[i] ?? '']: key })),
          measures: Object.fromEntries(measures),
        },
      },
    ],
  };
}

/** Records as texts, with the types of their columns. */
export interface Answer {
  readonly types: readonly string[];
  readonly records: readonly string[];
}

/** A DuckDB that holds one file as the table `input`, in file order. */
export class DuckDBTable {
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  static async open(file: string, header: readonly string[], types: Types): Promise<DuckDBTable> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE input AS SELECT * FROM ${readCsvOf(file, header, types)}`);
    return new DuckDBTable(instance, connection);
  }

  async answer({ sql, digits }: Query): Promise<Answer> {
    const described = await this.connection.runAndReadAll(`DESCRIBE ${sql}`);
    const types = described.getRows().map(([, type]) => String(type));
    const texts = types.map((type, i) =>
      type.startsWith('DECIMAL')
        ? `CAST(CAST(#${String(i + 1)} AS DOUBLE) AS VARCHAR)`
        : `CAST(#${String(i + 1)} AS VARCHAR)`,
    );
    const rows = await this.connection.runAndReadAll(`SELECT ${texts.join(', ')} FROM (${sql})`);
    return {
      types: types.map((type) =>
        type.startsWith('DECIMAL') ? 'number' : (SAME_TYPES[type] ?? type),
      ),
      records: rows.getRows().map((row) => shown(row as (string | null)[], types, digits)),
    };
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** Sluice's answer, in chunks of so many records. */
export function askSluice(
  { path: file, types }: Pick<QueriedFile, 'path' | 'types'>,
  { steps, digits }: Query,
  chunkRecords: number,
): Answer {
  const plan = JSON.stringify({ steps, write: { format: 'ndjson' } });
  const run = runPlan(plan, readFileSync(file), { types, chunkRecords });
  if (run.rejects.length > 0) throw new Error(JSON.stringify(run.rejects[0]));
  const columns = run.compiled.outputColumns;
  const lines = finalOutput(run)
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  const names = columns.map(({ name }) => name);
  const kinds = columns.map(({ type }) => type);
  return {
    types: kinds,
    records: lines.map((line) => {
      const record = textsOf(line);
      return shown(
        names.map((name) => record.get(name) ?? null),
        kinds,
        digits,
      );
    }),
  };
}

/** The members of an object of NDJSON as texts, numbers as they are written. */
function textsOf(line: string): Map<string, string | null> {
  const texts = new Map<string, string | null>();
  const members = /"((?:[^"\\]|\\.)*)":(null|true|false|"(?:[^"\\]|\\.)*"|[^,}]*)/g;
  for (const [, name = '', value = ''] of line.matchAll(members)) {
    const key = JSON.parse(`"${name}"`) as string;
    if (value === 'null') texts.set(key, null);
    else texts.set(key, value.startsWith('"') ? (JSON.parse(value) as string) : value);
  }
  return texts;
}

/** A record in one text. NULL and numbers are told from texts. */
function shown(
  texts: readonly (string | null)[],
  types: readonly string[],
  digits: Query['digits'],
): string {
  const values = texts.map((text, i) => {
    if (text === null) return null;
    // A cell that no step names keeps its spelling.
    const type = SAME_TYPES[types[i] ?? ''] ?? types[i];
    if (type === 'integer') return String(BigInt(text));
    if (type === 'datetime') return plainTime(text);
    const isNumber =
      ['number', 'DOUBLE'].includes(types[i] ?? '') || types[i]?.startsWith('DECIMAL') === true;
    if (!isNumber) return text;
    return digits === 'all' ? Number(text) + 0 : Number(Number(text).toPrecision(digits));
  });
  return JSON.stringify(values);
}

/** A time in DuckDB's spelling. */
function plainTime(text: string): string {
  const plain = text.replace('T', ' ').replace(/Z$/, '');
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
}

/** Names of a file's columns. */
export function headerOf(file: string): string[] {
  const [header = []] = parse(readFileSync(file), { to: 1, relax_quotes: true, bom: true });
  return header;
}
