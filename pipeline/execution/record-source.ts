import type { Kernel } from '../parsing/structural/kernel.ts';
import type { Column } from '../protocol/job.ts';
import type { RecordOrigin } from '../result/relative-reject.ts';
import type { Batch } from './batch.ts';

/** A record that cannot be read, or a record's place: relative to the chunk, all from 0. */
export interface RecordPlace {
  readonly record: number;
  readonly line: number;
  /** The record's bytes in the chunk, line end excluded. */
  readonly rawStart: number;
  readonly rawEnd: number;
  /** Only of a record of an earlier wave that says what of the input it is. */
  readonly origin?: RecordOrigin;
}

export interface SourceFault extends RecordPlace {
  /** Column from 0, or -1 for the record as a whole. */
  readonly column: number;
  readonly code: string;
  readonly message: string;
  /** Number of the plan's step that rejects it; null or left out where the record is unreadable. */
  readonly step?: number | null;
}

/** A batch of readable records, all selected, and the unreadable ones among them. */
export interface SourceBatch {
  readonly batch: Batch;
  /** Records read, readable or not. */
  readonly recordCount: number;
  readonly faults: readonly SourceFault[];
  /** Place of a record of the batch's index. */
  placeOf(record: number): RecordPlace;
}

/** Readable records that were only counted: nothing is known of where they are. */
export interface CountedRecords {
  readonly batch: null;
  readonly recordCount: number;
}

/** Reads a chunk batch by batch. What a batch holds is valid until the next is asked for. */
export interface RecordSource {
  batches(bytes: Uint8Array): Iterable<SourceBatch>;
  /** The same where records need only be counted, if it can. */
  countedBatches?(bytes: Uint8Array): Iterable<SourceBatch | CountedRecords>;
  /** What the batches' bytes and index lie in, where there is one. */
  readonly kernel: Kernel | null;
  /** Line ends in the chunk that was read last. */
  readonly lines: number;
}

/** Name of a column, where there is one. */
export function columnNameOf(columns: readonly Column[], column: number): string | null {
  return columns[column]?.name ?? null;
}
