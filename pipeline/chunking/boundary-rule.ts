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

function meanDistanceBytes(chunkBytes: number, limits: ChunkLimits): number {
  if (chunkBytes < limits.targetBytes) return limits.targetBytes * 4;
  if (chunkBytes < limits.easeBytes) return limits.targetBytes / 2;
  return limits.targetBytes / 8;
}

/** MurmurHash3's mixing (A. Appleby, public domain algorithm) over single bytes. */
function hash32(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0xcc9e2d51);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= end - start;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
