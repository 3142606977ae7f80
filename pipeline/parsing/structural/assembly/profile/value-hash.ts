// The 64-bit hash of pipeline/profile/value-hash.ts: the same value for the same bytes.
import { loadPadded } from './blocks';

/** First digits of pi's fraction: nothing hidden in them. */
const SEED: u64 = 0x243f6a8885a308d3;

/** Hash of a value of at most sixteen bytes, given as two zero-padded little-endian words. */
@inline
export function hashOfWords(first: u64, second: u64, length: u32): u64 {
  return finish(mix(SEED, first, second), length);
}

/** Hash of a value of any length from 1. */
export function hashOfBytes(p: usize, length: u32): u64 {
  let hash = SEED;
  let left = length;
  for (; left > 16; left -= 16, p += 16) hash = mix(hash, load<u64>(p), load<u64>(p, 8));
  const last = loadPadded(p, left);
  return finish(mix(hash, i64x2.extract_lane(last, 0), i64x2.extract_lane(last, 1)), length);
}

@inline
function mix(hash: u64, first: u64, second: u64): u64 {
  hash = (hash ^ first) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 32;
  hash = (hash ^ second) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

@inline
function finish(hash: u64, length: u32): u64 {
  hash = (hash ^ u64(length)) * 0xbf58476d1ce4e5b9;
  return hash ^ (hash >> 32);
}
