import { SluiceError } from '../../pipeline/errors.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { SimProcess } from './sim-process.ts';

/** A worker gives a call up after so long, on the mean. */
const GIVE_UP_MS = 100;

/** The store at the other end of a network: while that is cut a call fails, performed or not. */
export function overNetwork<Store extends BlobStore>(blobs: Store, process: SimProcess): Store {
  return new Proxy(blobs, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const call = () => (member as (...args: unknown[]) => unknown).apply(target, args);
        return process.isCutFromStore ? lost(process, call) : call();
      };
    },
  });
}

async function lost(process: SimProcess, call: () => unknown): Promise<never> {
  // The request came through, and its answer did not.
  if (process.random.chance(0.3)) Promise.resolve(call()).catch(() => undefined);
  await process.sleep(process.random.next() * 2 * GIVE_UP_MS);
  throw new SluiceError('master-unavailable', 'no answer from the store');
}
