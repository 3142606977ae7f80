import type { MeasureFunction } from '../plan/step.ts';
import type { ColumnType } from '../protocol/job.ts';

/** One measure, its column by position in the input; null for `count(*)`. */
export interface AggregateMeasure {
  readonly function: MeasureFunction;
  readonly column: number | null;
}

/** What to group and measure, against the input's columns. */
export interface AggregateSpec {
  /** Positions of the key columns; none for one group of everything. */
  readonly by: readonly number[];
  readonly measures: readonly AggregateMeasure[];
}

/** What a partial is about: enough to merge and print it without its input. */
export interface AggregateShape {
  readonly keyTypes: readonly ColumnType[];
  readonly measures: readonly {
    readonly function: MeasureFunction;
    /** Type of the measured values; null for `count(*)`. */
    readonly type: ColumnType | null;
  }[];
}

/** The shape of a spec. Sums and means of a text column read its texts as numbers. */
export function shapeOf(
  spec: AggregateSpec,
  columns: readonly { readonly type: ColumnType }[],
): AggregateShape {
  return {
    keyTypes: spec.by.map((column) => columns[column]!.type),
    measures: spec.measures.map((measure) => ({
      function: measure.function,
      type: measuredType(measure, columns),
    })),
  };
}

function measuredType(
  measure: AggregateMeasure,
  columns: readonly { readonly type: ColumnType }[],
): ColumnType | null {
  if (measure.column === null) return null;
  const { type } = columns[measure.column]!;
  const isSum = !['count', 'min', 'max'].includes(measure.function);
  return isSum && type !== 'integer' ? 'number' : type;
}
