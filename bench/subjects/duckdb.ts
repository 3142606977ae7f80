import { DuckDBInstance } from '@duckdb/node-api';
import {
  assignmentFromArguments,
  groupOf,
  report,
  sortOf,
  type Assignment,
} from '../assignment.ts';
import { asSql } from '../condition.ts';
import { medianPassCpuMs } from '../passes.ts';

const assignment = assignmentFromArguments();
const instance = await DuckDBInstance.create(':memory:', { threads: String(assignment.threads) });
const connection = await instance.connect();
const { output, passes } = assignment;
await runQuery();
report(
  passes > 1 ? { ms: null, passCpuMs: await medianPassCpuMs(passes - 1, runQuery) } : { ms: null },
);

async function runQuery(): Promise<void> {
  await connection.run(`COPY (${queryFor(assignment)}) TO ${text(output)} (HEADER)`);
}

function queryFor({ task, dataset, file }: Assignment): string {
  // Copies and sorted copies keep every cell's text; other tasks need their numbers.
  const typeOf = (column: string): string =>
    task === 'copy' || task === 'sort' ? 'VARCHAR' : (dataset.numbers[column] ?? 'VARCHAR');
  const types = dataset.columns.map((name) => `${text(name)}: '${typeOf(name)}'`).join(', ');
  const dialect = `header = true, delim = ',', quote = '"'`;
  const input = `read_csv(${text(file)}, ${dialect}, columns = {${types}})`;
  const { by, value } = groupOf(dataset, task);
  switch (task) {
    case 'count':
      return `SELECT count(*) AS n FROM ${input}`;
    case 'filter':
      return `SELECT ${dataset.filter.columns.join(', ')} FROM ${input} WHERE ${asSql(dataset.filter.conditions)}`;
    case 'group':
    case 'many':
      return (
        `SELECT ${by}, count(*) AS n, sum(${value}) AS total, avg(${value}) AS mean ` +
        `FROM ${input} GROUP BY ${by}`
      );
    case 'sort': {
      const { by: first, then } = sortOf(dataset);
      const key = (column: string): string => `CAST(${column} AS DECIMAL(18, 2))`;
      return `SELECT * FROM ${input} ORDER BY ${key(first)}, ${key(then)}`;
    }
    case 'profile':
      return (
        'SELECT column_name AS "column", count AS records ' +
        `FROM (SUMMARIZE SELECT * FROM ${input})`
      );
    case 'copy':
      return `SELECT * FROM ${input}`;
  }
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
