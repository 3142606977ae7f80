import { LIMITS } from '../pipeline/limits.ts';
import type { Room } from '../pipeline/storage/blob-store.ts';

/** Memory for one task's chunk, or its slices, until it is given back. */
export interface ChunkLoan {
  readonly room: Room;
  giveBack(): void;
}

/** What holds more steps is not kept: slices of large jobs, that a worker should not hold ever after. */
const KEPT_STEPS_MAX = 3;

/**
 * Memory that chunks are read into, again and again: fresh megabytes for every chunk would have the
 * garbage collector run once a chunk. Slices of earlier results have one of their own.
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
        const hasRoom = this.#idle.length < LIMITS.workerPrefetchTasks;
        const keptBytesMax = KEPT_STEPS_MAX * LIMITS.chunkMemoryStepBytes;
        if (lent !== null && hasRoom && lent.length <= keptBytesMax) this.#idle.push(lent);
        lent = null;
      },
    };
  }
}

/** In whole steps, so that it can be used again; pages that are never touched are not resident. */
function allocate(byteCount: number): Uint8Array {
  const step = LIMITS.chunkMemoryStepBytes;
  return Buffer.allocUnsafeSlow(Math.ceil(byteCount / step) * step);
}
