import { CHUNK_LIMITS } from '../pipeline/limits.ts';

/**
 * Workers for a text of so many bytes, null where that is not known: one a core, but no more than
 * the chunks it will have.
 */
export function workerCount(textBytesMax: number | null, cores: number): number {
  if (textBytesMax === null) return cores;
  return Math.max(1, Math.min(cores, Math.ceil(textBytesMax / CHUNK_LIMITS.targetBytes)));
}
