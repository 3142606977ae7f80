import { createHash } from 'node:crypto';

/** A result that is stored as one object is hashed in pieces of so many bytes: a range reads few. */
export const RESULT_PIECE_BYTES = 4 * 1024 * 1024;

/** sha256 of each piece, in order. */
export function pieceHashes(bytes: Uint8Array): string[] {
  const hasher = new PieceHasher();
  hasher.add(bytes);
  return hasher.finish();
}

/** Hashes the pieces of a result that comes in parts of any size. */
export class PieceHasher {
  /** Bytes so far. */
  byteCount = 0;
  private readonly hashes: string[] = [];
  private hash = createHash('sha256');

  add(part: Uint8Array): void {
    for (let at = 0; at < part.length;) {
      const room = RESULT_PIECE_BYTES - (this.byteCount % RESULT_PIECE_BYTES);
      const piece = part.subarray(at, at + room);
      this.hash.update(piece);
      this.byteCount += piece.length;
      at += piece.length;
      if (this.byteCount % RESULT_PIECE_BYTES === 0) this.endPiece();
    }
  }

  finish(): string[] {
    if (this.byteCount % RESULT_PIECE_BYTES > 0) this.endPiece();
    return this.hashes;
  }

  private endPiece(): void {
    this.hashes.push(this.hash.digest('hex'));
    this.hash = createHash('sha256');
  }
}
