import type { Batch } from '../batch.ts';
import type { OperatorSink } from '../operator.ts';
import type { TextVector } from '../vectors.ts';
import type { KeyReader } from './key-reader.ts';
import { NO_MATCH, type LookupTable } from './lookup-table.ts';

/** Tells which records of a lookup match, by numbers of its own, in the order of the lookup. */
export interface Matcher {
  /** Reads the keys of a batch. Records with one that does not cast leave the selection. */
  load(batch: Batch, sink: OperatorSink): void;
  /** The first match of a record of the batch that was loaded, or NO_MATCH. */
  first(batch: Batch, record: number): number;
  /** The next match behind one, or NO_MATCH. */
  next(match: number): number;
  /** Makes the cell of an added column the text of `target` at `position`. */
  copyCell(match: number, column: number, target: TextVector, position: number): void;
}

/** Finds matches in a lookup that is held whole. */
export function tableMatcher(keys: KeyReader, table: LookupTable): Matcher {
  return {
    load: (batch, sink) => keys.load(batch, sink),
    first: (batch, record) =>
      keys.read(batch, record) ? table.first(keys.bytes, keys.length) : NO_MATCH,
    next: (match) => table.next(match),
    copyCell: (match, column, target, position) => table.copyCell(match, column, target, position),
  };
}
