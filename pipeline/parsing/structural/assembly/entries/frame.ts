import { Keys } from './keys';

/** Entries by place, and the order they are written in. Records are slices of a text of their own, or
 *  of that of the keys. */
@unmanaged
export class EntryFrame extends Keys {
  recordText: usize;
  recordStarts: usize;
  recordEnds: usize;
  order: usize;
  count: u32;
  /** Written to; sixteen bytes behind it are scratch. */
  output: usize;
  outputBytes: u32;
  /** Out: bytes written. */
  outputLength: u32;
}
