import type { Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import { chunkKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { StoredLookup } from '../../pipeline/protocol/index.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { LookupFile } from '../storage/job-record.ts';

/** Before the key of a file that is stored in pieces: the blob of that key is the list of them. */
const IN_PIECES = 'pieces-';

/**
 * Stores a lookup file as it comes, under the hash of its bytes, or in pieces, each under its own, and
 * a list of them. Throws `limit-exceeded` as soon as it is too large, and `empty-input`.
 */
export async function storeLookup(
  blobs: BlobStore,
  name: string,
  body: Readable,
  { lookupPieceBytes, lookupBytesMax }: LookupSizes = LIMITS,
): Promise<StoredLookup> {
  const pieces: string[] = [];
  let parts: Buffer[] = [];
  let pending = 0;
  let bytes = 0;
  const store = async (): Promise<void> => {
    const key = chunkKey(Buffer.concat(parts));
    await blobs.put(`lookups/${key}`, parts);
    pieces.push(key);
    parts = [];
    pending = 0;
  };
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > lookupBytesMax) throw ofFile(lookupTooLarge(lookupBytesMax), name, 0);
    parts.push(part);
    pending += part.length;
    if (pending >= lookupPieceBytes) await store();
  }
  if (bytes === 0) throw ofFile(new SluiceError('empty-input', 'it has no bytes'), name, 0);
  if (pending > 0) await store();
  if (pieces.length === 1) return { name, key: pieces[0]!, bytes };
  const list = Buffer.from(pieces.join('\n'));
  const key = chunkKey(list);
  await blobs.put(`lookups/${key}`, [list]);
  return { name, key: `${IN_PIECES}${key}`, bytes };
}

interface LookupSizes {
  readonly lookupPieceBytes: number;
  readonly lookupBytesMax: number;
}

/** Stored lookups as a job refers to them: with all their pieces. Throws `blob-missing`. */
export async function lookupFilesOf(
  blobs: BlobStore,
  lookups: readonly LookupFile[],
): Promise<LookupFile[]> {
  return await Promise.all(
    lookups.map(async ({ name, key }) => {
      if (!key.startsWith(IN_PIECES)) return { name, key };
      try {
        const list = await blobs.get(`lookups/${lookupHash(key)}`);
        return { name, key, pieces: Buffer.from(list).toString().split('\n') };
      } catch (thrown) {
        throw ofFile(thrown, name, 0);
      }
    }),
  );
}

/** The hash that the blob of a lookup's key is called by. */
export function lookupHash(key: string): string {
  return key.startsWith(IN_PIECES) ? key.slice(IN_PIECES.length) : key;
}

/** The error of a file that is too large to be a lookup, as it came or decoded. */
export function lookupTooLarge(lookupBytesMax: number): SluiceError {
  const message =
    `it is larger than ${Math.ceil(lookupBytesMax / 1024 / 1024)} MiB, the most that a lookup may ` +
    'have. Leave out the columns and records that the plan does not need';
  return new SluiceError('limit-exceeded', message, { details: { lookupBytesMax } });
}

/** Says which file an error is about, and where it is in the file. */
export function ofFile(thrown: unknown, name: string, dataLine: number): unknown {
  if (!(thrown instanceof SluiceError)) return thrown;
  const { line } = thrown.details;
  const details = {
    ...thrown.details,
    lookup: name,
    ...(typeof line === 'number' ? { line: line + dataLine } : {}),
  };
  const message = `The lookup ${JSON.stringify(name)} cannot be used: ${thrown.message}`;
  return new SluiceError(thrown.code, message, { details, cause: thrown });
}
