import type { Logger } from 'pino';
import type { BlobPlace } from '../../pipeline/storage/open-blob-store.ts';
import type { ChildLaunch } from './child-pool.ts';

/** How the worker processes beside a master are started. */
export interface WorkerLaunch {
  /** Path of the built `worker/main.js`. */
  readonly workerEntry: string;
  /** The master's blobs, which its children reach directly. */
  readonly storage: BlobPlace;
  /** The workers log what is at its level. */
  readonly log: Logger;
}

/** Node reads them all when it starts, for 40 ms: for nothing where no network is used. */
const NO_CERTIFICATES = { NODE_EXTRA_CA_CERTS: undefined };

/** The broker's URL may hold a password, so it goes by the environment: arguments are public. */
export function workerLaunch(
  { workerEntry, storage, log }: WorkerLaunch,
  broker: { readonly url: string; readonly prefix: string } | null,
): ChildLaunch {
  const storageArgs = storageArguments(storage);
  const env = { SLUICE_LOG_LEVEL: log.level };
  if (broker === null) {
    const certificates = storage.kind === 'file' ? NO_CERTIFICATES : {};
    const args = ['--broker', 'ipc', ...storageArgs];
    return { entry: workerEntry, args, env: { ...env, ...certificates } };
  }
  return {
    entry: workerEntry,
    args: ['--queue-prefix', broker.prefix, ...storageArgs],
    env: { ...env, SLUICE_BROKER: broker.url },
  };
}

/** What the environment says of an S3 store beside its URL, the children see too. */
function storageArguments(storage: BlobPlace): string[] {
  if (storage.kind === 's3') {
    const { bucket, prefix } = storage.location;
    return ['--store', `s3://${bucket}/${prefix}`];
  }
  const { dir, durable } = storage;
  return ['--storage-dir', dir, ...(durable ? [] : ['--storage-volatile'])];
}
