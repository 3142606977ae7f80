// Groups by key: an open-addressing table of slots, eight bytes each, of the key's hash above the
// group's number plus one; 0 is free. Groups lie one behind another in order of first appearance:
// key (16 bytes, zero-padded), its length, its place in the arena when it is longer, its hash, how
// many records; then the state of each measured column.
import { BLOCK_RECORDS, BlockKey, Frame, KEY_STEP, keyOf } from './frame';

/** Slots at the start: more than enough for a block. */
const SLOTS_MIN: u32 = 1024;
/** Groups of some 100 bytes, with their slots, that fit the nearest cache. */
const NEAR_GROUPS: u32 = 256;

@unmanaged
export class Group {
  first: u64;
  second: u64;
  length: u32;
  pointer: usize;
  hash: u32;
  recordCount: u32;
}

export function clearGroups(frame: Frame): void {
  frame.groupCount = 0;
  frame.arenaUsed = 0;
  frame.slotCount = SLOTS_MIN;
  memory.fill(frame.slots, 0, <usize>SLOTS_MIN << 3);
}

/** Whether the groups of a whole block have room. */
@inline
export function hasRoomForBlock(frame: Frame): bool {
  return (
    frame.groupCount + BLOCK_RECORDS <= frame.groupCountMax &&
    frame.arenaUsed + BLOCK_RECORDS * KEY_STEP <= frame.arenaBytes
  );
}

/** Makes the table at most 60 % full with a block more. There are slots for `groupCountMax`. */
export function growForBlock(frame: Frame): void {
  const count = frame.groupCount + BLOCK_RECORDS;
  if (count * 5 <= frame.slotCount * 3) return;
  frame.slotCount *= 2;
  memory.fill(frame.slots, 0, <usize>frame.slotCount << 3);
  const mask = frame.slotCount - 1;
  for (let number: u32 = 0; number < frame.groupCount; number++) {
    const hash = groupOf(frame, number).hash;
    let slot = hash & mask;
    while (load<u64>(frame.slots + (<usize>slot << 3)) != 0) slot = (slot + 1) & mask;
    store<u64>(frame.slots + (<usize>slot << 3), (u64(hash) << 32) | u64(number + 1));
  }
}

@inline
export function groupOf(frame: Frame, number: u32): Group {
  return changetype<Group>(frame.groups + <usize>number * frame.groupBytes);
}

/** Whether slots and groups are more than what the nearest cache holds. */
@inline
export function isSpread(frame: Frame): bool {
  return frame.groupCount > NEAR_GROUPS;
}

/** The group of all records, where there are no key columns. */
export function onlyGroup(frame: Frame): Group {
  const key = keyOf(frame, 0);
  key.first = 0;
  key.second = 0;
  key.length = 0;
  key.hash = 0;
  return findGroup(frame, key);
}

/** Loads the slot where the key's search begins, so that it is near when the search comes. */
@inline
export function touchSlot(frame: Frame, key: BlockKey): u32 {
  const slot = (key.hash & frame.hashMask) & (frame.slotCount - 1);
  return load<u32>(frame.slots + (<usize>slot << 3));
}

/** The same for the group that the search probably ends with. */
@inline
export function touchGroup(frame: Frame, key: BlockKey): u32 {
  const hash = key.hash & frame.hashMask;
  const entry = load<u64>(frame.slots + (<usize>(hash & (frame.slotCount - 1)) << 3));
  return u32(entry >> 32) == hash && entry != 0 ? groupOf(frame, u32(entry) - 1).length : 0;
}

/** The key's group; a new one has taken nothing. */
@inline
export function findGroup(frame: Frame, key: BlockKey): Group {
  const slots = frame.slots;
  const mask = frame.slotCount - 1;
  const hash = key.hash & frame.hashMask;
  let slot = hash & mask;
  while (true) {
    const entry = load<u64>(slots + (<usize>slot << 3));
    if (entry == 0) return appendGroup(frame, key, hash, slots + (<usize>slot << 3));
    if (u32(entry >> 32) == hash) {
      const group = groupOf(frame, u32(entry) - 1);
      if (isGroupOf(group, key)) return group;
    }
    slot = (slot + 1) & mask;
  }
}

/** The key's group; null when there is none where its search begins, and for long keys and records
 *  that are left. */
@inline
export function knownGroup(frame: Frame, key: BlockKey): Group | null {
  const hash = key.hash & frame.hashMask;
  const entry = load<u64>(frame.slots + (<usize>(hash & (frame.slotCount - 1)) << 3));
  if (entry == 0) return null;
  const group = groupOf(frame, u32(entry) - 1);
  const others = v128.xor(v128.load(changetype<usize>(group)), v128.load(changetype<usize>(key)));
  if (v128.any_true(others) || group.length != key.length || key.length > 16) return null;
  return group;
}

@inline
function isGroupOf(group: Group, key: BlockKey): bool {
  if (group.first != key.first || group.second != key.second) return false;
  if (group.length != key.length) return false;
  return key.length <= 16 || memory.compare(group.pointer, key.pointer, key.length) == 0;
}

function appendGroup(frame: Frame, key: BlockKey, hash: u32, slot: usize): Group {
  const number = frame.groupCount++;
  store<u64>(slot, (u64(hash) << 32) | u64(number + 1));
  const group = groupOf(frame, number);
  // Far faster than memory.fill for so few bytes; groups have whole words.
  for (let at: u32 = 0; at < frame.groupBytes; at += 8) {
    store<u64>(changetype<usize>(group) + at, 0);
  }
  group.first = key.first;
  group.second = key.second;
  group.length = key.length;
  group.hash = hash;
  if (key.length > 16) {
    group.pointer = frame.arena + frame.arenaUsed;
    memory.copy(group.pointer, key.pointer, key.length);
    // The bytes behind a text are read with it.
    frame.arenaUsed += (key.length + 31) & ~15;
  }
  return group;
}
