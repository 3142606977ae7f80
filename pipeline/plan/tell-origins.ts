import type { RecordLayout, RecordOrigins } from '../exchange/exchange.ts';
import { sourceOf, ViewCursor, type ColumnView } from '../execution/column-view.ts';
import type { ChunkContext } from '../execution/context.ts';
import type { ViewCells } from '../execution/record-layout.ts';
import { ValueVector } from '../execution/vectors.ts';
import { isAct, type GlobalAct } from './global-steps.ts';
import type { Step } from './step.ts';

/**
 * The layout of records that go to a later wave. They say what of the input they are, which takes some
 * ten bytes each, where one of them may be rejected by what is `later`: steps, and what is done with
 * all records, in order.
 */
export function layoutFor(
  { layout, fieldSources }: ViewCells,
  view: ColumnView,
  context: ChunkContext,
  later: readonly (Step | GlobalAct)[],
): RecordLayout {
  const { input, columns } = context;
  const given = input === 'chunk' ? null : (input.records.layout?.origins ?? null);
  // Groups are of no record.
  if (input !== 'chunk' && given === null) return layout;
  if (!mayReject(later, view, context)) return layout;
  const origins: RecordOrigins = {
    within: given === null ? 'chunk' : 'input',
    columns: fieldSources.map(
      (position) => given?.columns[position] ?? { position, name: columns[position]!.name },
    ),
  };
  return { ...layout, origins };
}

function mayReject(
  later: readonly (Step | GlobalAct)[],
  before: ColumnView,
  context: ChunkContext,
): boolean {
  const views = new ViewCursor(before);
  for (const part of later) {
    if (isAct(part)) {
      if (actRejects(part, views.view, context)) return true;
      // What comes then are groups.
      if (part.kind === 'group') return false;
      continue;
    }
    if (stepRejects(part, views.view, context)) return true;
    views.pass(part);
  }
  return false;
}

function stepRejects(step: Step, view: ColumnView, { onError }: ChunkContext): boolean {
  switch (step.kind) {
    case 'select':
    case 'drop':
    case 'rename':
    case 'sample':
    case 'profile':
    case 'match':
      return false;
    case 'check':
      return step.warning === undefined || onError !== 'null';
    case 'derive':
      return step.expression.ast.kind !== 'column' && onError !== 'null';
    case 'aggregate': {
      const { by, measures } = step;
      const read = measures.flatMap(({ column, order = [], filter }) => [
        ...[column ?? [], filter ?? [], order.map((key) => key.column)].flat(),
      ]);
      return onError !== 'null' && [...by, ...read].some((name) => isCast(name, view));
    }
    case 'conform':
    case 'filter':
    case 'join':
      return onError !== 'null';
  }
}

function actRejects(act: GlobalAct, view: ColumnView, { onError }: ChunkContext): boolean {
  if (act.kind === 'distinct' && act.onDuplicate === 'reject') return true;
  if (onError === 'null') return false;
  switch (act.kind) {
    case 'sort':
      return act.keys.some(({ column }) => isCast(column, view));
    case 'distinct':
      return act.by.some((name) => isCast(name, view));
    case 'meet':
      return act.join.on.some(({ type }) => type !== 'string');
    case 'limit':
    case 'group':
      return false;
  }
}

/** Whether a column's texts are read as values of another type. */
function isCast(name: string, view: ColumnView): boolean {
  const { type } = view.columns.find((column) => column.name === name) ?? { type: 'string' };
  return type !== 'string' && !(view.vectors[sourceOf(view, name)] instanceof ValueVector);
}
