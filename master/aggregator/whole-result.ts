import { createHash } from 'node:crypto';
import { SluiceError } from '../../pipeline/errors.ts';
import { PieceHasher, RESULT_PIECE_BYTES } from '../../pipeline/integrity/output-pieces.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { JobFacts } from '../storage/job-record.ts';

/** Whether a result is made at the end, as one object, and not of the chunks' outputs as they are. */
export function isWhole({
  shape,
  resultFormat,
}: Pick<JobFacts, 'shape' | 'resultFormat'>): boolean {
  return shape === 'aggregate' || resultFormat === 'parquet';
}

/** A result that is stored as one object. */
export interface WholeResult {
  readonly name: string;
  readonly bytes: number;
  /** sha256 of its pieces in order. */
  readonly hashes: readonly string[];
}

/**
 * Bytes `[start, end)` of it, each piece held against its hash before a byte of it comes. Throws
 * `blob-corrupt`, with the piece's place in `details`; errors of the store.
 */
export async function* wholeResultPieces(
  blobs: BlobStore,
  { name, bytes, hashes }: WholeResult,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end;) {
    const piece = Math.floor(at / RESULT_PIECE_BYTES);
    const from = piece * RESULT_PIECE_BYTES;
    const to = Math.min(from + RESULT_PIECE_BYTES, bytes);
    const stored = await blobs.getRange(name, from, to);
    if (createHash('sha256').update(stored).digest('hex') !== hashes[piece]) {
      const details = { start: from, end: to };
      throw new SluiceError('blob-corrupt', `${name} does not match its hash`, { details });
    }
    yield stored.subarray(at - from, end - from);
    at = to;
  }
}

/** Stores a result as one object while it is made, in place of an earlier one. */
export async function putResult(
  blobs: BlobStore,
  name: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<Pick<JobFacts, 'resultBytes' | 'resultPieces'>> {
  const hasher = new PieceHasher();
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      hasher.add(part);
      yield part;
    }
  }
  await blobs.delete(name);
  await blobs.put(name, hashed());
  return { resultBytes: hasher.byteCount, resultPieces: hasher.finish() };
}

/** The groups as NDJSON, where the result is a file that cannot be paged. */
export function recordsName(jobId: string): string {
  return `outputs/${jobId}/records`;
}

/** The result as one object. */
export function aggregateName(jobId: string): string {
  return `outputs/${jobId}/result`;
}
