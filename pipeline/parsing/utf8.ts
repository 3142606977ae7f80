import { isUtf8 } from 'node:buffer';
import { RecordFlag } from './record-index.ts';
import type { RecordIndex } from './record-index.ts';

/** Flags the records that are not UTF-8; true when there is none. `[start, end)` holds all of them;
 *  one pass if it is clean. */
export function flagInvalidUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
  index: RecordIndex,
): boolean {
  if (isUtf8(bytes.subarray(start, end))) return true;
  for (let record = 0; record < index.recordCount; record++) {
    const raw = bytes.subarray(index.recordStarts[record], index.recordEnds[record]);
    if (!isUtf8(raw)) index.recordFlags[record]! |= RecordFlag.invalidUtf8;
  }
  return false;
}
