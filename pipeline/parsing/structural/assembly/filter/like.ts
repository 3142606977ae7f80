// LIKE without `_`: texts in a given order, with anything between them.
import { matches } from '../profile/blocks';

/** A pattern as instructions refer to it: `pieces` are the texts between the `%`, pointer and length
 *  each. Without `%` there is one piece, and it is the whole text. */
@unmanaged
export class LikePattern {
  pieces: usize;
  pieceCount: u32;
  /** Bytes of all pieces. */
  length: u32;
}

/** The first piece begins the text, the last one ends it; those between follow one another: each is
 *  taken where it comes first. */
export function isLike(pattern: LikePattern, p: usize, length: u32): bool {
  if (length < pattern.length) return false;
  const last = pattern.pieceCount - 1;
  const head = pieceLength(pattern, 0);
  if (last == 0 && head != length) return false;
  if (!isSame(p, piece(pattern, 0), head)) return false;
  if (last == 0) return true;
  const tail = pieceLength(pattern, last);
  const end = p + length - tail;
  if (!isSame(end, piece(pattern, last), tail)) return false;
  let at = p + head;
  for (let i: u32 = 1; i < last; i++) {
    const many = pieceLength(pattern, i);
    if (many == 0) continue;
    at = find(at, end, piece(pattern, i), many);
    if (at == 0) return false;
    at += many;
  }
  return true;
}

@inline
function piece(pattern: LikePattern, i: u32): usize {
  return load<u32>(pattern.pieces + (<usize>i << 3));
}

@inline
function pieceLength(pattern: LikePattern, i: u32): u32 {
  return load<u32>(pattern.pieces + (<usize>i << 3), 4);
}

/** Where the text at `wanted`, of a byte at least, first stands in [from, end); 0 for nowhere. */
function find(from: usize, end: usize, wanted: usize, length: u32): usize {
  const first = load<u8>(wanted);
  const last = load<u8>(wanted + length - 1);
  for (let at = from; at + length <= end; at += 16) {
    let places = matches(v128.load(at), first) & matches(v128.load(at + length - 1), last);
    for (; places != 0; places &= places - 1) {
      const place = at + ctz(places);
      if (place + length > end) return 0;
      if (isSame(place, wanted, length)) return place;
    }
  }
  return 0;
}

@inline
function isSame(a: usize, b: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i += 16) {
    const others = matches(v128.xor(v128.load(a + i), v128.load(b + i)), 0) ^ 0xffff;
    if (length - i >= 16 ? others != 0 : (others & ((1 << (length - i)) - 1)) != 0) return false;
  }
  return true;
}
