import type { ErrorDocument } from '../../pipeline/errors.ts';
import { FINAL_STATUSES } from '../../pipeline/protocol/index.ts';
import type { ChunkStatistics, ChunkStatus, JobStatus } from '../../pipeline/protocol/index.ts';
import type { RangeSet } from './range-set.ts';

/**
 * All that decisions about one job need. Plain JSON, and small whatever the job's size: it holds
 * the window of running chunks, not the list of all chunks.
 *
 * | status                  | enters when                          | leaves when                    |
 * | ----------------------- | ------------------------------------ | ------------------------------ |
 * | receiving               | the job is created                   | the input is complete or cut;  |
 * |                         |                                      | a resumable one: or expired    |
 * | processing              | the input is complete                | the last wave is merged        |
 * | finalizing              | the last wave is merged              | the outputs are durable        |
 * | paused                  | pause                                | resume, cancel                 |
 * | completed               | finalized, nothing failed            | its output is damaged          |
 * | completed_with_failures | chunks or budget failed, or damage   | retry                          |
 * | failed                  | input cut, on_error: fail, no plan   | retry, when the input is there |
 * |                         | for the next wave, no output         |                                |
 * | cancelled               | cancel                               | never                          |
 *
 * A chunk is unpublished (index >= cursor), waiting (to be published again), running (published,
 * unanswered), or answered (done or failed). A paused job has none that run: its tasks are called
 * back, and wait. `watermark` counts the chunks merged in file order.
 *
 * The tasks of later waves are chunks too, with indexes that go on counting. A wave is planned when
 * all before it are merged; none of its tasks is published while a chunk of an earlier one is open.
 */
export interface JobState {
  readonly status: JobStatus;
  readonly input: 'open' | 'complete' | 'failed';
  /** Chunks stored or planned so far, in all waves. Falls when waves are planned anew. */
  readonly chunkCount: number;
  /** The waves whose chunks are known, at least the first. */
  readonly waves: readonly WaveState[];
  /** Waves of the plan, known when the input is complete, and those so far that gather. */
  readonly waveCount: number;
  /** Whether the next wave is being planned. */
  readonly planning: boolean;
  /** Chunks from here on were never published. */
  readonly cursor: number;
  readonly running: readonly Attempt[];
  readonly waiting: readonly Attempt[];
  /** Done or failed chunks at or above the watermark. */
  readonly answered: RangeSet;
  /** Quarantined chunks, ascending. */
  readonly failed: readonly number[];
  readonly watermark: number;
  /** Whether the merge of the chunk at the watermark is under way. */
  readonly merging: boolean;
  readonly error: ErrorDocument | null;
  /** How often its tasks were called back from the workers: each carries the round it is of. */
  readonly round: number;
}

/** One wave: the chunks from `start` to the next wave's, and what is answered of them. */
export interface WaveState {
  readonly start: number;
  readonly doneCount: number;
  readonly reusedCount: number;
  /** Sums over its done and reused chunks. */
  readonly totals: ChunkStatistics;
  /** Whether its tasks gather what those of the next wave of the plan read; left out when not. */
  readonly gathers?: true;
}

export interface Attempt {
  readonly index: number;
  /** 1 for the first. */
  readonly attempt: number;
}

/** An answered chunk whose stored result is gone. */
export interface LostResult {
  readonly index: number;
  readonly reused: boolean;
  readonly statistics: ChunkStatistics;
}

/**
 * An announced result that could not be read back: at its merge, when a merged prefix is rebuilt, or
 * when a later wave wanted it.
 */
export interface UnreadableResult extends LostResult {
  readonly kind: 'merge-failed' | 'rebuild-failed' | 'result-lost';
  readonly attempt: number;
  readonly error: ErrorDocument;
}

export type JobEvent =
  /** The next chunk is durable; indexes come in order. */
  | {
      readonly kind: 'chunk-stored';
      readonly index: number;
      /** When its result was stored before: it is answered at once, and no task is published. */
      readonly answer?: { readonly reused: boolean; readonly statistics: ChunkStatistics };
    }
  /** `waves` is how many the plan has. */
  | { readonly kind: 'input-complete'; readonly waves: number }
  | { readonly kind: 'input-failed'; readonly error: ErrorDocument; readonly ofUpload?: boolean }
  /** The scheduler lets this job publish one more task, of so many chunks from its watermark on. */
  | { readonly kind: 'slot-granted'; readonly aheadChunks?: number }
  | {
      readonly kind: 'result-announced';
      readonly index: number;
      readonly attempt: number;
      readonly worker: string | null;
      readonly reused: boolean;
      readonly ms: number;
      readonly statistics: ChunkStatistics;
    }
  | {
      readonly kind: 'attempt-failed';
      readonly index: number;
      readonly attempt: number;
      readonly worker: string | null;
      readonly ms: number;
      readonly retryable: boolean;
      /** Nothing is wrong with the task: an earlier result that it needs is lost. */
      readonly excused?: boolean;
      readonly error: ErrorDocument;
    }
  | { readonly kind: 'chunk-merged'; readonly index: number }
  /** The next wave's chunks are durable, so many of them. One that gathers is no wave of the plan: it
   *  comes before the one that was to be next. */
  | {
      readonly kind: 'wave-planned';
      readonly wave: number;
      readonly count: number;
      readonly gathers?: true;
    }
  | { readonly kind: 'plan-failed'; readonly wave: number; readonly error: ErrorDocument }
  | UnreadableResult
  /** `verdict` is an error over the job as a whole, such as rejects-over-budget; else null. */
  | { readonly kind: 'finalized'; readonly verdict: ErrorDocument | null }
  | { readonly kind: 'finalize-failed'; readonly error: ErrorDocument }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** A finished job's stored output turned out not to be what was stored. */
  | { readonly kind: 'result-damaged'; readonly error: ErrorDocument }
  /** `lost`: answered chunks whose results are gone, found before. They are made again. */
  | { readonly kind: 'retry'; readonly lost?: readonly LostResult[] }
  /** The broker came back: it may have lost what was published. */
  | { readonly kind: 'reconnected' }
  /** The master was restarted: effects that were under way may not have been performed. */
  | {
      readonly kind: 'recovered';
      /** The client of an input that is open can go on where it was cut off. */
      readonly inputIsResumable?: boolean;
    };

export type JobEffect =
  | { readonly kind: 'publish'; readonly index: number; readonly attempt: number }
  | { readonly kind: 'merge'; readonly index: number }
  /** Forget the merged prefix and merge chunks 0 to `watermark` again. */
  | { readonly kind: 'rebuild'; readonly watermark: number }
  | { readonly kind: 'discard-result'; readonly index: number }
  /** Make the next wave's chunks of what all before it gave. */
  | { readonly kind: 'plan-wave'; readonly wave: number }
  | { readonly kind: 'finalize' }
  /** Tell the workers that tasks up to this round are wanted no more. */
  | { readonly kind: 'revoke'; readonly round: number }
  /** Stop reading the input. */
  | { readonly kind: 'abort-input' };

export function isFinal(state: JobState): boolean {
  return FINAL_STATUSES.includes(state.status);
}

/** Whether the finished job's stored output is known not to be what was stored. */
export function isDamaged({ status, error }: JobState): boolean {
  const isDamage = error?.code === 'blob-corrupt' || error?.code === 'blob-missing';
  return status === 'completed_with_failures' && isDamage;
}

export function isCompleted({ status }: JobState): boolean {
  return status === 'completed' || status === 'completed_with_failures';
}

/** What is to be written into the chunk's row, in the transaction that commits the state. */
export interface ChunkChange {
  readonly index: number;
  readonly status: ChunkStatus;
  readonly attempts?: number;
  readonly worker?: string | null;
  readonly ms?: number;
  readonly statistics?: ChunkStatistics;
  readonly error?: ErrorDocument | null;
}

export interface Decision {
  readonly state: JobState;
  readonly changes: readonly ChunkChange[];
  readonly effects: readonly JobEffect[];
  /** How the event was taken: 'ignored' for duplicates and what came too late. */
  readonly verdict: 'taken' | 'ignored' | 'refused';
}

export const ZERO_STATISTICS: ChunkStatistics = {
  recordsIn: 0,
  recordsOut: 0,
  rejected: 0,
  filtered: 0,
  deduplicated: 0,
  aggregated: 0,
  lines: 0,
  bytesIn: 0,
  outputRecords: 0,
  outputBytes: 0,
};

export function addStatistics(
  a: ChunkStatistics,
  b: ChunkStatistics,
  sign: 1 | -1 = 1,
): ChunkStatistics {
  return {
    recordsIn: a.recordsIn + sign * b.recordsIn,
    recordsOut: a.recordsOut + sign * b.recordsOut,
    rejected: a.rejected + sign * b.rejected,
    filtered: a.filtered + sign * b.filtered,
    deduplicated: a.deduplicated + sign * b.deduplicated,
    aggregated: a.aggregated + sign * b.aggregated,
    ...sumOfWarned(a.warned, b.warned, sign),
    lines: a.lines + sign * b.lines,
    bytesIn: a.bytesIn + sign * b.bytesIn,
    outputRecords: a.outputRecords + sign * b.outputRecords,
    outputBytes: a.outputBytes + sign * b.outputBytes,
  };
}

/** A wave nothing is known of but where it starts. */
export function emptyWave(start: number): WaveState {
  return { start, doneCount: 0, reusedCount: 0, totals: ZERO_STATISTICS };
}

/** By check; left out when neither has any. */
function sumOfWarned(
  a: readonly number[] = [],
  b: readonly number[] = [],
  sign: 1 | -1,
): { warned?: number[] } {
  const count = Math.max(a.length, b.length);
  if (count === 0) return {};
  return { warned: Array.from({ length: count }, (_, i) => (a[i] ?? 0) + sign * (b[i] ?? 0)) };
}

export const INITIAL_JOB_STATE: JobState = {
  status: 'receiving',
  input: 'open',
  chunkCount: 0,
  waves: [emptyWave(0)],
  waveCount: 1,
  planning: false,
  cursor: 0,
  running: [],
  waiting: [],
  answered: [],
  failed: [],
  watermark: 0,
  merging: false,
  error: null,
  round: 0,
};
