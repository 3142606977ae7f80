import type { Dialect } from '../parsing/dialect.ts';
import type { RecordIndex } from '../parsing/record-index.ts';

/**
 * A run of records on their way through the operators: bytes, their structure, and which of them
 * are still in play. Operators narrow the selection; nobody copies a record before output.
 */
export interface Batch {
  /** They outlive the run: output may share them. */
  readonly bytes: Uint8Array;
  /** How the field slices are quoted. */
  readonly dialect: Dialect;
  readonly index: RecordIndex;
  /** Ascending positions of the selected records in `index`; valid up to `selectedCount`. Every
   *  selected record has as many fields as the context has columns. */
  readonly selection: Uint32Array;
  selectedCount: number;
  /** Behind a join: the position in the source's batch of the record that each one comes of. */
  readonly origins?: Uint32Array;
}

/** A record that an operator could not take: a type-error, for instance. */
export interface Fault {
  /** Position in the batch's index. */
  readonly record: number;
  /** Input column, or -1 for the whole record. */
  readonly column: number;
  /** Frictionless code: 'type-error', 'missing-cell', ... */
  readonly code: string;
  readonly message: string;
}

/** Flag of a record, beside `RecordFlag`: a field was blanked or added, so the record's bytes are not
 *  its fields any more; each field by itself is as good as before. */
export const ALTERED_RECORD = 0x80;
