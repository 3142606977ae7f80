import { createRequire } from 'node:module';
import path from 'node:path';
import { assignmentFromArguments, groupOf, report, sortOf } from '../assignment.ts';
import type { Condition } from '../condition.ts';
import { medianPassCpuMs } from '../passes.ts';

/** The part of nodejs-polars that is used here: it is installed by the bench, and not there for tsc. */
interface Expression {
  cast(type: unknown): Expression;
  gt(value: number): Expression;
  gtEq(value: number): Expression;
  isIn(values: readonly string[]): Expression;
  and(other: Expression): Expression;
  sum(): Expression;
  mean(): Expression;
  alias(name: string): Expression;
}
interface LazyFrame {
  filter(condition: Expression): LazyFrame;
  select(...columns: readonly (string | Expression)[]): LazyFrame;
  groupBy(column: string): { agg(...measures: readonly Expression[]): LazyFrame };
  sort(by: readonly Expression[]): LazyFrame;
  sinkCSV(file: string): LazyFrame;
  collectSync(): unknown;
}
interface Polars {
  readonly Utf8: unknown;
  readonly Float64: unknown;
  col(name: string): Expression;
  len(): Expression;
  scanCSV(file: string, options: Readonly<Record<string, unknown>>): LazyFrame;
}

const assignment = assignmentFromArguments();
process.env['POLARS_MAX_THREADS'] = String(assignment.threads);
const folder = path.join(import.meta.dirname, '..', '..', '..', 'bench', 'polars', 'package.json');
const pl = createRequire(folder)('nodejs-polars') as Polars;
answer();
const { passes } = assignment;
report(
  passes > 1 ? { ms: null, passCpuMs: await medianPassCpuMs(passes - 1, answer) } : { ms: null },
);

function answer(): void {
  const { task, dataset, file, output } = assignment;
  // Cells that come out again keep their text; what is computed with is parsed.
  const isNumber = (column: string): boolean =>
    (task === 'group' || task === 'many') && groupOf(dataset, task).value === column;
  const typeOf = (column: string): unknown => (isNumber(column) ? pl.Float64 : pl.Utf8);
  const schema = Object.fromEntries(dataset.columns.map((name) => [name, typeOf(name)]));
  const input = pl.scanCSV(file, { schema, inferSchemaLength: 0 });
  query(input).sinkCSV(output).collectSync();
}

function query(input: LazyFrame): LazyFrame {
  const { task, dataset } = assignment;
  switch (task) {
    case 'count':
      return input.select(pl.len().alias('n'));
    case 'filter': {
      const [first, ...more] = dataset.filter.conditions.map(expressionOf);
      if (first === undefined) throw new Error('a filter has a condition');
      const all = more.reduce((before, next) => before.and(next), first);
      return input.filter(all).select(...dataset.filter.columns);
    }
    case 'group':
    case 'many': {
      const { by, value } = groupOf(dataset, task);
      const column = pl.col(value);
      return input
        .groupBy(by)
        .agg(pl.len().alias('n'), column.sum().alias('total'), column.mean().alias('mean'));
    }
    case 'sort': {
      const { by, then } = sortOf(dataset);
      return input.sort([pl.col(by).cast(pl.Float64), pl.col(then).cast(pl.Float64)]);
    }
    case 'copy':
      return input;
    case 'profile':
      throw new Error('describe() of nodejs-polars asks another question');
  }
}

function expressionOf(condition: Condition): Expression {
  const column = pl.col(condition.column);
  if (condition.op === 'in') return column.isIn(condition.values);
  const number = column.cast(pl.Float64);
  return condition.op === '>' ? number.gt(condition.value) : number.gtEq(condition.value);
}
