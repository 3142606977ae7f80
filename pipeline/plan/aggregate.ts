import type { Column, ColumnType } from '../protocol/job.ts';
import type { Expression } from './expression/ast.ts';
import { bindCondition, bindValue } from './expression/bind.ts';
import { expressionError } from './expression/lexer.ts';
import { pointerTo, type IssueList } from './issues.ts';
import type { ColumnFinder } from './rewrite.ts';
import type { Measure, MeasureFunction, MeasurePlan, PlanStep, Step, Transformed } from './step.ts';

/** Stands before the names of columns that an aggregate computes for itself: no header has it. */
const HIDDEN = '\u0000';

/** Takes an aggregate apart: what it groups by and measures is computed first, as columns. */
export function transformAggregate(
  step: Extract<PlanStep, { kind: 'aggregate' }>,
  columns: readonly Column[],
  path: string,
  finder: ColumnFinder,
  issues: IssueList,
): Transformed {
  const before: Step[] = [];
  const compute = (name: string, text: string, ast: Expression): Column => {
    const { type } = bindValue(ast, columns).value;
    const hidden = `${HIDDEN}${String(before.length)} ${name}`;
    const expression = { text, ast };
    before.push({ kind: 'derive', name: hidden, type, isText: type === 'string', expression });
    return { name: hidden, type };
  };
  const by: string[] = [];
  const output: Column[] = [];
  step.by.forEach(({ name, expression }, index) => {
    const place = pointerTo(`${path}/by`, index);
    const key = attempt(issues, place, expression?.text ?? name, () =>
      expression === null
        ? finder.one(name, place)
        : compute(name, expression.text, expression.ast),
    );
    if (key === undefined) return;
    if (by.includes(key.name)) {
      issues.add(place, `The column ${JSON.stringify(name)} is named twice`, 'each name once');
    }
    by.push(key.name);
    output.push({ name: expression === null ? key.name : name, type: key.type });
  });
  const measures: Measure[] = [];
  for (const plan of step.measures) {
    const place = pointerTo(`${path}/measures`, plan.name);
    attempt(issues, place, plan.text, () => {
      const column = measured(plan, columns, compute);
      const { name, distinct, parameter } = plan;
      const order = plan.order?.map(({ expression, ...ordering }) => ({
        ...ordering,
        column: columnOf(expression, plan, columns, compute).name,
      }));
      const filter = filterOf(plan, compute);
      measures.push({
        ...{ name, function: functionOf(plan.function), column: column?.name ?? null },
        ...(distinct === undefined ? {} : { distinct }),
        ...(parameter === undefined ? {} : { parameter }),
        ...(order === undefined ? {} : { order }),
        ...(filter === null ? {} : { filter: filter.name }),
      });
      output.push({ name: plan.name, type: measureType(plan, column) });
    });
  }
  refuseDuplicates(output, path, issues);
  return { steps: [...before, { kind: 'aggregate', by, measures }], columns: output };
}

function attempt<Result>(
  issues: IssueList,
  path: string,
  text: string,
  run: () => Result,
): Result | undefined {
  try {
    return run();
  } catch (thrown) {
    issues.addExpression(path, text, thrown);
    return undefined;
  }
}

type Compute = (name: string, text: string, ast: Expression) => Column;

/** The column that a measure takes its values from; null for `count(*)`. */
function measured(plan: MeasurePlan, columns: readonly Column[], compute: Compute): Column | null {
  const { name, text, argument, filter } = plan;
  if (filter !== null) bindCondition(filter, columns);
  if (filter !== null && !countsNull(plan)) {
    const one: Expression = { kind: 'literal', type: 'boolean', text: 'true', at: 0 };
    const then = argument === null ? one : textual(plan, argument, columns);
    const branches = [{ when: filter, then }];
    return compute(name, text, { kind: 'case', operand: null, branches, otherwise: null, at: 0 });
  }
  if (argument === null) return null;
  return columnOf(textual(plan, argument, columns), plan, columns, compute);
}

/** What string_agg joins are texts. */
function textual(
  { function: fn }: MeasurePlan,
  argument: Expression,
  columns: readonly Column[],
): Expression {
  if (fn !== 'string_agg' || bindValue(argument, columns).value.type === 'string') return argument;
  return { kind: 'cast', operand: argument, type: 'string', isTry: false, at: argument.at };
}

/** The column of an expression: one that is there, or one that is computed. */
function columnOf(
  expression: Expression,
  { name, text }: MeasurePlan,
  columns: readonly Column[],
  compute: Compute,
): Column {
  if (expression.kind !== 'column') return compute(name, text, expression);
  const found = bindValue(expression, columns);
  const column = columns.find((candidate) => candidate.name === expression.name);
  const folded = expression.name.toLowerCase();
  return (
    column ??
    columns.find((candidate) => candidate.name.toLowerCase() === folded) ?? {
      ...{ name: expression.name, type: found.value.type },
    }
  );
}

/** Functions for which a NULL is a value like others: FILTER cannot hide one behind it. */
function countsNull({ function: fn }: MeasurePlan): boolean {
  return fn === 'first' || fn === 'last';
}

function filterOf(plan: MeasurePlan, compute: Compute): Column | null {
  const { name, text, filter } = plan;
  if (filter === null || !countsNull(plan)) return null;
  return compute(name, text, { kind: 'is-truth', operand: filter, value: true, at: filter.at });
}

function functionOf(fn: MeasurePlan['function']): MeasureFunction {
  if (fn === 'bool_and') return 'min';
  return fn === 'bool_or' ? 'max' : fn;
}

/** DuckDB's result types; a `column` of null is count(*). Throws where the function takes no such values. */
function measureType(plan: MeasurePlan, column: Column | null): ColumnType {
  const type = column?.type ?? 'integer';
  const refuse = (expected: string): never => {
    const { argument, text } = plan;
    const name = argument?.kind === 'column' ? ` column ${JSON.stringify(column?.name)}` : '';
    const written = text.slice(0, text.indexOf('('));
    throw expressionError(`${written} of the ${type}${name}`, argument?.at ?? 0, expected);
  };
  switch (plan.function) {
    case 'count':
    case 'approx_count_distinct':
      return 'integer';
    case 'string_agg':
      return 'string';
    case 'min':
    case 'max':
    case 'mode':
    case 'first':
    case 'last':
    case 'any_value':
    case 'quantile_disc':
      return type;
    case 'quantile_cont':
      if (type === 'string' || type === 'boolean') refuse('a column of numbers or times');
      return type === 'date' || type === 'datetime' ? 'datetime' : 'number';
    case 'approx_quantile':
      if (type !== 'integer' && type !== 'number') refuse('a column of numbers');
      return type;
    case 'bool_and':
    case 'bool_or':
      if (type !== 'boolean') refuse('a condition or a column of booleans');
      return 'boolean';
    default:
      if (type !== 'integer' && type !== 'number' && type !== 'string') {
        refuse('a column of numbers');
      }
      return plan.function === 'sum' && type === 'integer' ? 'integer' : 'number';
  }
}

/** Two columns of one name cannot be told apart. */
export function refuseDuplicates(
  columns: readonly Column[],
  path: string,
  issues: IssueList,
): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) {
      issues.add(path, `Two columns are named ${JSON.stringify(name)}`, 'each name once');
    }
    seen.add(name);
  }
}
