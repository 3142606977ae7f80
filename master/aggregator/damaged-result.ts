import { type SluiceError, toSluiceError } from '../../pipeline/errors.ts';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import type { SectionName } from '../../pipeline/result/result-format.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/** Whether an error says that a stored result is lost, so that it has to be made again. */
export function isDamage(error: SluiceError): boolean {
  return error.code === 'blob-corrupt' || error.code === 'blob-missing';
}

/**
 * Deletes a task's stored result if it is damaged: one that is whole may be a later attempt's, or
 * belong to another job too. Errors: those of the store.
 */
export async function discardIfDamaged(blobs: BlobStore, taskKey: string): Promise<void> {
  const name = `results/${taskKey}`;
  try {
    await verifyResult(blobs, name);
  } catch (thrown) {
    const { code } = toSluiceError(thrown);
    if (code === 'blob-missing') return;
    if (code !== 'blob-corrupt') throw thrown;
    await blobs.delete(name);
  }
}

async function verifyResult(blobs: BlobStore, name: string): Promise<void> {
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  for (const section of Object.keys(head.sections) as SectionName[]) {
    const { start, end } = head.sections[section];
    const bytes = end > start ? await blobs.getRange(name, start, end) : new Uint8Array(0);
    decodeSection(head, section, bytes);
  }
}
