import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { lookupHash } from '../ingest/store-lookup.ts';
import type { SqliteJobStore } from './sqlite-job-store.ts';

const ROWS_PER_READ = 1_000;

/**
 * Deletes a job: its rows and outputs, and, when `alsoShared`, the chunks, results and lookups that no
 * other job refers to. While another job is under way these stay, since it may be about to reuse them.
 */
export async function removeJobBlobs(
  { store, blobs }: { readonly store: SqliteJobStore; readonly blobs: BlobStore },
  jobId: string,
  alsoShared: boolean,
): Promise<void> {
  const keys: { chunkKey: string; taskKey: string }[] = [];
  for (let from = 0; alsoShared; from += ROWS_PER_READ) {
    const rows = store.chunks(jobId, from, ROWS_PER_READ);
    keys.push(...rows.map(({ chunkKey, taskKey }) => ({ chunkKey, taskKey })));
    if (rows.length < ROWS_PER_READ) break;
  }
  const facts = store.job(jobId)?.facts;
  const files = (facts?.lookupFiles ?? []).flatMap(({ key, pieces = [] }) => [
    ...[lookupHash(key), ...pieces],
  ]);
  const lookups = [...files, ...(facts?.lookups ?? []).map(({ content }) => content.key)];
  const parts = (facts?.lookups ?? []).flatMap(({ parts: own = [] }) => own);
  store.deleteJob(jobId);
  // Or the job is back when the power is lost, without what it needs.
  await store.sync();
  for await (const name of blobs.list(`outputs/${jobId}/`)) await blobs.delete(name);
  for (const { chunkKey, taskKey } of keys) {
    if (!store.isTaskKeyUsed(taskKey)) await blobs.delete(`results/${taskKey}`);
    if (!store.isChunkKeyUsed(chunkKey)) await blobs.delete(`chunks/${chunkKey}`);
  }
  for (const key of alsoShared ? lookups : []) {
    if (!store.isLookupUsed(key)) await blobs.delete(`lookups/${key}`);
  }
  for (const { key } of alsoShared ? parts : []) {
    if (!store.isChunkKeyUsed(key)) await blobs.delete(`chunks/${key}`);
  }
}
