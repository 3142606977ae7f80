// Finds the entries of slices, see pipeline/exchange/entries.ts.
import { compareBytes } from '../profile/blocks';

/** A place in the order of entries: key, slice, position in the slice. */
@unmanaged
class Bound {
  /** 0 where there is none. */
  isGiven: u32;
  key: usize;
  keyLength: u32;
  slice: i32;
  entry: u32;
}

@unmanaged
class ReadFrame {
  text: usize;
  /** Offsets in the text, by entry. */
  keyStarts: usize;
  keyEnds: usize;
  recordEnds: usize;
  /** Entries found so far. */
  count: u32;
  lower: Bound;
  upper: Bound;
}

/** Where the number that was read last ends. */
let ended: usize = 0;

/** Entries of `[at, end)`. */
export function countEntries(at: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; at < end; count++) {
    const keyLength = readLength(at);
    const recordLength = readLength(ended);
    at = ended + keyLength + recordLength;
  }
  return count;
}

/** Adds those entries of `[start, end)` of the text that are in `[lower, upper)`; entries ascend. */
export function readEntries(frame: ReadFrame, start: u32, end: u32, slice: i32): void {
  const text = frame.text;
  const lower = frame.lower;
  const upper = frame.upper;
  let count = frame.count;
  let at = text + start;
  const last = text + end;
  let isBelow = lower.isGiven != 0;
  const hasUpper = upper.isGiven != 0;
  for (let entry: u32 = 0; at < last; entry++) {
    const keyLength = readLength(at);
    const recordLength = readLength(ended);
    const key = ended;
    at = key + keyLength + recordLength;
    if (isBelow) isBelow = isBefore(lower, key, keyLength, slice, entry);
    if (isBelow) continue;
    if (hasUpper && !isBefore(upper, key, keyLength, slice, entry)) break;
    const place = <usize>count << 2;
    const keyStart = u32(key - text);
    store<u32>(frame.keyStarts + place, keyStart);
    store<u32>(frame.keyEnds + place, keyStart + keyLength);
    store<u32>(frame.recordEnds + place, keyStart + keyLength + recordLength);
    count++;
  }
  frame.count = count;
}

@inline
function readLength(at: usize): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  let byte: u32;
  do {
    byte = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  ended = at;
  return value;
}

/** Whether an entry is before a bound. */
function isBefore(bound: Bound, key: usize, keyLength: u32, slice: i32, entry: u32): bool {
  const order = compareBytes(key, keyLength, bound.key, bound.keyLength);
  if (order != 0) return order < 0;
  return slice < bound.slice || (slice == bound.slice && entry < bound.entry);
}
