import type { Batch } from './batch.ts';
import type { OperatorSink } from './operator.ts';

/** What a task leaves: its output, and the index of it where another wave reads it. */
export interface SinkOutput {
  readonly output: Uint8Array[];
  readonly exchange: Uint8Array;
  /** Records in the output. */
  readonly records: number;
  /** Records left out as duplicates; others that are not in the output are filtered. */
  readonly deduplicated: number;
  /** Groups in the output, which are none of the records that came; none when left out. */
  readonly groups?: number;
}

/** Takes the records that come through the operators. */
export interface RecordSink {
  /** Reads what it needs; records for which that fails leave the selection. */
  prepare(batch: Batch, sink: OperatorSink): void;
  take(batch: Batch): void;
  /** Bytes taken so far. */
  readonly length: number;
  finish(): SinkOutput;
}
