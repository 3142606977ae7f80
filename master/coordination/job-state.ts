import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { ChunkStatistics, ChunkStatus, JobStatus } from '../../pipeline/protocol/index.ts';
import type { RangeSet } from './range-set.ts';

/**
 * All that decisions about one job need. Plain JSON, and small whatever the job's size: it holds
 * the window of running chunks, not the list of all chunks.
 *
 * | status                  | enters when                          | leaves when                    |
 * | ----------------------- | ------------------------------------ | ------------------------------ |
 * | receiving               | the job is created                   | the input is complete or cut   |
 * | processing              | the input is complete                | every chunk is answered        |
 * | finalizing              | every chunk is answered and merged   | the outputs are durable        |
 * | paused                  | pause                                | resume, cancel                 |
 * | completed               | finalized, nothing failed            | its output is damaged          |
 * | completed_with_failures | chunks or budget failed, or damage   | retry                          |
 * | failed                  | input cut, on_error: fail, no output | retry, when the input is there |
 * | cancelled               | cancel                               | never                          |
 *
 * A chunk is unpublished (index >= cursor), waiting (to be published again), running (published,
 * unanswered), or answered (done or failed). `watermark` counts the chunks merged in file order.
 */
export interface JobState {
  readonly status: JobStatus;
  readonly input: 'open' | 'complete' | 'failed';
  /** Chunks stored so far. */
  readonly chunkCount: number;
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
  readonly doneCount: number;
  readonly reusedCount: number;
  /** Sums over the answered chunks. */
  readonly totals: ChunkStatistics;
  readonly error: ErrorDocument | null;
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

export type JobEvent =
  /** The next chunk is durable; indexes come in order. */
  | {
      readonly kind: 'chunk-stored';
      readonly index: number;
      /** When its result was stored before: it is answered at once, and no task is published. */
      readonly answer?: { readonly reused: boolean; readonly statistics: ChunkStatistics };
    }
  | { readonly kind: 'input-complete' }
  | { readonly kind: 'input-failed'; readonly error: ErrorDocument }
  /** The scheduler lets this job publish one more task. */
  | { readonly kind: 'slot-granted' }
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
      readonly error: ErrorDocument;
    }
  | { readonly kind: 'chunk-merged'; readonly index: number }
  /** The announced result could not be read back, at its merge or when a merged prefix is rebuilt. */
  | {
      readonly kind: 'merge-failed' | 'rebuild-failed';
      readonly index: number;
      readonly attempt: number;
      readonly reused: boolean;
      readonly statistics: ChunkStatistics;
      readonly error: ErrorDocument;
    }
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
  | { readonly kind: 'recovered' };

export type JobEffect =
  | { readonly kind: 'publish'; readonly index: number; readonly attempt: number }
  | { readonly kind: 'merge'; readonly index: number }
  /** Forget the merged prefix and merge chunks 0 to `watermark` again. */
  | { readonly kind: 'rebuild'; readonly watermark: number }
  | { readonly kind: 'discard-result'; readonly index: number }
  | { readonly kind: 'finalize' }
  /** Stop reading the input. */
  | { readonly kind: 'abort-input' };

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
    lines: a.lines + sign * b.lines,
    bytesIn: a.bytesIn + sign * b.bytesIn,
    outputRecords: a.outputRecords + sign * b.outputRecords,
    outputBytes: a.outputBytes + sign * b.outputBytes,
  };
}

export const INITIAL_JOB_STATE: JobState = {
  status: 'receiving',
  input: 'open',
  chunkCount: 0,
  cursor: 0,
  running: [],
  waiting: [],
  answered: [],
  failed: [],
  watermark: 0,
  merging: false,
  doneCount: 0,
  reusedCount: 0,
  totals: ZERO_STATISTICS,
  error: null,
};
