// Selected records as delimited text, by copying slices of the input: what pipeline/execution/
// csv-kernel.ts calls. Nothing is quoted or unquoted here; records with flags are left to the caller.
import { FieldFrame } from '../field';

const LF: u8 = 0x0a;
/** A quoted empty text, as a little-endian number: what a lone empty field becomes. */
const EMPTY_TEXT: u16 = 0x2222;
/** Room kept free behind what fits: a copy may run 15 bytes too far, and a line end follows. */
const SLACK: usize = 32;
/** From here on a call is faster than a loop. */
const CALL_BYTES: u32 = 256;

@unmanaged
export class OutputFrame extends FieldFrame {
  recordStarts: usize;
  recordEnds: usize;
  /** A byte for each record. */
  recordFlags: usize;
  selection: usize;
  selectedCount: u32;
  /** Columns that stand side by side in input and output, first and last one, 8 bytes each. */
  spans: usize;
  spanCount: u32;
  delimiter: u32;
  /** There is one column, in which an empty field is quoted. */
  isLone: u32;
  /** The area written to, and from where on a run is too long for `writeRuns`. */
  output: usize;
  outputBytes: u32;
  runBytesMax: u32;
  /** Out: bytes written; and the place behind a run that is too long for `writeRuns`, or 0. */
  outputLength: u32;
  runEnd: u32;
}

/** Writes the selected records from place `from` on, span by span, until one has flags or does not
 *  fit any more. Returns its place. */
export function writeRecords(frame: OutputFrame, from: u32): u32 {
  const limit = frame.output + frame.outputBytes - SLACK;
  const count = frame.selectedCount;
  const delimiter = u8(frame.delimiter);
  const isLone = frame.isLone != 0;
  let at = frame.output;
  let i = from;
  for (; i < count; i++) {
    if (hasFlags(frame, i)) break;
    const end = writeRecord(frame, i, at, limit, delimiter);
    if (end == 0) break;
    if (isLone && end == at + 1) {
      store<u16>(at, EMPTY_TEXT);
      store<u8>(at, LF, 2);
      at += 3;
    } else at = end;
  }
  frame.outputLength = u32(at - frame.output);
  return i;
}

/** Returns where the record ends, line end included; 0 when it does not fit. */
@inline
function writeRecord(
  frame: OutputFrame,
  i: u32,
  start: usize,
  limit: usize,
  delimiter: u8,
): usize {
  const firstField = <usize>load<u32>(frame.firstFields + (<usize>i << 2)) << 2;
  const fieldStarts = frame.fieldStarts + firstField;
  const fieldEnds = frame.fieldEnds + firstField;
  const spansEnd = frame.spans + (<usize>frame.spanCount << 3);
  let at = start;
  for (let span = frame.spans; span < spansEnd; span += 8) {
    const from = load<u32>(fieldStarts + (<usize>load<u32>(span) << 2));
    const length = load<u32>(fieldEnds + (<usize>load<u32>(span, 4) << 2)) - from;
    if (at + length > limit) return 0;
    copySlice(at, frame.text + from, length);
    at += length;
    store<u8>(at++, delimiter);
  }
  store<u8>(at - 1, LF);
  return at;
}

/** Writes the selected records from place `from` on as they stand in the text, runs of neighbours at
 *  once, until a record has flags, or a run is too long or does not fit any more. Returns the place
 *  of its first record. */
export function writeRuns(frame: OutputFrame, from: u32): u32 {
  const limit = frame.output + frame.outputBytes - SLACK;
  let at = frame.output;
  let i = from;
  frame.runEnd = 0;
  while (i < frame.selectedCount) {
    if (hasFlags(frame, i)) break;
    const next = endOfRun(frame, i);
    const start = startOf(frame, i);
    const length = endOf(frame, next - 1) - start;
    if (length >= frame.runBytesMax) {
      frame.runEnd = next;
      break;
    }
    if (at + length > limit) break;
    copySlice(at, frame.text + start, length);
    at += length;
    if (frame.isLone != 0 && length == 0) {
      store<u16>(at, EMPTY_TEXT);
      at += 2;
    }
    store<u8>(at++, LF);
    i = next;
  }
  frame.outputLength = u32(at - frame.output);
  return i;
}

/** Place behind the run that begins with the selected record at place `i`: records that follow one
 *  another in the text, with an LF between them. A lone empty field is alone. */
function endOfRun(frame: OutputFrame, i: u32): u32 {
  const count = frame.selectedCount;
  const isLone = frame.isLone != 0;
  let end = endOf(frame, i);
  if (isLone && end == startOf(frame, i)) return i + 1;
  let next = i + 1;
  for (; next < count; next++) {
    if (startOf(frame, next) != end + 1 || load<u8>(frame.text + end) != LF) break;
    if (hasFlags(frame, next)) break;
    const nextEnd = endOf(frame, next);
    if (isLone && nextEnd == end + 1) break;
    end = nextEnd;
  }
  return next;
}

@inline
function recordAt(frame: OutputFrame, i: u32): usize {
  return load<u32>(frame.selection + (<usize>i << 2));
}

@inline
function startOf(frame: OutputFrame, i: u32): u32 {
  return load<u32>(frame.recordStarts + (recordAt(frame, i) << 2));
}

@inline
function endOf(frame: OutputFrame, i: u32): u32 {
  return load<u32>(frame.recordEnds + (recordAt(frame, i) << 2));
}

@inline
function hasFlags(frame: OutputFrame, i: u32): bool {
  return load<u8>(frame.recordFlags + recordAt(frame, i)) != 0;
}

@inline
function copySlice(to: usize, from: usize, length: u32): void {
  if (length > CALL_BYTES) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: u32 = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}
