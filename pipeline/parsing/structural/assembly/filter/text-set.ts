// A set of texts: an open-addressing table whose slots have 32 bytes: the first sixteen of the text,
// zero-padded; where the whole text is; its length plus one, 0 for a free slot; its hash.
import { loadPadded } from '../profile/blocks';
import { hashOfBlock, hashOfBytes } from '../profile/value-hash';

const SLOT_BYTES: usize = 32;
const LENGTH: usize = 20;
const HASH: usize = 24;
/** Of up to seven members. */
const FEW_SLOTS: u32 = 16;

/** A set as instructions refer to it. */
@unmanaged
export class TextSet {
  slots: usize;
  /** One less than the slots, a power of two of which at least one stays free. */
  mask: u32;
}

/** Adds the text at p, which stays there. The slots were zero at first. */
export function addMember(set: TextSet, p: usize, length: u32): void {
  const block = loadPadded(p, min<u32>(length, 16));
  const hash = hashOf(set, p, length, block);
  let slot = hash & set.mask;
  while (load<u32>(slotAt(set, slot), LENGTH) != 0) slot = (slot + 1) & set.mask;
  const at = slotAt(set, slot);
  v128.store(at, block);
  store<u32>(at, u32(p), 16);
  store<u32>(at, length + 1, LENGTH);
  store<u32>(at, hash, HASH);
}

/** Whether the set holds the text at p. */
export function isMember(set: TextSet, p: usize, length: u32): bool {
  const block = loadPadded(p, min<u32>(length, 16));
  const hash = hashOf(set, p, length, block);
  let slot = hash & set.mask;
  while (load<u32>(slotAt(set, slot), LENGTH) != 0) {
    if (isText(slotAt(set, slot), p, length, block, hash)) return true;
    slot = (slot + 1) & set.mask;
  }
  return false;
}

/** Whether there are so few members that `isOneOfFew` can be asked. */
@inline
export function hasFew(set: TextSet): bool {
  return set.mask < FEW_SLOTS;
}

/** Whether a set with few members holds the text of at most sixteen bytes that `block` is, padded
 *  with zeros. Goes by all of them: which one it is, if any, is hard to foresee. */
@inline
export function isOneOfFew(set: TextSet, block: v128, length: u32): u32 {
  let found: u32 = 0;
  let slot = set.slots;
  for (let tag = load<u32>(slot, LENGTH); tag != 0; tag = load<u32>(slot, LENGTH)) {
    const isOther = u32(v128.any_true(v128.xor(v128.load(slot), block)));
    found |= u32(tag == length + 1) & (isOther ^ 1);
    slot += SLOT_BYTES;
  }
  return found;
}

@inline
function isText(slot: usize, p: usize, length: u32, block: v128, hash: u32): bool {
  if (load<u32>(slot, LENGTH) != length + 1 || load<u32>(slot, HASH) != hash) return false;
  if (v128.any_true(v128.xor(v128.load(slot), block))) return false;
  return length <= 16 || memory.compare(load<u32>(slot, 16), p, length) == 0;
}

/** Few members stand one behind another: going through them costs less than a hash. */
@inline
function hashOf(set: TextSet, p: usize, length: u32, block: v128): u32 {
  if (set.mask < FEW_SLOTS) return 0;
  return u32(length <= 16 ? hashOfBlock(block, length) : hashOfBytes(p, length));
}

@inline
function slotAt(set: TextSet, slot: u32): usize {
  return set.slots + (<usize>slot << 5);
}
