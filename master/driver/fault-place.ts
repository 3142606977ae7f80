import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { ChunkRecord } from '../storage/job-record.ts';

/**
 * An error that a worker found in a chunk, with its place in the whole input: workers know only
 * places relative to the chunk. Lines and records count from 1, bytes from 0.
 */
export function placeOfFault(error: ErrorDocument, chunk: ChunkRecord | null): ErrorDocument {
  const { record, ...details } = error.details;
  const { line, byteOffset } = details;
  // What a later wave reads is in nobody's file.
  if (chunk === null || chunk.wave > 0 || typeof line !== 'number') return error;
  const inputLine = chunk.line + line + 1;
  const inputByte = typeof byteOffset === 'number' ? chunk.byteOffset + byteOffset : null;
  return {
    code: error.code,
    message: `Line ${inputLine}: ${error.message}`,
    details: {
      ...details,
      // How many records there are before other chunks is not known yet.
      ...(chunk.index === 0 && typeof record === 'number' ? { record: record + 1 } : {}),
      ...{ line: inputLine, byteOffset: inputByte, chunk: chunk.index },
    },
  };
}
