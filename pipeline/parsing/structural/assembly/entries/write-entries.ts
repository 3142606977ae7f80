// Entries as pipeline/exchange/entry-writer.ts writes them, and records alone, in a given order.
import { EntryFrame } from './frame';

/** More than the two lengths before an entry take. */
const LENGTHS_BYTES_MAX: u32 = 10;
/** From here on a call is faster than a loop. */
const CALL_BYTES: u32 = 256;

/** Writes the entries from place `from` of the order on, until there are `blockBytes` of them, or the
 *  next one has no room. Returns the place behind the last. */
export function writeBlock(frame: EntryFrame, from: u32, blockBytes: u32): u32 {
  const output = frame.output;
  const limit = output + frame.outputBytes;
  let at = output;
  let place = from;
  while (place < frame.count && u32(at - output) < blockBytes) {
    const entry = <usize>load<u32>(frame.order + (<usize>place << 2)) << 2;
    const keyStart = load<u32>(frame.starts + entry);
    const keyLength = load<u32>(frame.ends + entry) - keyStart;
    const recordStart = load<u32>(frame.recordStarts + entry);
    const recordLength = load<u32>(frame.recordEnds + entry) - recordStart;
    if (at + keyLength + recordLength + LENGTHS_BYTES_MAX > limit) break;
    at = writeLength(at, keyLength);
    at = writeLength(at, recordLength);
    copy(at, frame.text + keyStart, keyLength);
    at += keyLength;
    copy(at, frame.recordText + recordStart, recordLength);
    at += recordLength;
    place++;
  }
  frame.outputLength = u32(at - output);
  return place;
}

/** Writes the records from place `from` of the order on, as many as have room. Returns the place
 *  behind the last. */
export function copyRecords(frame: EntryFrame, from: u32): u32 {
  const output = frame.output;
  const limit = output + frame.outputBytes;
  let at = output;
  let place = from;
  for (; place < frame.count; place++) {
    const entry = <usize>load<u32>(frame.order + (<usize>place << 2)) << 2;
    const start = load<u32>(frame.recordStarts + entry);
    const length = load<u32>(frame.recordEnds + entry) - start;
    if (at + length > limit) break;
    copy(at, frame.recordText + start, length);
    at += length;
  }
  frame.outputLength = u32(at - output);
  return place;
}

/** Seven bits a byte, low bits first. */
@inline
function writeLength(at: usize, value: u32): usize {
  while (value > 0x7f) {
    store<u8>(at++, u8(value) | 0x80);
    value >>= 7;
  }
  store<u8>(at, u8(value));
  return at + 1;
}

/** Sixteen bytes at a time: up to fifteen too many. */
@inline
function copy(to: usize, from: usize, length: u32): void {
  if (length > CALL_BYTES) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** Bytes of the longest key and record of one entry. */
export function longestEntry(frame: EntryFrame): u32 {
  let longest: u32 = 0;
  const end = <usize>frame.count << 2;
  for (let entry: usize = 0; entry < end; entry += 4) {
    const key = load<u32>(frame.ends + entry) - load<u32>(frame.starts + entry);
    const record = load<u32>(frame.recordEnds + entry) - load<u32>(frame.recordStarts + entry);
    longest = max(longest, key + record);
  }
  return longest;
}
