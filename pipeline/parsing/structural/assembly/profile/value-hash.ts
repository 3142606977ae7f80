// The 64-bit hash of pipeline/profile/value-hash.ts: the same value for the same bytes.
import { loadPadded } from './blocks';

/** First digits of pi's fraction: nothing hidden in them. */
const SEED: u64 = 0x243f6a8885a308d3;

/** Hash of a value of at most sixteen bytes, given zero-padded. */
@inline
export function hashOfBlock(block: v128, length: u32): u64 {
  return finish(mix(SEED, block), length);
}

/** Hash of a value of 17 to 32 bytes, given zero-padded. */
@inline
export function hashOfTwoBlocks(head: v128, tail: v128, length: u32): u64 {
  return finish(mix(mix(SEED, head), tail), length);
}

/** Hash of a value of any length from 1. */
export function hashOfBytes(p: usize, length: u32): u64 {
  let hash = SEED;
  let left = length;
  for (; left > 16; left -= 16, p += 16) hash = mix(hash, v128.load(p));
  return finish(mix(hash, loadPadded(p, left)), length);
}

@inline
function mix(hash: u64, block: v128): u64 {
  hash = (hash ^ i64x2.extract_lane(block, 0)) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 32;
  hash = (hash ^ i64x2.extract_lane(block, 1)) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

@inline
function finish(hash: u64, length: u32): u64 {
  hash = (hash ^ u64(length)) * 0xbf58476d1ce4e5b9;
  return hash ^ (hash >> 32);
}
