import type { Batch, Fault } from './batch.ts';

/** Takes what operators take out of a batch. */
export interface OperatorSink {
  /** A record that could not be taken. The operator has removed it from the selection. */
  reject(fault: Fault): void;
  /** Records that a filter did not let through. */
  filtered(count: number): void;
  /** Records that did not meet a check that counts. */
  warned(check: number, count: number): void;
  /** Records that became part of a group. */
  aggregated(count: number): void;
}

/**
 * One step at work. `apply` sees a batch of whole records and narrows its selection; it never
 * copies a record, and never keeps a reference to the batch, whose arrays are reused.
 */
export interface Operator {
  apply(batch: Batch, sink: OperatorSink): void;
}

/** A step behind which there may be more records than before. Gives them in batches of their own,
 *  each valid until the next is asked for. */
export interface Widener {
  widen(batch: Batch, sink: OperatorSink): Iterable<Batch>;
}
