import { DuckDBInstance } from '@duckdb/node-api';
import { assignmentFromArguments, report, type Assignment } from '../assignment.ts';

const assignment = assignmentFromArguments();
const instance = await DuckDBInstance.create(':memory:', { threads: String(assignment.threads) });
const connection = await instance.connect();
await connection.run(`COPY (${queryFor(assignment)}) TO ${text(assignment.output)} (HEADER)`);
report({ ms: null });

function queryFor({ task, dataset, file }: Assignment): string {
  // A copy keeps every cell's text; other tasks need their numbers.
  const typeOf = (column: string): string =>
    task === 'copy' ? 'VARCHAR' : (dataset.numbers[column] ?? 'VARCHAR');
  const types = dataset.columns.map((name) => `${text(name)}: '${typeOf(name)}'`).join(', ');
  const dialect = `header = true, delim = ',', quote = '"'`;
  const input = `read_csv(${text(file)}, ${dialect}, columns = {${types}})`;
  const { by, value } = dataset.group;
  switch (task) {
    case 'count':
      return `SELECT count(*) AS n FROM ${input}`;
    case 'filter':
      return `SELECT ${dataset.filter.columns.join(', ')} FROM ${input} WHERE ${dataset.filter.sql}`;
    case 'group':
      return (
        `SELECT ${by}, count(*) AS n, sum(${value}) AS total, avg(${value}) AS mean ` +
        `FROM ${input} GROUP BY ${by}`
      );
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
