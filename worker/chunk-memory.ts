import { LIMITS } from '../pipeline/limits.ts';
import type { Room } from '../pipeline/storage/blob-store.ts';

/** Memory for one task's chunk, until it is given back. */
export interface ChunkLoan {
  readonly room: Room;
  giveBack(): void;
}

const STEP_BYTES = 1024 * 1024;

/**
 * Memory that chunks are read into, again and again: fresh megabytes for every chunk would have the
 * garbage collector run once a chunk.
 */
export class ChunkMemory {
  readonly #idle: Uint8Array[] = [];

  lend(): ChunkLoan {
    let lent: Uint8Array | null = null;
    return {
      room: (byteCount) => {
        const block = this.#idle.pop();
        const suffices = block !== undefined && block.length >= byteCount;
        lent = suffices ? block : allocate(byteCount);
        return lent.subarray(0, byteCount);
      },
      giveBack: () => {
        if (lent !== null && this.#idle.length < LIMITS.workerPrefetchTasks) this.#idle.push(lent);
        lent = null;
      },
    };
  }
}

function allocate(byteCount: number): Uint8Array {
  return Buffer.allocUnsafeSlow(Math.ceil(byteCount / STEP_BYTES) * STEP_BYTES);
}
