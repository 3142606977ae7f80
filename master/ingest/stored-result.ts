import type { ChunkStatistics } from '../../pipeline/protocol/index.ts';
import { readResultHead, RESULT_HEAD_BYTES } from '../../pipeline/result/result-format.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';

/** Statistics of a task's stored result, or null when there is none that can be read. */
export async function readStoredStatistics(
  blobs: CollectableBlobStore,
  taskKey: string,
): Promise<ChunkStatistics | null> {
  const name = `results/${taskKey}`;
  // From now on it is wanted, though no row says so yet.
  if (!(await blobs.renew(name))) return null;
  try {
    return readResultHead(await blobs.getRange(name, 0, RESULT_HEAD_BYTES)).statistics;
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === 'blob-corrupt') {
      await blobs.delete(name);
      return null;
    }
    throw thrown;
  }
}
