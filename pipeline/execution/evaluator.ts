import type { Condition, SharedValue } from '../plan/expression/bound.ts';
import type { Batch } from './batch.ts';
import type { ColumnView } from './column-view.ts';
import type { ChunkContext } from './context.ts';
import type { RecordFaults } from './record-faults.ts';
import type { ValueVector, Vector } from './vectors.ts';

/**
 * Evaluates a condition for `count` records of a batch, whose positions are in `records`. `out[i]`
 * becomes the truth of `records[i]`.
 */
export type Evaluator = (
  batch: Batch,
  records: Uint32Array,
  count: number,
  out: Uint8Array,
) => void;

/** What evaluators read besides the batch. */
export interface EvaluatorScope {
  readonly context: ChunkContext;
  /** Loaded columns, by number of the load. */
  readonly vectors: readonly ValueVector[];
  /** The columns that the expression names. */
  readonly view: ColumnView;
  /** Takes the records for which there is no value. */
  readonly faults: RecordFaults;
  /** Values that several places read, once they were computed for a batch. */
  readonly shared: Map<SharedValue, Vector>;
  /** Builds the evaluator of a condition that stands within a value. */
  evaluatorOf(condition: Condition): Evaluator;
}
