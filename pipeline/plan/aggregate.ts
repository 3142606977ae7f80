import type { Column, ColumnType } from '../protocol/job.ts';
import type { Expression } from './expression/ast.ts';
import { bindCondition, bindValue } from './expression/bind.ts';
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
      const fn = functionOf(plan.function);
      measures.push({ name: plan.name, function: fn, column: column?.name ?? null });
      output.push({ name: plan.name, type: measureType(plan, column, place, issues) });
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

/** The column that a measure takes its values from; null for `count(*)`. */
function measured(
  { name, text, argument, filter }: MeasurePlan,
  columns: readonly Column[],
  compute: (name: string, text: string, ast: Expression) => Column,
): Column | null {
  if (filter !== null) {
    bindCondition(filter, columns);
    const one: Expression = { kind: 'literal', type: 'boolean', text: 'true', at: 0 };
    const branches = [{ when: filter, then: argument ?? one }];
    return compute(name, text, { kind: 'case', operand: null, branches, otherwise: null, at: 0 });
  }
  if (argument === null) return null;
  if (argument.kind !== 'column') return compute(name, text, argument);
  const found = bindValue(argument, columns);
  const column = columns.find((candidate) => candidate.name === argument.name);
  const folded = argument.name.toLowerCase();
  return (
    column ??
    columns.find((candidate) => candidate.name.toLowerCase() === folded) ?? {
      ...{ name: argument.name, type: found.value.type },
    }
  );
}

function functionOf(fn: MeasurePlan['function']): MeasureFunction {
  if (fn === 'bool_and') return 'min';
  return fn === 'bool_or' ? 'max' : fn;
}

/** DuckDB's result types; `null` is count(*). */
function measureType(
  plan: MeasurePlan,
  column: Column | null,
  path: string,
  issues: IssueList,
): ColumnType {
  const type = column?.type ?? 'integer';
  const refuse = (expected: string): void => {
    const name = plan.argument?.kind === 'column' ? ` column ${JSON.stringify(column?.name)}` : '';
    issues.add(path, `${plan.function} of the ${type}${name}`, expected);
  };
  switch (plan.function) {
    case 'count':
      return 'integer';
    case 'min':
    case 'max':
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
