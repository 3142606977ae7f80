import { DuckDBInstance } from '@duckdb/node-api';

/** Rows of one query on an empty DuckDB in memory; every value as text, NULL as null. */
export async function queryDuckDB(sql: string): Promise<(string | null)[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(
      `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (${sql})`,
    );
    return reader.getRows() as (string | null)[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
