import { SluiceError } from '../../pipeline/errors.ts';
import {
  decodeSection,
  readResultHead,
  RESULT_HEAD_BYTES,
} from '../../pipeline/result/result-format.ts';
import type { SectionName } from '../../pipeline/result/result-format.ts';
import type { BlobStore, CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import { isDamaged } from '../coordination/job-state.ts';
import type { LostResult } from '../coordination/job-state.ts';
import { removeDamaged } from '../storage/remove-damaged.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';

const ROWS_PER_READ = 1_000;

/** Whether an error says that a stored result is lost, so that it has to be made again. */
export function isDamage(error: Pick<SluiceError, 'code'>): boolean {
  return error.code === 'blob-corrupt' || error.code === 'blob-missing';
}

/**
 * Deletes a task's stored result if it is damaged: one that is whole may be a later attempt's, or
 * belong to another job too. Returns whether there is none now. Errors: those of the store.
 */
export async function discardIfDamaged(
  blobs: CollectableBlobStore,
  taskKey: string,
): Promise<boolean> {
  const name = `results/${taskKey}`;
  return (await removeDamaged(blobs, name, () => verifyResult(blobs, name))) !== null;
}

/**
 * The results that a finished job has lost, when it is known to be damaged: reads every one of them,
 * and deletes those that are not what was stored. Errors: those of the store.
 */
export async function removeLostResults(
  { store, blobs }: { readonly store: SqliteJobStore; readonly blobs: CollectableBlobStore },
  jobId: string,
): Promise<LostResult[]> {
  const state = store.job(jobId)?.state;
  if (state === undefined || !isDamaged(state)) return [];
  const lost: LostResult[] = [];
  for (let from = 0; from < state.chunkCount; from += ROWS_PER_READ) {
    for (const { index, status, statistics, taskKey } of store.chunks(jobId, from, ROWS_PER_READ)) {
      if (statistics === null || (status !== 'done' && status !== 'reused')) continue;
      if (!(await discardIfDamaged(blobs, taskKey))) continue;
      lost.push({ index, reused: status === 'reused', statistics });
    }
  }
  return lost;
}

/** What a reader of the result is told, and what the job says from then on. Bytes `[start, end)`. */
export function damageError(
  { start, end }: { readonly start: number; readonly end: number },
  chunk: number | null,
  cause: SluiceError,
): SluiceError {
  const whose = chunk === null ? '' : `, those of chunk ${chunk},`;
  const message =
    `bytes ${start} to ${end} of the result${whose} cannot be had: ` +
    `${cause.message}. Retry the job: what is damaged is made again, and nothing else`;
  const details = { chunk, start, end, reason: cause.code };
  return new SluiceError(cause.code, message, { cause, details });
}

async function verifyResult(blobs: BlobStore, name: string): Promise<void> {
  const head = readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES));
  for (const section of Object.keys(head.sections) as SectionName[]) {
    const { start, end } = head.sections[section];
    const bytes = end > start ? await blobs.getRange(name, start, end) : new Uint8Array(0);
    decodeSection(head, section, bytes);
  }
}
