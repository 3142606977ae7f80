import pLimit from 'p-limit';
import { errorDocument, invariant, toSluiceError } from '../../pipeline/errors.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { WaveInput } from '../../pipeline/exchange/plan-wave.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { isDamage } from '../aggregator/damaged-result.ts';
import { readExchange } from '../aggregator/stored-sections.ts';
import type { UnreadableResult } from '../coordination/job-state.ts';
import { waveEnd } from '../coordination/waves.ts';
import type { ChunkRecord } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { ActiveJob } from './active-job.ts';

/** A result that a wave is to be planned of cannot be read: it is made again first. */
export class ResultLost extends Error {
  readonly event: UnreadableResult;

  constructor(event: UnreadableResult) {
    super('a stored result is lost');
    this.event = event;
  }
}

/** What the waves before one left of themselves: rows at once, and what results say as it is asked for. */
export class WaveSources {
  /** Rows of the waves of the plan before it, in order. */
  readonly waves: readonly (readonly ChunkRecord[])[];
  /** Rows of the wave that gathered what it reads; null when none did. */
  readonly gathered: readonly ChunkRecord[] | null;
  readonly #blobs: BlobStore;

  constructor(
    { store, blobs }: { readonly store: SqliteJobStore; readonly blobs: BlobStore },
    { id, state }: ActiveJob,
    wave: number,
  ) {
    this.#blobs = blobs;
    const before = state.waves.slice(0, wave).map(({ start, gathers = false }, at) => ({
      ...{ gathers, rows: store.chunks(id, start, waveEnd(state, at) - start) },
    }));
    this.waves = before.filter(({ gathers }) => !gathers).map(({ rows }) => rows);
    const last = before.at(-1);
    this.gathered = last?.gathers === true ? last.rows : null;
  }

  /** Those of a wave, from the last one: -1. */
  rows(wave: number): readonly ChunkRecord[] {
    return this.waves.at(wave) ?? [];
  }

  /** Null for tasks that failed. */
  taskKeys(wave: number): (string | null)[] {
    return this.rows(wave).map((row) => (isDone(row) ? row.taskKey : null));
  }

  /** Null for those that failed, or left nothing to go on with. Throws ResultLost; else as the store. */
  async read(rows: readonly ChunkRecord[]): Promise<(WaveInput | null)[]> {
    const reading = pLimit(LIMITS.exchangeReadsMax);
    // All have ended when this goes on: nothing is being read behind the job's back.
    const reads = await Promise.allSettled(rows.map((row) => reading(() => this.#input(row))));
    return reads.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }

  async #input(row: ChunkRecord): Promise<WaveInput | null> {
    const { taskKey, statistics } = row;
    if (!isDone(row) || statistics === null) return null;
    try {
      const exchange = await readExchange(this.#blobs, row);
      // What ingest made of a record too large for a chunk: a reject, and nothing to go on with.
      return exchange.length === 0 ? null : { taskKey, statistics, exchange };
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (!isDamage(error)) throw error;
      throw new ResultLost(resultLost(row, errorDocument(error)));
    }
  }
}

function isDone({ status, statistics }: ChunkRecord): boolean {
  return status !== 'failed' && statistics !== null;
}

/** Says that the chunk's result cannot be read, so that it is made again. */
export function resultLost(
  { index, attempts, status, statistics }: ChunkRecord,
  error: ErrorDocument,
): UnreadableResult {
  invariant(statistics !== null, 'a result that was announced has statistics');
  return {
    ...{ kind: 'result-lost', index, attempt: attempts, reused: status === 'reused' },
    statistics,
    error,
  };
}
