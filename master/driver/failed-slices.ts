import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import { discardIfDamaged } from '../aggregator/damaged-result.ts';
import type { ChunkRecord } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';

/** Why an attempt could not read a slice of an earlier result. */
export type FailedSlice =
  /** The result is lost: it has to be made again. */
  | { readonly kind: 'lost'; readonly chunk: ChunkRecord }
  /** It is being made already. */
  | { readonly kind: 'being-made' }
  /** Nothing is lost: the attempt failed for a reason of its own. */
  | { readonly kind: 'none' };

/**
 * What became of the earlier result that a failed attempt names; a damaged one is removed. Errors:
 * those of the store.
 */
export async function findFailedSlice(
  { store, blobs }: { readonly store: SqliteJobStore; readonly blobs: CollectableBlobStore },
  jobId: string,
  error: Pick<ErrorDocument, 'details'>,
  ownTaskKey: string,
): Promise<FailedSlice> {
  const { name } = error.details;
  const taskKey = typeof name === 'string' ? /^results\/(.+)$/.exec(name)?.[1] : undefined;
  if (taskKey === undefined || taskKey === ownTaskKey) return { kind: 'none' };
  if (!(await discardIfDamaged(blobs, taskKey))) return { kind: 'none' };
  const chunk = store.chunkOfTask(jobId, taskKey);
  // Of a plan that was made anew meanwhile: nobody asks for this attempt any more.
  if (chunk === null) return { kind: 'none' };
  const isDone = chunk.status === 'done' || chunk.status === 'reused';
  return isDone ? { kind: 'lost', chunk } : { kind: 'being-made' };
}
