import { createAggregate, type Aggregate } from '../aggregation/aggregate.ts';
import type { AggregateKernel } from '../aggregation/aggregate-kernel.ts';
import type { AggregateSpec } from '../aggregation/shape.ts';
import { invariant } from '../errors.ts';
import { bindCondition } from '../plan/expression/bind.ts';
import { Truth } from '../plan/expression/bound.ts';
import { findColumn } from '../plan/columns.ts';
import type { Step } from '../plan/schema.ts';
import { ProfileAccumulator } from '../profile/profile-accumulator.ts';
import type { ProfileKernel } from '../profile/profile-kernel.ts';
import type { Column } from '../protocol/job.ts';
import type { Batch } from './batch.ts';
import { createEvaluator, type Evaluator } from './condition.ts';
import type { ChunkContext } from './context.ts';
import type { Operator, OperatorSink } from './operator.ts';
import { ValueLoader } from './typed-values.ts';

/** The columns at some point of a plan, and which field of the input each of them is. */
export interface ColumnView {
  readonly columns: readonly Column[];
  readonly sources: readonly number[];
}

/** Lets the records through for which a condition is true. */
export class FilterOperator implements Operator {
  private readonly loaders: readonly ValueLoader[];
  private readonly evaluate: Evaluator;
  private truths = new Uint8Array(0);

  constructor(step: Extract<Step, { kind: 'filter' }>, view: ColumnView, context: ChunkContext) {
    const { condition, loads } = bindCondition(step.expression.ast, view.columns);
    this.loaders = loads.map(({ column, as }) => loaderOf(view.sources[column]!, as, context));
    const vectors = this.loaders.map((loader) => loader.vector);
    this.evaluate = createEvaluator(condition, { context, vectors, sources: view.sources });
  }

  apply(batch: Batch, sink: OperatorSink): void {
    for (const loader of this.loaders) loader.apply(batch, sink);
    const { selection, selectedCount } = batch;
    if (this.truths.length < selectedCount) this.truths = new Uint8Array(selection.length);
    const { truths } = this;
    this.evaluate(batch, selection, selectedCount, truths);
    let kept = 0;
    for (let i = 0; i < selectedCount; i++) {
      if (truths[i] === Truth.yes) selection[kept++] = selection[i]!;
    }
    batch.selectedCount = kept;
    sink.filtered(selectedCount - kept);
  }
}

/** Holds columns to the types that the plan states. */
export class ConformOperator implements Operator {
  private readonly loaders: readonly ValueLoader[];

  constructor(step: Extract<Step, { kind: 'conform' }>, view: ColumnView, context: ChunkContext) {
    this.loaders = step.columns.flatMap((name) => {
      const source = sourceOf(view, name);
      const { type } = context.columns[source]!;
      return type === 'string' ? [] : [loaderOf(source, type, context)];
    });
  }

  apply(batch: Batch, sink: OperatorSink): void {
    for (const loader of this.loaders) loader.apply(batch, sink);
  }
}

/** Looks at the records as they pass. */
export class ProfileOperator implements Operator {
  private readonly accumulator: ProfileAccumulator;

  constructor(
    step: Extract<Step, { kind: 'profile' }>,
    view: ColumnView,
    context: ChunkContext,
    kernel: ProfileKernel | null,
  ) {
    const columns = context.columns.map((column, field) => {
      const position = view.sources.indexOf(field);
      return view.columns[position] ?? column;
    });
    const { dialect, nullstr } = context;
    const positions = step.columns.map((name) => sourceOf(view, name));
    this.accumulator = new ProfileAccumulator({ columns, positions, dialect, nullstr, kernel });
  }

  apply(batch: Batch): void {
    this.accumulator.add(batch);
  }

  toPartial(): Uint8Array {
    return this.accumulator.toPartial();
  }
}

/** Takes records into groups; none is left behind it. */
export class AggregateOperator implements Operator {
  private readonly accumulator: Aggregate;

  constructor(
    step: Extract<Step, { kind: 'aggregate' }>,
    view: ColumnView,
    context: ChunkContext,
    kernel: AggregateKernel | null,
  ) {
    const { columns, dialect, nullstr, onError } = context;
    const options = { columns, dialect, nullstr, onError };
    this.accumulator = createAggregate(aggregateSpec(step, view), options, kernel);
  }

  apply(batch: Batch, sink: OperatorSink): void {
    const taken = this.accumulator.add(batch, (fault) => {
      sink.reject(fault);
    });
    batch.selectedCount = 0;
    sink.aggregated(taken);
  }

  toPartial(): Uint8Array {
    return this.accumulator.toPartial();
  }
}

/** An aggregate step against the fields of the input. */
export function aggregateSpec(
  step: Extract<Step, { kind: 'aggregate' }>,
  view: ColumnView,
): AggregateSpec {
  return {
    by: step.by.map((name) => sourceOf(view, name)),
    measures: step.measures.map(({ function: fn, column }) => ({
      function: fn,
      column: column === null ? null : sourceOf(view, column),
    })),
  };
}

/** The view behind a step that maps columns: nothing is copied. */
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
      return { columns, sources: view.sources };
    }
    case 'conform':
    case 'filter':
    case 'profile':
    case 'aggregate':
      return view;
  }
}

function pick(view: ColumnView, positions: readonly number[]): ColumnView {
  return {
    columns: positions.map((position) => view.columns[position]!),
    sources: positions.map((position) => view.sources[position]!),
  };
}

function loaderOf(
  column: number,
  as: ConstructorParameters<typeof ValueLoader>[0]['as'],
  context: ChunkContext,
): ValueLoader {
  return new ValueLoader({ column, as }, context.columns[column]!, context);
}

function sourceOf(view: ColumnView, name: string): number {
  return view.sources[positionOf(view, name)]!;
}

function positionOf(view: ColumnView, name: string): number {
  const found = findColumn(view.columns, name);
  invariant('position' in found, 'a compiled plan names columns that are there');
  return found.position;
}
