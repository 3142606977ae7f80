// The selected records of a batch, and one field of a record: where its unquoted text is, and
// whether it is NULL.
import { holds, loadPadded } from './profile/blocks';

/** Where a batch is, and what its fields mean. pipeline/execution/kernel-batch.ts fills it. */
@unmanaged
export class FieldFrame {
  /** Pointers to areas of the kernel's memory; the rest says so. */
  text: usize;
  /** Offsets in the text, by field. */
  fieldStarts: usize;
  fieldEnds: usize;
  /** First field of each selected record. */
  firstFields: usize;
  /** Texts that stand for NULL: 16 bytes zero-padded, then the length, 32 bytes each. */
  nullTexts: usize;
  nullTextCount: u32;
  emptyIsNull: u32;
  /** A byte, or 256 for none. */
  quote: u32;
}

/** For texts with doubled quotes, one at a time; what reads them reads sixteen bytes at a time. */
export const SCRATCH_BYTES: u32 = 1024;
export const SCRATCH: usize = memory.data(1024 + 64);

/** What `findField` found. */
export let fieldAt: usize = 0;
export let fieldLength: u32 = 0;

/** Writes the first field of each of `count` selected records. */
export function fillFirstFields(
  recordFields: usize,
  selection: usize,
  count: u32,
  firstFields: usize,
): void {
  for (let at: usize = 0; at < <usize>count << 2; at += 4) {
    const record = load<u32>(selection + at);
    store<u32>(firstFields + at, load<u32>(recordFields + (<usize>record << 2)));
  }
}

/** Points at field `position` of the selected record `i`; false when its text does not stand there
 *  as it is. */
@inline
export function findField(frame: FieldFrame, i: u32, position: u32): bool {
  const field = load<u32>(frame.firstFields + (<usize>i << 2)) + position;
  const start = load<u32>(frame.fieldStarts + (<usize>field << 2));
  const length = load<u32>(frame.fieldEnds + (<usize>field << 2)) - start;
  fieldAt = frame.text + start;
  fieldLength = length;
  if (length == 0 || u32(load<u8>(fieldAt)) != frame.quote) return true;
  return unquote(u8(frame.quote));
}

function unquote(quote: u8): bool {
  const length = fieldLength;
  const p = fieldAt;
  if (length < 2 || load<u8>(p + length - 1) != quote || holds(p + 1, length - 2, quote)) {
    return false;
  }
  fieldAt = p + 1;
  fieldLength = length - 2;
  return true;
}

/** As `findField`, with doubled quotes resolved in `scratch`, which takes so many bytes and 64 more;
 *  false when the field is longer, or not quoted as RFC 4180 has it. */
@inline
export function findText(
  frame: FieldFrame,
  i: u32,
  position: u32,
  scratch: usize,
  scratchBytes: u32,
): bool {
  if (findField(frame, i, position)) return true;
  return unescape(u8(frame.quote), scratch, scratchBytes);
}

function unescape(quote: u8, scratch: usize, scratchBytes: u32): bool {
  const length = unescapeInto(scratch, scratchBytes, fieldAt, fieldLength, quote);
  if (length == MALFORMED) return false;
  fieldAt = scratch;
  fieldLength = length;
  return true;
}

/** Instead of a length: the field is too long, or not quoted as RFC 4180 has it. */
export const MALFORMED: u32 = 0xffffffff;

/** Copies the text of a field that begins with a quote, and returns its length. */
export function unescapeInto(
  target: usize,
  targetBytes: u32,
  p: usize,
  length: u32,
  quote: u8,
): u32 {
  const end = p + length - 1;
  if (length < 2 || length > targetBytes || load<u8>(end) != quote) return MALFORMED;
  let to = target;
  for (let from = p + 1; from < end; from++) {
    const byte = load<u8>(from);
    if (byte == quote && (++from == end || load<u8>(from) != quote)) return MALFORMED;
    store<u8>(to++, byte);
  }
  return u32(to - target);
}

/** Whether a field that reads as a number is one: no text stands for NULL, and the quote is none of
 *  a number's bytes. */
export function areNumbersPlain(frame: FieldFrame): bool {
  const quote = frame.quote;
  return frame.nullTextCount == 0 && (quote < 0x2d || quote > 0x39);
}

/** Whether the field that was found is NULL. */
@inline
export function isNullField(frame: FieldFrame): bool {
  if (fieldLength == 0) return frame.emptyIsNull != 0;
  return frame.nullTextCount != 0 && isNullText(frame);
}

function isNullText(frame: FieldFrame): bool {
  const length = fieldLength;
  if (length > 16) return false;
  const block = loadPadded(fieldAt, length);
  for (let i: u32 = 0; i < frame.nullTextCount; i++) {
    const text = frame.nullTexts + (<usize>i << 5);
    if (load<u32>(text, 16) == length && !v128.any_true(v128.xor(v128.load(text), block))) {
      return true;
    }
  }
  return false;
}
