import type { BlobStore } from '../../pipeline/storage/blob-store.ts';

/** What a worker asks of the blob store: it neither deletes nor lists. */
export type WorkerBlobs = Pick<BlobStore, 'put' | 'get' | 'getRange' | 'has'>;
