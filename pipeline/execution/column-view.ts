import { invariant } from '../errors.ts';
import { findColumn } from '../plan/columns.ts';
import type { Step } from '../plan/step.ts';
import type { Column } from '../protocol/job.ts';
import type { ChunkContext } from './context.ts';
import { TextVector, ValueVector, type Vector } from './vectors.ts';

/**
 * The columns at some point of a plan, and where each of them comes from. Sources are numbers: those
 * of the input's fields first, and after them those of computed columns in the order of their steps.
 */
export interface ColumnView {
  readonly columns: readonly Column[];
  /** Source of each column. */
  readonly sources: readonly number[];
  /** By source: name and type, for faults and types. */
  readonly inputs: readonly Column[];
  /** By source: the vector of a computed column, null for a field. */
  readonly vectors: readonly (Vector | null)[];
}

/** All fields of the input, in order; in a later wave, the cells that its records come with. */
export function inputView(context: ChunkContext): ColumnView {
  const { columns, input } = context;
  const layout = input === 'chunk' ? null : input.records.layout;
  if (layout !== null) {
    return {
      columns: layout.columns.map(({ name, type }) => ({ name, type })),
      sources: layout.columns.map(({ cell }) => cell),
      inputs: [...columns, ...layout.computed],
      vectors: [
        ...columns.map(() => null),
        ...layout.computed.map(({ held }) =>
          held === 'text' ? new TextVector() : new ValueVector(),
        ),
      ],
    };
  }
  return {
    columns,
    sources: columns.map((_, field) => field),
    inputs: columns,
    vectors: columns.map(() => null),
  };
}

/** The view behind a step: nothing is copied. A computed column gets its vector here. */
export function viewAfter(step: Step, view: ColumnView): ColumnView {
  switch (step.kind) {
    case 'select':
      return pick(view, step.columns.map(finder(view)));
    case 'drop': {
      const dropped = new Set(step.columns.map(finder(view)));
      return pick(
        view,
        view.columns.map((_, position) => position).filter((position) => !dropped.has(position)),
      );
    }
    case 'rename': {
      const find = finder(view);
      const names = new Map(step.names.map(({ from, to }) => [find(from), to]));
      const columns = view.columns.map((column, position) => ({
        name: names.get(position) ?? column.name,
        type: column.type,
      }));
      return { ...view, columns };
    }
    case 'derive':
      return viewAfterAll([step], view);
    case 'join':
    case 'match':
      return viewAfterJoin(step, view);
    case 'conform':
    case 'filter':
    case 'check':
    case 'sample':
    case 'profile':
    case 'aggregate':
      return view;
  }
}

/** The vector of a computed column; null for one that is another as it stands. */
export function computedVector({
  expression,
  isText,
}: Extract<Step, { kind: 'derive' }>): Vector | null {
  if (expression.ast.kind === 'column') return null;
  return isText ? new TextVector() : new ValueVector();
}

/**
 * The view behind one step after another. Columns that are computed in a row make one view grow: what
 * was `view` before them is good until they are passed, and copied once for them all.
 */
export class ViewCursor {
  #view: ColumnView;
  #growing: GrowingView | null = null;

  constructor(view: ColumnView) {
    this.#view = view;
  }

  get view(): ColumnView {
    return this.#view;
  }

  /** `vector` is that of a computed column. */
  pass(step: Step, vector = step.kind === 'derive' ? computedVector(step) : null): ColumnView {
    if (step.kind === 'derive') {
      this.#growing ??= copyOf(this.#view);
      this.#view = this.#growing;
      grow(this.#growing, step, vector);
    } else {
      this.#growing = null;
      this.#view = viewAfter(step, this.#view);
    }
    return this.#view;
  }
}

/** The view behind several steps. */
export function viewAfterAll(steps: readonly Step[], view: ColumnView): ColumnView {
  const cursor = new ViewCursor(view);
  for (const step of steps) cursor.pass(step);
  return cursor.view;
}

interface GrowingView extends ColumnView {
  readonly positions: Map<string, number>;
  readonly columns: Column[];
  readonly sources: number[];
  readonly inputs: Column[];
  readonly vectors: (Vector | null)[];
}

function copyOf(view: ColumnView): GrowingView {
  const { columns, sources, inputs, vectors } = view;
  return {
    positions: positionsOf(view),
    ...{ columns: [...columns], sources: [...sources] },
    ...{ inputs: [...inputs], vectors: [...vectors] },
  };
}

function grow(
  view: GrowingView,
  { name, type, expression }: Extract<Step, { kind: 'derive' }>,
  vector: Vector | null,
): void {
  const { ast } = expression;
  const source = ast.kind === 'column' ? sourceOf(view, ast.name) : view.inputs.length;
  const at = view.positions.get(name) ?? view.columns.length;
  view.positions.set(name, at);
  view.columns[at] = { name, type };
  view.sources[at] = source;
  if (ast.kind === 'column') return;
  view.inputs.push({ name, type });
  view.vectors.push(vector);
}

/** What was computed before has to be there for each of the records that a record becomes. */
function viewAfterJoin(
  step: Extract<Step, { kind: 'join' | 'match' }>,
  view: ColumnView,
): ColumnView {
  if (step.how === 'semi' || step.how === 'anti') return view;
  const added = step.adds.map(({ column }) => column);
  return {
    columns: [...view.columns, ...added],
    sources: [...view.sources, ...added.map((_, i) => view.inputs.length + i)],
    inputs: [...view.inputs, ...added],
    vectors: [...view.vectors.map(emptyLike), ...added.map(() => new TextVector())],
  };
}

function emptyLike(vector: Vector | null): Vector | null {
  if (vector === null) return null;
  return vector instanceof TextVector ? new TextVector() : new ValueVector();
}

function pick(view: ColumnView, positions: readonly number[]): ColumnView {
  return {
    ...view,
    columns: positions.map((position) => view.columns[position]!),
    sources: positions.map((position) => view.sources[position]!),
  };
}

/** `positionOf` of many names. */
function finder(view: ColumnView): (name: string) => number {
  const exact = positionsOf(view);
  return (name) => exact.get(name) ?? positionOf(view, name);
}

/** The columns' positions by their names. */
function positionsOf({ columns }: ColumnView): Map<string, number> {
  return new Map(columns.map(({ name }, position) => [name, position]));
}

export function sourceOf(view: ColumnView, name: string): number {
  return view.sources[positionOf(view, name)]!;
}

export function positionOf(view: ColumnView, name: string): number {
  const found = findColumn(view.columns, name);
  invariant('position' in found, 'a compiled plan names columns that are there');
  return found.position;
}
