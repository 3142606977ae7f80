import type { Lock, Locker } from '@tus/server';
import { SluiceError } from '../../../pipeline/errors.ts';
import { LIMITS } from '../../../pipeline/limits.ts';

interface Holder {
  /** Asks the request that holds the lock to let go of it. */
  readonly release: () => void;
}

interface Waiter extends Holder {
  readonly take: () => void;
}

/**
 * One lock an upload, so that one request at a time works on it. The newest request wins: a client
 * that was cut off comes back while its dead connection still holds the lock, and nothing tells a
 * dead connection from a slow one.
 */
export class UploadLocks {
  readonly #holders = new Map<string, Holder>();
  readonly #waiters = new Map<string, Waiter[]>();

  /**
   * The locks as one request sees them. `onRelease` is called when it has to let go; the lock is
   * free when `settled` has resolved, since the library lets go of a part that still counts bytes.
   */
  forRequest(onRelease: () => void, settled: () => Promise<void>): Locker {
    return {
      newLock: (id): Lock => ({
        lock: async (signal, cancel) => {
          const release = (): void => {
            onRelease();
            void cancel();
          };
          await this.#lock(id, release, signal);
        },
        unlock: async () => {
          await settled();
          this.#unlock(id);
        },
      }),
    };
  }

  async #lock(id: string, release: () => void, signal: AbortSignal): Promise<void> {
    const holder = this.#holders.get(id);
    if (holder === undefined) {
      this.#holders.set(id, { release });
      return;
    }
    holder.release();
    const waiters = this.#waiters.get(id) ?? [];
    this.#waiters.set(id, waiters);
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        const index = waiters.indexOf(waiter);
        if (index >= 0) waiters.splice(index, 1);
      };
      const giveUp = (): void => {
        leave();
        reject(new SluiceError('upload-locked', 'another request does not let go of the upload'));
      };
      const take = (): void => {
        leave();
        resolve();
      };
      const waiter = { release, take };
      const timer = setTimeout(giveUp, LIMITS.uploadLockWaitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      waiters.push(waiter);
    });
  }

  #unlock(id: string): void {
    this.#holders.delete(id);
    const next = this.#waiters.get(id)?.[0];
    if (next === undefined) {
      this.#waiters.delete(id);
      return;
    }
    this.#holders.set(id, next);
    next.take();
    // Those behind it have asked the one before: the newest wins here too.
    if ((this.#waiters.get(id)?.length ?? 0) > 0) next.release();
  }
}
