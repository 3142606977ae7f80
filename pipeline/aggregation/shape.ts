import type { MeasureFunction, MeasureOptions, Ordering } from '../plan/step.ts';
import type { ColumnType } from '../protocol/job.ts';
import { isSpread } from './spread-functions.ts';

/** One measure, its columns by position in the input; the column is null for `count(*)`. */
export interface AggregateMeasure extends MeasureOptions {
  readonly function: MeasureFunction;
  readonly column: number | null;
  readonly order?: readonly (Ordering & { readonly column: number })[];
  /** Column of FILTER, of the functions that count NULL. */
  readonly filter?: number;
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
  readonly measures: readonly MeasureShape[];
}

export interface MeasureShape extends MeasureOptions {
  readonly function: MeasureFunction;
  /** Type of the measured values; null for `count(*)`. */
  readonly type: ColumnType | null;
  readonly order?: readonly (Ordering & { readonly type: ColumnType })[];
  /** Of a spread measure: the place of one before it that has the same values, which it takes. */
  readonly values?: number;
}

/** Functions of numbers. */
const NUMERIC = new Set<MeasureFunction>([
  ...(['sum', 'avg', 'stddev_samp', 'stddev_pop', 'var_samp', 'var_pop'] as const),
]);

/** The shape of a spec. Sums and means of a text column read its texts as numbers. */
export function shapeOf(
  spec: AggregateSpec,
  columns: readonly { readonly type: ColumnType }[],
): AggregateShape {
  return {
    keyTypes: spec.by.map((column) => columns[column]!.type),
    measures: spec.measures.map((measure, at) => {
      const { function: name, distinct, parameter, order } = measure;
      const values = sameValues(spec.measures.slice(0, at), measure, columns);
      return {
        ...{ function: name, type: measuredType(measure, columns) },
        ...(values < 0 ? {} : { values }),
        ...(distinct === undefined ? {} : { distinct }),
        ...(parameter === undefined ? {} : { parameter }),
        ...(order === undefined ? {} : { order: order.map((key) => typed(key, columns)) }),
      };
    }),
  };
}

/** The first of some measures that needs the same values as another one; -1 where none does. */
function sameValues(
  before: readonly AggregateMeasure[],
  measure: AggregateMeasure,
  columns: readonly { readonly type: ColumnType }[],
): number {
  if (!isSpread(measure)) return -1;
  const type = measuredType(measure, columns);
  return before.findIndex(
    (other) =>
      isSpread(other) && other.column === measure.column && measuredType(other, columns) === type,
  );
}

function typed(
  { desc, nulls, column }: Ordering & { readonly column: number },
  columns: readonly { readonly type: ColumnType }[],
): Ordering & { readonly type: ColumnType } {
  return { desc, nulls, type: columns[column]!.type };
}

function measuredType(
  measure: AggregateMeasure,
  columns: readonly { readonly type: ColumnType }[],
): ColumnType | null {
  if (measure.column === null) return null;
  const { type } = columns[measure.column]!;
  return NUMERIC.has(measure.function) && type !== 'integer' ? 'number' : type;
}
