import type { Column } from '../protocol/job.ts';
import { refuseDuplicates } from './aggregate.ts';
import { findColumn } from './columns.ts';
import { pointerTo, type IssueList } from './issues.ts';
import type { Assignment } from './rewrite.ts';
import type { PlanStep, Transformed } from './step.ts';

/** Stands before the names of columns on their way: no header has it, and no other step. */
const HIDDEN = '\u0000\u0000';

/** Computes what is not a column as it is, then keeps the wanted columns under their names. `derive`
 *  makes the steps of columns that are computed one after another. */
export function transformProject(
  step: Extract<PlanStep, { kind: 'project' }>,
  columns: readonly Column[],
  path: string,
  issues: IssueList,
  derive: (assignments: readonly Assignment[]) => Transformed,
): Transformed {
  const assignments: Assignment[] = [];
  const sources: string[] = [];
  const taken = new Set<string>();
  step.columns.forEach(({ name, expression: { text, ast } }, index) => {
    const found = ast.kind === 'column' ? findColumn(columns, ast.name) : null;
    const column = found !== null && 'position' in found ? columns[found.position] : undefined;
    if (column !== undefined && !taken.has(column.name)) {
      taken.add(column.name);
      sources.push(column.name);
      return;
    }
    const hidden = `${HIDDEN}${String(index)}`;
    // A column that is wanted twice is copied with the text of its cells.
    const value =
      column === undefined
        ? { ast, type: null }
        : { ast: { kind: 'cell', name: column.name, at: ast.at } as const, type: column.type };
    assignments.push({ name: hidden, text, ...value, path: pointerTo(path, name) });
    sources.push(hidden);
  });
  const derived = derive(assignments);
  const types = new Map(derived.columns.map(({ name, type }) => [name, type]));
  const names = step.columns.map(({ name }) => name);
  const projected = names.map((name, i): Column => {
    return { name, type: types.get(sources[i] ?? '') ?? 'string' };
  });
  refuseDuplicates(projected, path, issues);
  const renamed = sources.flatMap((from, i) => {
    const to = names[i] ?? from;
    return from === to ? [] : [{ from, to }];
  });
  return {
    steps: [
      ...derived.steps,
      { kind: 'select', columns: sources },
      ...(renamed.length === 0 ? [] : [{ kind: 'rename' as const, names: renamed }]),
    ],
    columns: projected,
  };
}
