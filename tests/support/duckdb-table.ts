import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { ColumnType } from '../../pipeline/protocol/job.ts';
import { readCsvOf } from './expression-oracle.ts';

/** A DuckDB in memory with one table `input`, loaded anew from text after text. */
export class DuckDBTable {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'sluice-duckdb-'));
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance;
    this.connection = connection;
  }

  static async open(): Promise<DuckDBTable> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    return new DuckDBTable(instance, await instance.connect());
  }

  /** Fills `input` from CSV with header; `"record number"` counts its records. */
  async load(csv: string, types: Readonly<Record<string, ColumnType>>): Promise<void> {
    const file = path.join(this.folder, 'input.csv');
    writeFileSync(file, csv);
    const header = csv.slice(0, csv.indexOf('\n')).split(',');
    await this.connection.run(
      'CREATE OR REPLACE TABLE input AS SELECT row_number() OVER () AS "record number", * ' +
        `FROM ${readCsvOf(file, header, types)}`,
    );
  }

  /** Rows of a query, every value as DuckDB's text of it. */
  async query(sql: string): Promise<(string | null)[][]> {
    const text = `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (${sql})`;
    return (await this.connection.runAndReadAll(text)).getRows() as (string | null)[][];
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
    rmSync(this.folder, { recursive: true });
  }
}
