import { CHUNK_LIMITS, LIMITS } from '../pipeline/limits.ts';
import type { Room } from '../pipeline/storage/blob-store.ts';

/** Memory for one task's chunk, or its slices, until it is given back. */
export interface ChunkLoan {
  readonly room: Room;
  giveBack(): void;
}

/** Most chunks fit one step, so that it can be used again; pages that are never touched are not
 *  resident. */
const STEP_BYTES = CHUNK_LIMITS.easeBytes;

/** What holds more is not kept: slices of large jobs, that a worker should not hold ever after. */
const KEPT_BYTES_MAX = 3 * STEP_BYTES;

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
        if (lent !== null && hasRoom && lent.length <= KEPT_BYTES_MAX) this.#idle.push(lent);
        lent = null;
      },
    };
  }
}

function allocate(byteCount: number): Uint8Array {
  return Buffer.allocUnsafeSlow(Math.ceil(byteCount / STEP_BYTES) * STEP_BYTES);
}
