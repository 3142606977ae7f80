// One field of a record: where its unquoted text is, and whether it is NULL.
import { holds, loadPadded } from '../profile/blocks';
import { Frame } from './frame';

/** What `findField` found. */
export let fieldAt: usize = 0;
export let fieldLength: u32 = 0;

/** Points at field `position` of the selected record `i`; false when its text does not stand there
 *  as it is. */
@inline
export function findField(frame: Frame, i: u32, position: u32): bool {
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

/** Whether the field that was found is NULL. */
@inline
export function isNullField(frame: Frame): bool {
  if (fieldLength == 0) return frame.emptyIsNull != 0;
  return frame.nullTextCount != 0 && isNullText(frame);
}

function isNullText(frame: Frame): bool {
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
