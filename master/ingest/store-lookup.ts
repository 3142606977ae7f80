import type { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { StoredLookup } from '../../pipeline/protocol/index.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { lookupTooLarge, ofFile } from './open-lookup.ts';

/**
 * Stores a lookup file as it comes, under the hash of its bytes: it is in memory until it is whole.
 * Throws `limit-exceeded` as soon as it is too large, and `empty-input`.
 */
export async function storeLookup(
  blobs: BlobStore,
  name: string,
  body: Readable,
): Promise<StoredLookup> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > LIMITS.lookupBytesMax) throw ofFile(lookupTooLarge(), name, 0);
  }
  if (bytes === 0) throw ofFile(new SluiceError('empty-input', 'it has no bytes'), name, 0);
  const whole = Buffer.concat(parts);
  const key = chunkKey(whole);
  await blobs.put(`lookups/${key}`, [whole]);
  return { name, key, bytes };
}
