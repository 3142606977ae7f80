import type { Column } from '../protocol/job.ts';
import { renderName } from './expression/render.ts';
import type { GroupKey, PlanStep, SortKey } from './step.ts';

/** What a step does, on one line and without its name, for people. */
export function renderStep(step: PlanStep): string {
  switch (step.kind) {
    case 'select':
    case 'drop':
    case 'reorder':
    case 'unique':
      return names(step.columns);
    case 'profile':
    case 'trim':
      return namesOrAll(step.columns);
    case 'rename':
      return step.names
        .map(({ from, to }) => `${renderName(from)} to ${renderName(to)}`)
        .join(', ');
    case 'filter':
      return step.expression.text;
    case 'check':
      return `${step.expression.text}${step.severity === 'warn' ? ' (warn)' : ''}`;
    case 'sample':
      return `${String(step.fraction * 100)} %, seed ${String(step.seed)}`;
    case 'derive':
    case 'project':
      return step.columns
        .map(({ name, expression: { text } }) => {
          const shown = renderName(name);
          return shown === text ? shown : `${shown} = ${text}`;
        })
        .join(', ');
    case 'aggregate':
      return [
        step.measures.map(({ name, text }) => measure(name, text)).join(', '),
        step.by.length === 0 ? '' : `by ${step.by.map(groupKey).join(', ')}`,
      ]
        .filter((part) => part !== '')
        .join(' ');
    case 'sort':
      return step.keys.map(sortKey).join(', ');
    case 'top_k':
      return `${String(step.count)} by ${step.keys.map(sortKey).join(', ')}`;
    case 'limit': {
      const count = step.count === null ? 'all' : String(step.count);
      return step.offset === 0 ? count : `${count} from ${String(step.offset)}`;
    }
    case 'dedupe':
      return `by ${step.by.length === 0 ? 'all columns' : names(step.by)}, keep ${step.keep}`;
    case 'join': {
      const on = step.on.map(
        (key) => `${renderName(key.column)} = ${renderName(key.lookupColumn)}`,
      );
      const added = step.select === null ? '' : `, select ${names(step.select)}`;
      return `${step.how} with ${step.lookup} on ${on.join(' and ')}${added}`;
    }
    default:
      return renderCellStep(step);
  }
}

/** Steps that change cells. */
function renderCellStep(
  step: Extract<
    PlanStep,
    {
      kind:
        | ('case' | 'replace' | 'fill_null' | 'map_values' | 'cast' | 'split' | 'merge')
        | ('parse_date' | 'hash' | 'mask');
    }
  >,
): string {
  const quoted = (text: string): string => JSON.stringify(text);
  switch (step.kind) {
    case 'case':
      return `${namesOrAll(step.columns)} to ${step.to}`;
    case 'replace':
      return `${namesOrAll(step.columns)}: ${quoted(step.find)} with ${quoted(step.with)}`;
    case 'fill_null':
      return step.values.map(({ name, text }) => `${renderName(name)}: ${quoted(text)}`).join(', ');
    case 'map_values':
      return names(step.maps.map(({ name }) => name));
    case 'cast':
      return step.types.map(({ name, type }) => `${renderName(name)} to ${type}`).join(', ');
    case 'split':
      return `${renderName(step.column)} by ${quoted(step.by)} into ${names(step.into)}`;
    case 'merge':
      return `${names(step.columns)} with ${quoted(step.with)} into ${renderName(step.into)}`;
    case 'parse_date':
      return `${renderName(step.column)} as ${quoted(step.format)}`;
    case 'hash':
      return `${names(step.columns)} by ${step.algorithm}`;
    case 'mask':
      return `${names(step.columns)}, keep ${String(step.keep)}`;
  }
}

/** Columns with their types. What a plan makes for itself is shown as what it holds. */
export function renderColumns(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `${renderName(name)} ${type}`).join(', ');
}

function measure(name: string, text: string): string {
  // An aggregate of a statement is a column that is called as it is written.
  return name === `\u0000${text}` ? text : `${renderName(name)} = ${text}`;
}

function groupKey({ name, expression }: GroupKey): string {
  if (expression === null) return renderName(name);
  return name === `\u0000${expression.text}` ? expression.text : measure(name, expression.text);
}

function sortKey({ column, desc, nulls }: SortKey): string {
  return `${renderName(column)}${desc ? ' desc' : ''}${nulls === 'first' ? ' nulls first' : ''}`;
}

function names(columns: readonly string[]): string {
  return columns.map(renderName).join(', ');
}

function namesOrAll(columns: readonly string[]): string {
  return columns.length === 0 ? 'all columns' : names(columns);
}
