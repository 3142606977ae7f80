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
      return pick(
        view,
        step.columns.map((name) => positionOf(view, name)),
      );
    case 'drop': {
      const dropped = new Set(step.columns.map((name) => positionOf(view, name)));
      return pick(
        view,
        view.columns.map((_, position) => position).filter((position) => !dropped.has(position)),
      );
    }
    case 'rename': {
      const names = new Map(step.names.map(({ from, to }) => [positionOf(view, from), to]));
      const columns = view.columns.map((column, position) => ({
        name: names.get(position) ?? column.name,
        type: column.type,
      }));
      return { ...view, columns };
    }
    case 'derive':
      return viewAfterDerive(step, view);
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

/** A column that is another one as it stands needs no vector. */
function viewAfterDerive(step: Extract<Step, { kind: 'derive' }>, view: ColumnView): ColumnView {
  const { name, type, isText } = step;
  const { ast } = step.expression;
  const position = view.columns.findIndex((column) => column.name === name);
  const at = position < 0 ? view.columns.length : position;
  const columns = [...view.columns];
  const sources = [...view.sources];
  columns[at] = { name, type };
  if (ast.kind === 'column') {
    sources[at] = sourceOf(view, ast.name);
    return { ...view, columns, sources };
  }
  sources[at] = view.inputs.length;
  const vector = isText ? new TextVector() : new ValueVector();
  return {
    columns,
    sources,
    inputs: [...view.inputs, { name, type }],
    vectors: [...view.vectors, vector],
  };
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

export function sourceOf(view: ColumnView, name: string): number {
  return view.sources[positionOf(view, name)]!;
}

export function positionOf(view: ColumnView, name: string): number {
  const found = findColumn(view.columns, name);
  invariant('position' in found, 'a compiled plan names columns that are there');
  return found.position;
}
