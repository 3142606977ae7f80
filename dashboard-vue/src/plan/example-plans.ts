import { stringify } from 'yaml';
import type { Column } from '../../../pipeline/protocol/index.ts';

export interface ExamplePlan {
  readonly key: string;
  readonly label: string;
  readonly text: string;
}

const asYaml = (plan: unknown) => stringify(plan, { lineWidth: 0 });

/** A column's name in an expression: as it is, or in SQL's double quotes. */
export function columnReference(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Plans that run on a file with these columns; `read` is kept from the plan at hand. */
export function examplePlans(columns: readonly Column[], read: unknown): ExamplePlan[] {
  const first = columns[0];
  if (first === undefined) return [];
  const head = read === undefined ? { version: 1 } : { version: 1, read };
  const isCount = (column: Column) => column.type === 'integer' && !/id$/i.test(column.name);
  const number = columns.find((column) => column.type === 'number') ?? columns.find(isCount);
  const group = columns.find((column) => column.type === 'string') ?? first;
  const few = columns.slice(0, 3).map((column) => column.name);
  const condition =
    number === undefined
      ? `${columnReference(group.name)} IS NOT NULL`
      : `${columnReference(number.name)} > 0`;
  const measures: Record<string, string> = { records: 'count(*)' };
  if (number !== undefined) measures['total'] = `sum(${columnReference(number.name)})`;
  return [
    { key: 'select', label: 'Keep a few columns', text: { steps: [{ select: few }] } },
    {
      key: 'filter',
      label: 'Keep records by a condition',
      text: { steps: [{ filter: condition }] },
    },
    {
      key: 'rename',
      label: 'Rename a column',
      text: { steps: [{ rename: { [first.name]: `${first.name}_new` } }] },
    },
    {
      key: 'aggregate',
      label: 'Count and sum by group',
      text: { steps: [{ aggregate: { by: [group.name], measures } }] },
    },
  ].map(({ key, label, text }) => ({ key, label, text: asYaml({ ...head, ...text }) }));
}
