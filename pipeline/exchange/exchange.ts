import type { AggregateShape } from '../aggregation/shape.ts';
import type { Column } from '../protocol/job.ts';
import type { JoinKey, Numbered, SortKey, Step } from '../plan/step.ts';

/**
 * What the tasks of one wave prepare for those of the next. Plain JSON, normalised: part of the
 * contexts of both waves.
 */
export type Exchange = Numbered & Prepared;

type Prepared =
  | {
      /** Each output is a run: its records in order (stable), with their keys beside them. */
      readonly kind: 'sort';
      readonly keys: readonly SortKey[];
      /** Records that a run keeps at most; null for all. */
      readonly take: number | null;
      readonly records: RecordForm;
    }
  | {
      /** Outputs in order; of all their records those from `offset` on are kept, `count` at most. */
      readonly kind: 'limit';
      readonly offset: number;
      readonly count: number | null;
      readonly records: RecordForm;
    }
  | {
      /** Each output is its records in order and, sorted, the different keys among them. */
      readonly kind: 'distinct';
      readonly by: readonly string[];
      /** Whether NULL equals NULL; if not, no record with a NULL among its keys is a duplicate. */
      readonly nullsEqual: boolean;
      readonly keep: 'first' | 'last';
      readonly onDuplicate: 'drop' | 'reject';
      readonly records: RecordForm;
    }
  | {
      /** Each output says, for the outputs whose keys it read, which of their records go. */
      readonly kind: 'duplicates';
      readonly by: readonly string[];
      readonly onDuplicate: 'drop' | 'reject';
      readonly records: RecordForm;
    }
  | {
      /** Each output is its records in order, with the number of its key, and, sorted, these keys. */
      readonly kind: 'probe';
      readonly on: readonly JoinKey[];
      readonly records: RecordForm;
    }
  | {
      /** Each output is the records of a part of a lookup, by key. They count as none. */
      readonly kind: 'build';
      readonly on: readonly JoinKey[];
      /** Columns of the lookup that a record of the output has. */
      readonly columns: readonly string[];
      /** Whether one record of each key is enough. */
      readonly keepsOne: boolean;
      readonly records: RecordForm;
    }
  | {
      /** Each output says, for the outputs whose keys it read, which records of the lookup match. */
      readonly kind: 'matches';
      readonly records: RecordForm;
    }
  | {
      /** Each output is its groups, in the order of their keys. The next wave merges them. */
      readonly kind: 'group';
      readonly shape: AggregateShape;
      /** Whether groups come of a wave that took their values together, or of two. */
      readonly reduced?: 'values' | 'picks';
      readonly records: RecordForm;
    }
  | {
      /** Each output is its groups, and the values that their measures need, in one order. */
      readonly kind: 'values';
      readonly shape: AggregateShape;
      readonly records: RecordForm;
    }
  | {
      /** Each output is its groups, with all that is known of them, and values at its ends whose
       *  places among all are not. */
      readonly kind: 'portions';
      readonly shape: AggregateShape;
      readonly records: RecordForm;
    };

/** How records stand in the output of a wave that is not the last. */
export interface RecordForm {
  /** Columns picked and named behind the keys, before a record is written. */
  readonly then: readonly Step[];
  /** Of records that further steps read, null for records as they are written at last: nothing but
   *  their order and number is of interest then. */
  readonly layout: RecordLayout | null;
}

/** The cells of a record between waves, see pipeline/execution/cells-writer.ts. */
export interface RecordLayout {
  /** Cells that are fields of the input, as they stand there. */
  readonly fields: readonly Column[];
  /** Cells that were computed. */
  readonly computed: readonly (Column & { readonly held: 'text' | 'value' })[];
  /** The columns in order, each by its place among the fields and, behind them, computed cells. */
  readonly columns: readonly (Column & { readonly cell: number })[];
  /** Where records say what of the input they are: left out where nothing behind can reject one. */
  readonly origins?: RecordOrigins;
}

export interface RecordOrigins {
  /** What records tell their places in: the chunk of the input that their result is of, which
   *  documents name, or the input. */
  readonly within: 'chunk' | 'input';
  /** By field: the column of the input that it is, from 0. */
  readonly columns: readonly { readonly position: number; readonly name: string }[];
}

/** Whether tasks have to be told which chunk of the input each slice of records is of. */
export function tellsChunks({ records }: Exchange): boolean {
  return records.layout?.origins?.within === 'chunk';
}
