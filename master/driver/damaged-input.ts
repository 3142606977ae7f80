import { toSluiceError } from '../../pipeline/errors.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ChunkRecord } from '../storage/job-record.ts';

/**
 * What an attempt failed with that could not read its chunk of the input. Damaged bytes are removed:
 * the next upload of the file would take them for stored. As given, when the chunk can be read now.
 * Errors: those of the store.
 */
export async function damagedInput(
  blobs: BlobStore,
  error: ErrorDocument,
  { index, chunkKey, byteOffset, bytes, line }: ChunkRecord,
): Promise<ErrorDocument> {
  const name = `chunks/${chunkKey}`;
  try {
    await blobs.get(name);
    return error;
  } catch (thrown) {
    const { code } = toSluiceError(thrown);
    if (code !== 'blob-corrupt' && code !== 'blob-missing') throw thrown;
    if (code === 'blob-corrupt') await blobs.delete(name);
  }
  const end = byteOffset + bytes;
  return {
    code: 'input-damaged',
    message:
      `Chunk ${index} of the stored input (bytes ${byteOffset} to ${end}) is lost or damaged. ` +
      'Upload the same file to this server again, which stores it anew; then retry this job.',
    details: { chunk: index, chunkKey, start: byteOffset, end, line: line + 1, reason: error.code },
  };
}
