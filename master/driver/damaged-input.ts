import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ChunkRecord } from '../storage/job-record.ts';
import { removeDamaged } from '../storage/remove-damaged.ts';

/**
 * What an attempt failed with that could not read its chunk of the input. Damaged bytes are removed:
 * the next upload of the file would take them for stored. As given, when the chunk can be read now.
 * Errors: those of the store.
 */
export async function damagedInput(
  blobs: CollectableBlobStore,
  error: ErrorDocument,
  { index, chunkKey, byteOffset, bytes, line }: ChunkRecord,
): Promise<ErrorDocument> {
  const name = `chunks/${chunkKey}`;
  if ((await removeDamaged(blobs, name, () => blobs.get(name))) === null) return error;
  const end = byteOffset + bytes;
  return {
    code: 'input-damaged',
    message:
      `Chunk ${index} of the stored input (bytes ${byteOffset} to ${end}) is lost or damaged. ` +
      'Upload the same file to this server again, which stores it anew; then retry this job.',
    details: { chunk: index, chunkKey, start: byteOffset, end, line: line + 1, reason: error.code },
  };
}
