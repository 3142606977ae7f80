import type { ChildLaunch } from './child-pool.ts';

/** How the worker processes beside a master are started. */
export interface WorkerLaunch {
  /** Path of the built `worker/main.js`. */
  readonly workerEntry: string;
  /** The master's blobs, which its children reach directly. */
  readonly storage: { readonly kind: 'file'; readonly dir: string; readonly durable: boolean };
}

/** The broker's URL may hold a password, so it goes by the environment: arguments are public. */
export function workerLaunch(
  { workerEntry, storage }: WorkerLaunch,
  broker: { readonly url: string; readonly prefix: string } | null,
): ChildLaunch {
  const storageArgs = ['--storage-dir', storage.dir];
  if (!storage.durable) storageArgs.push('--storage-volatile');
  if (broker === null) {
    return { entry: workerEntry, args: ['--broker', 'ipc', ...storageArgs] };
  }
  return {
    entry: workerEntry,
    args: ['--queue-prefix', broker.prefix, ...storageArgs],
    env: { SLUICE_BROKER: broker.url },
  };
}
