import path from 'node:path';
import type { BlobPlace } from '../pipeline/storage/open-blob-store.ts';
import type { MasterConfig } from './config.ts';

/** Where chunks and results are. */
export function blobPlace({ dataDir, durable, s3 }: MasterConfig): BlobPlace {
  if (s3 !== null) return { kind: 's3', location: s3 };
  return { kind: 'file', dir: path.join(dataDir, 'blobs'), durable };
}
