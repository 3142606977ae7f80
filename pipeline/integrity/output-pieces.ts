import { createHash } from 'node:crypto';

/** A result that is stored as one object is hashed in pieces of so many bytes: a range reads few. */
export const RESULT_PIECE_BYTES = 4 * 1024 * 1024;

/** sha256 of each piece, in order. */
export function pieceHashes(bytes: Uint8Array): string[] {
  const hashes: string[] = [];
  for (let start = 0; start < bytes.length; start += RESULT_PIECE_BYTES) {
    const piece = bytes.subarray(start, start + RESULT_PIECE_BYTES);
    hashes.push(createHash('sha256').update(piece).digest('hex'));
  }
  return hashes;
}
