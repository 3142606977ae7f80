import type { IngestBlobStore } from './blob-store.ts';
import { FileBlobStore } from './file-blob-store.ts';
import { ScratchBlobStore } from './scratch-blob-store.ts';
import type { S3Location } from './s3-location.ts';

/** Where blobs are. Plain JSON: threads and processes are told so. */
export type BlobPlace =
  | { readonly kind: 'file'; readonly dir: string; readonly durable: boolean }
  | { readonly kind: 's3'; readonly location: S3Location };

/** A folder that is kept, or one of this run alone. */
export function openFileStore({
  dir,
  durable,
}: Extract<BlobPlace, { kind: 'file' }>): FileBlobStore | ScratchBlobStore {
  return durable ? new FileBlobStore(dir) : new ScratchBlobStore(dir);
}

export async function openBlobStore(place: BlobPlace): Promise<IngestBlobStore> {
  if (place.kind === 'file') return openFileStore(place);
  // Only where it is used: the SDK takes a while to load.
  const { S3BlobStore } = await import('./s3-blob-store.ts');
  return new S3BlobStore(place.location);
}
