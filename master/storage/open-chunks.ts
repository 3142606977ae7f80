import type { ChunkStatus } from '../../pipeline/protocol/index.ts';
import { isFinal } from '../coordination/job-state.ts';
import type { Attempt, JobState } from '../coordination/job-state.ts';
import { rangesAdd } from '../coordination/range-set.ts';
import type { RangeSet } from '../coordination/range-set.ts';

/** The state without what the chunks' rows say: so small that each event can write it. */
export type StoredState = Omit<JobState, keyof ChunkLists>;
type ChunkLists = Pick<JobState, 'running' | 'waiting' | 'answered' | 'failed'>;

/** Of chunks at or above the watermark that were published or answered, ascending. */
export interface OpenChunk {
  readonly index: number;
  readonly status: ChunkStatus;
  readonly attempts: number;
}

export function encodeState(state: JobState): string {
  const none = { running: undefined, waiting: undefined, answered: undefined, failed: undefined };
  return JSON.stringify({ ...state, ...none });
}

/** The state as it was committed, but that tasks which run or wait come in the order of the file. */
export function decodeState(
  text: string,
  chunksOf: (stored: StoredState) => {
    readonly open: readonly OpenChunk[];
    readonly failed: readonly number[];
  },
): JobState {
  // Rounds are newer than some stores.
  const { round = 0, ...rest } = JSON.parse(text) as Partial<StoredState>;
  const stored = { ...rest, round } as StoredState;
  const { open, failed } = chunksOf(stored);
  const running: Attempt[] = [];
  const waiting: Attempt[] = [];
  let answered: RangeSet = [];
  for (const { index, status, attempts } of open) {
    if (status === 'running') running.push({ index, attempt: attempts });
    else if (status === 'queued') waiting.push({ index, attempt: attempts + 1 });
    else answered = rangesAdd(answered, index);
  }
  const state: JobState = { ...stored, running, waiting, answered, failed };
  // Rows of a job that was ended are left as they were.
  return isFinal(state) ? { ...state, running: [], waiting: [] } : state;
}
