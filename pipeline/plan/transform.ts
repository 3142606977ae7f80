import type { Column, ColumnType } from '../protocol/job.ts';
import { refuseDuplicates, transformAggregate } from './aggregate.ts';
import { bindCondition, bindValue } from './expression/bind.ts';
import { pointerTo, type IssueList } from './issues.ts';
import { transformJoin, type JoinSources } from './join.ts';
import { transformProject } from './project.ts';
import { Resolver } from './resolver.ts';
import { rewrite, type Assignment } from './rewrite.ts';
import type { ExpressionPlan, GlobalStep, PlanStep, Step, Transformed } from './step.ts';

/** Checks a step, resolves its names and takes it apart. Faults go to `issues`, under `path`. */
export function transform(
  step: Exclude<PlanStep, GlobalStep>,
  columns: readonly Column[],
  path: string,
  issues: IssueList,
  sources: JoinSources = { lookups: [], nullstr: [''] },
): Transformed {
  const resolver = new Resolver(columns, issues);
  switch (step.kind) {
    case 'select': {
      const kept = resolver.list(step.columns, path);
      return { steps: [{ kind: 'select', columns: names(kept) }], columns: kept };
    }
    case 'reorder': {
      const first = resolver.list(step.columns, path);
      const kept = [...first, ...columns.filter((column) => !first.includes(column))];
      return { steps: [{ kind: 'select', columns: names(kept) }], columns: kept };
    }
    case 'drop': {
      const dropped = resolver.list(step.columns, path);
      const kept = columns.filter((column) => !dropped.includes(column));
      if (kept.length === 0) issues.add(path, 'No column is left', 'at least one column');
      return { steps: [{ kind: 'drop', columns: names(dropped) }], columns: kept };
    }
    case 'rename':
      return transformRename(step, columns, path, resolver, issues);
    case 'filter':
      checkCondition(step.expression, columns, path, issues);
      return { steps: [step], columns };
    case 'check': {
      checkCondition(step.expression, columns, `${path}/expr`, issues);
      const message = `The check ${JSON.stringify(step.name)} is not met`;
      const { expression } = step;
      return { steps: [{ kind: 'check', expression, column: null, message }], columns };
    }
    case 'sample':
      return { steps: [step], columns };
    case 'derive': {
      const assignments = step.columns.map(({ name, expression }) => ({
        ...{ name, ...expression, type: null, path: pointerTo(path, name) },
      }));
      return derived(assignments, columns, issues);
    }
    case 'project':
      return transformProject(step, columns, path, issues, (assignments) =>
        derived(assignments, columns, issues),
      );
    case 'aggregate':
      return transformAggregate(step, columns, path, resolver, issues);
    case 'join':
      return transformJoin(step, columns, path, resolver, issues, sources);
    case 'profile': {
      const profiled = resolver.listOrAll(step.columns, path);
      return { steps: [{ ...step, columns: names(profiled) }], columns };
    }
    default:
      return derived(rewrite(step, resolver, path), columns, issues);
  }
}

/** Computes columns one after another: each sees those before it. */
export function derived(
  assignments: readonly Assignment[],
  columns: readonly Column[],
  issues: IssueList,
): Transformed {
  const steps: Step[] = [];
  const current = [...columns];
  const positions = new Map(columns.map(({ name }, position) => [name, position]));
  const place = (name: string, type: ColumnType): void => {
    const at = positions.get(name) ?? current.length;
    positions.set(name, at);
    current[at] = { name, type };
  };
  for (const { name, text, ast, type: stated, path } of assignments) {
    try {
      const { value } = bindValue(ast, current);
      const type = stated ?? value.type;
      const isText = value.type === 'string';
      const expression = { text, ast };
      steps.push({ kind: 'derive', name, type, isText, expression });
      place(name, type);
    } catch (thrown) {
      issues.addExpression(path, text, thrown);
      // The steps behind it are not to blame for the column.
      place(name, stated ?? 'string');
    }
  }
  return { steps, columns: current };
}

function checkCondition(
  { text, ast }: ExpressionPlan,
  columns: readonly Column[],
  path: string,
  issues: IssueList,
): void {
  try {
    bindCondition(ast, columns);
  } catch (thrown) {
    issues.addExpression(path, text, thrown);
  }
}

function transformRename(
  step: Extract<PlanStep, { kind: 'rename' }>,
  columns: readonly Column[],
  path: string,
  resolver: Resolver,
  issues: IssueList,
): Transformed {
  const newNames = new Map<Column, string>();
  const pairs: { from: string; to: string }[] = [];
  for (const { from, to } of step.names) {
    const column = resolver.one(from, pointerTo(path, from));
    if (column === undefined) continue;
    newNames.set(column, to);
    pairs.push({ from: column.name, to });
  }
  const renamed = columns.map((column) => ({
    name: newNames.get(column) ?? column.name,
    type: column.type,
  }));
  refuseDuplicates(renamed, path, issues);
  return { steps: [{ kind: 'rename', names: pairs }], columns: renamed };
}

function names(columns: readonly Column[]): string[] {
  return columns.map((column) => column.name);
}
