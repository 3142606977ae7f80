import { toSluiceError } from '../../pipeline/errors.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';

/**
 * Deletes an object that `read` finds damaged, but not one that was stored anew since it was read: two
 * may find the damage, and the first of them have it repaired. Returns what is wrong with it, null when
 * it is whole. Errors: those of the store.
 */
export async function removeDamaged(
  blobs: CollectableBlobStore,
  name: string,
  read: () => Promise<unknown>,
): Promise<'blob-missing' | 'blob-corrupt' | null> {
  for (;;) {
    const version = await blobs.version(name);
    try {
      await read();
      return null;
    } catch (thrown) {
      const { code } = toSluiceError(thrown);
      if (code === 'blob-missing') return code;
      if (code !== 'blob-corrupt') throw thrown;
      if (version !== null && (await blobs.deleteUnchanged(name, version))) return code;
    }
  }
}
