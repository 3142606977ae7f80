import { createAggregate, type Aggregate } from '../aggregation/aggregate.ts';
import type { AggregateKernel } from '../aggregation/aggregate-kernel.ts';
import { shapeOf, type AggregateSpec } from '../aggregation/shape.ts';
import { ValueCollector } from '../exchange/value-entries.ts';
import type { Step } from '../plan/step.ts';
import { ProfileAccumulator } from '../profile/profile-accumulator.ts';
import type { ProfileKernel } from '../profile/profile-kernel.ts';
import type { Batch } from './batch.ts';
import { positionOf, sourceOf, type ColumnView } from './column-view.ts';
import { tellsEmpty, type ChunkContext } from './context.ts';
import type { Operator, OperatorSink } from './operator.ts';
import { RenderedCells } from './rendered-cells.ts';
import { ValueLoader } from './value-loader.ts';
import { ValueVector } from './vectors.ts';

/** Holds columns to the types that the plan states. */
export class ConformOperator implements Operator {
  private readonly loaders: readonly ValueLoader[];

  constructor(step: Extract<Step, { kind: 'conform' }>, view: ColumnView, context: ChunkContext) {
    this.loaders = step.columns.flatMap((name) => {
      const column = sourceOf(view, name);
      const { type } = view.columns[positionOf(view, name)]!;
      // What was computed as a value is of its type.
      if (type === 'string' || view.vectors[column] instanceof ValueVector) return [];
      return [new ValueLoader({ column, as: type }, view, context)];
    });
  }

  apply(batch: Batch, sink: OperatorSink): void {
    for (const loader of this.loaders) loader.apply(batch, sink);
  }
}

/** Looks at the records as they pass. Computed columns are shown to it as the text they become. */
export class ProfileOperator implements Operator {
  private readonly accumulator: ProfileAccumulator;
  private readonly rendering: RenderedCells | null;

  constructor(
    step: Extract<Step, { kind: 'profile' }>,
    view: ColumnView,
    context: ChunkContext,
    kernel: ProfileKernel | null,
  ) {
    const sources = step.columns.map((name) => sourceOf(view, name));
    const isDetailed = step.detail === true;
    if (sources.every((source) => view.vectors[source] === null)) {
      const columns = context.columns.map((column, field) => {
        const position = view.sources.indexOf(field);
        return view.columns[position] ?? column;
      });
      const { dialect, nullstr } = context;
      this.accumulator = new ProfileAccumulator({
        ...{ columns, positions: sources, dialect, nullstr, kernel, isDetailed },
        tellsEmpty: tellsEmpty(context),
      });
      this.rendering = null;
      return;
    }
    const columns = step.columns.map((name) => view.columns[positionOf(view, name)]!);
    this.rendering = new RenderedCells(view, sources, context);
    const { dialect } = this.rendering;
    const nulls = { nullstr: [], tellsEmpty: true };
    this.accumulator = new ProfileAccumulator({ columns, dialect, ...nulls, isDetailed });
  }

  apply(batch: Batch): void {
    this.accumulator.add(this.rendering === null ? batch : this.rendering.render(batch));
  }

  toPartial(): Uint8Array {
    return this.accumulator.toPartial();
  }
}

/** Takes records into groups; none is left behind it. */
export class AggregateOperator implements Operator {
  /** Takes the values of its spread measures, where the next wave takes them together. */
  readonly values: ValueCollector | null;
  private readonly accumulator: Aggregate;

  constructor(
    step: Extract<Step, { kind: 'aggregate' }>,
    view: ColumnView,
    context: ChunkContext,
    kernel: AggregateKernel | null,
  ) {
    const { dialect, nullstr, onError } = context;
    const { inputs: columns, vectors } = view;
    const nulls = { nullstr, tellsEmpty: tellsEmpty(context) };
    const spec = aggregateSpec(step, view);
    const isSpreading = context.exchange?.kind === 'values';
    this.values = isSpreading ? new ValueCollector(shapeOf(spec, columns)) : null;
    const options = { columns, vectors, dialect, ...nulls, onError };
    const values = this.values ?? undefined;
    this.accumulator = createAggregate(spec, { ...options, values }, isSpreading ? null : kernel);
  }

  apply(batch: Batch, sink: OperatorSink): void {
    const taken = this.accumulator.add(batch, (fault) => {
      sink.reject(fault);
    });
    batch.selectedCount = 0;
    sink.aggregated(taken);
  }

  /** Takes records whose cells do not matter. */
  count(recordCount: number): void {
    this.accumulator.count(recordCount);
  }

  toPartial(): Uint8Array {
    return this.accumulator.toPartial();
  }

  toGroups(): Uint8Array {
    return this.accumulator.toGroups();
  }
}

/** An aggregate step against the sources of its view. */
export function aggregateSpec(
  step: Extract<Step, { kind: 'aggregate' }>,
  view: ColumnView,
): AggregateSpec {
  const positioned = <Key extends { readonly column: string }>(key: Key) => ({
    ...key,
    column: sourceOf(view, key.column),
  });
  return {
    by: step.by.map((name) => sourceOf(view, name)),
    measures: step.measures.map(({ function: fn, column, distinct, parameter, order, filter }) => ({
      function: fn,
      ...(distinct === undefined ? {} : { distinct }),
      ...(parameter === undefined ? {} : { parameter }),
      column: column === null ? null : sourceOf(view, column),
      ...(order === undefined ? {} : { order: order.map(positioned) }),
      ...(filter === undefined ? {} : { filter: sourceOf(view, filter) }),
    })),
  };
}
