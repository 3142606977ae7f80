import pLimit from 'p-limit';
import { type ErrorCode, SluiceError, toSluiceError } from '../pipeline/errors.ts';
import type { ChunkProgram, Slice } from '../pipeline/execution/chunk-program.ts';
import { LIMITS } from '../pipeline/limits.ts';
import type { TaskMessage } from '../pipeline/protocol/index.ts';
import type { Room } from '../pipeline/storage/blob-store.ts';
import type { ProgramCache } from './program-cache.ts';
import type { WorkerBlobs } from './storage/worker-blobs.ts';

/** All that a task is computed from. */
export interface TaskInputs {
  readonly program: ChunkProgram;
  readonly bytes: Uint8Array;
  /** Of earlier results, as `program.slices` asks for them. */
  readonly slices: readonly Uint8Array[];
}

/** Memory to read them into: the chunk, and all slices, one behind the other. */
export interface InputRooms {
  readonly chunk: Room;
  readonly slices: Room;
}

const LOST: ReadonlySet<ErrorCode> = new Set(['blob-missing', 'blob-corrupt']);

/**
 * Fetches what a task needs, into `rooms` where the store can. Errors: those of the store; of a lost slice `blob-missing` or
 * `blob-corrupt` with the name of its result, so that the coordinator has it made again.
 */
export async function fetchInputs(
  { blobs, programs }: { readonly blobs: WorkerBlobs; readonly programs: ProgramCache },
  task: TaskMessage,
  rooms: Partial<InputRooms> = {},
): Promise<TaskInputs> {
  const [bytes, program] = await Promise.all([
    blobs.get(`chunks/${task.chunkKey}`, rooms.chunk),
    programs.get(task.contextKey),
  ]);
  const fetching = pLimit(LIMITS.sliceFetchesMax);
  const wanted = program.slices(bytes);
  const byteCount = wanted.reduce((sum, { start, end }) => sum + end - start, 0);
  const memory = byteCount === 0 ? undefined : rooms.slices?.(byteCount);
  let at = 0;
  const slices = await Promise.all(
    wanted.map((slice) => {
      const own = memory?.subarray(at, (at += slice.end - slice.start));
      return fetching(() => fetchSlice(blobs, slice, own && (() => own)));
    }),
  );
  return { program, bytes, slices };
}

async function fetchSlice(
  blobs: WorkerBlobs,
  { name, start, end }: Slice,
  room?: Room,
): Promise<Uint8Array> {
  try {
    const bytes = await blobs.getRange(name, start, end, room);
    if (bytes.length === end - start) return bytes;
    throw new SluiceError('blob-corrupt', `${name} ends before byte ${end}`);
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (!LOST.has(error.code)) throw error;
    const details = { ...error.details, name };
    throw new SluiceError(error.code, error.message, { details, cause: error });
  }
}
