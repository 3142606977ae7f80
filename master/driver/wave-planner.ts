import pLimit from 'p-limit';
import { errorDocument, invariant, toSluiceError } from '../../pipeline/errors.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import type { WaveInput, WaveTask } from '../../pipeline/exchange/plan-wave.ts';
import { chunkKey, taskKey } from '../../pipeline/keys/index.ts';
import { LIMITS } from '../../pipeline/limits.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import { isDamage } from '../aggregator/damaged-result.ts';
import { readExchange } from '../aggregator/stored-sections.ts';
import type { JobEvent, UnreadableResult } from '../coordination/job-state.ts';
import type { ChunkRecord, NewChunk } from '../storage/job-record.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { ActiveJob } from './active-job.ts';
import { lookupOfWave } from './fault-place.ts';
import { whileStorageFails, type PatienceDeps } from './while-storage-fails.ts';

/** Between tries of a commit that the store refused. */
const COMMIT_RETRY_MS = 1_000;

/**
 * The tasks of a wave, from the results of every wave before it: by wave, then in order; null for
 * one that failed. Pure, so that planning again gives the same tasks.
 */
export type PlanWave = (
  context: ChunkContext,
  inputs: readonly (readonly (WaveInput | null)[])[],
) => Iterable<WaveTask>;

export interface WavePlannerDeps extends PatienceDeps {
  readonly store: SqliteJobStore;
  readonly blobs: BlobStore;
  readonly planWave: PlanWave;
  /** Takes an event of this life of the job, when the store commits it. */
  readonly apply: (job: ActiveJob, event: JobEvent) => Promise<void>;
  /** Takes an event with its new chunks. Throws when the store does not commit them now. */
  readonly applyNow: (job: ActiveJob, event: JobEvent, newChunks: readonly NewChunk[]) => void;
}

/**
 * Makes the chunks of a job's next wave: reads what the results before it say of themselves, and
 * stores a document for each task. A result that is damaged is made again first; a storage that fails
 * is waited for.
 */
export class WavePlanner {
  readonly #deps: WavePlannerDeps;

  constructor(deps: WavePlannerDeps) {
    this.#deps = deps;
  }

  /** Plans `wave`, if that is still what the job waits for. */
  async plan(job: ActiveJob, wave: number): Promise<void> {
    const { isUnderWay, apply, log, sleep } = this.#deps;
    const isWanted = (): boolean =>
      isUnderWay(job) && job.state.planning && job.state.waves.length === wave;
    while (isWanted()) {
      let planned: Planned;
      try {
        planned = await whileStorageFails(this.#deps, job, () => this.#plan(job, wave));
      } catch (thrown) {
        log.error({ jobId: job.id, wave, err: thrown }, 'a wave cannot be planned');
        await apply(job, { kind: 'plan-failed', wave, error: errorDocument(thrown) });
        return;
      }
      if (planned.kind === 'lost') {
        await apply(job, planned.event);
        return;
      }
      if (!isWanted() || this.#commit(job, wave, planned.chunks)) return;
      // All documents are stored anew then: what no row refers to for long is collected.
      await sleep(COMMIT_RETRY_MS);
    }
  }

  /**
   * Stores the documents of a wave anew, of which one is lost or damaged: its name is `chunks/<key>`.
   * Resolves with what is lost itself of what they are made of, else null. Errors: those of the store.
   */
  async remake(job: ActiveJob, wave: number, key: string): Promise<UnreadableResult | null> {
    await this.#deps.blobs.delete(`chunks/${key}`);
    const planned = await this.#plan(job, wave);
    return planned.kind === 'lost' ? planned.event : null;
  }

  #commit(job: ActiveJob, wave: number, chunks: readonly NewChunk[]): boolean {
    try {
      this.#deps.applyNow(job, { kind: 'wave-planned', wave, count: chunks.length }, chunks);
      return true;
    } catch (thrown) {
      this.#deps.log.error({ jobId: job.id, wave, err: thrown }, 'commit failed');
      return false;
    }
  }

  async #plan(job: ActiveJob, wave: number): Promise<Planned> {
    const { contextKey, context } = job.facts.waves?.[wave] ?? {};
    invariant(context !== undefined && contextKey !== undefined, 'a job has the waves of its plan');
    const lookup = lookupOfWave(job.facts, wave);
    if (lookup !== null) {
      const place = { first: job.state.chunkCount, wave, contextKey };
      return { kind: 'planned', chunks: chunksOfLookup(lookup, place) };
    }
    const inputs: (WaveInput | null)[][] = Array.from({ length: wave }, () => []);
    const reading = pLimit(LIMITS.exchangeReadsMax);
    const reads = this.#rows(job, wave).map((chunk) => reading(() => this.#input(chunk)));
    // All have ended when this goes on: nothing is being read behind the job's back.
    for (const one of await Promise.allSettled(reads)) {
      if (one.status === 'rejected') throw toSluiceError(one.reason);
      if (one.value.kind === 'lost') return one.value;
      inputs[one.value.wave]?.push(one.value.input);
    }
    const chunks: NewChunk[] = [];
    const tasks = this.#deps.planWave(context, inputs);
    for (const some of batchesOf(tasks, LIMITS.exchangeReadsMax)) {
      const first = job.state.chunkCount + chunks.length;
      const stored = some.map((task, at) =>
        this.#store(task, { index: first + at, wave }, contextKey),
      );
      chunks.push(...(await Promise.all(stored)));
    }
    return { kind: 'planned', chunks };
  }

  /** Of the waves before `wave`. */
  #rows({ id, state }: ActiveJob, wave: number): ChunkRecord[] {
    return this.#deps.store.chunks(id, 0, state.waves[wave]?.start ?? state.chunkCount);
  }

  async #input(chunk: ChunkRecord): Promise<Read> {
    const { wave, taskKey, statistics, status } = chunk;
    if (status === 'failed' || statistics === null) return { kind: 'input', wave, input: null };
    try {
      const exchange = await readExchange(this.#deps.blobs, chunk);
      // What ingest made of a record too large for a chunk: a reject, and nothing to go on with.
      if (exchange.length === 0) return { kind: 'input', wave, input: null };
      return { kind: 'input', wave, input: { taskKey, statistics, exchange } };
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (!isDamage(error)) throw error;
      return { kind: 'lost', event: resultLost(chunk, errorDocument(error)) };
    }
  }

  async #store(
    { document, bytes }: WaveTask,
    place: Pick<NewChunk, 'index' | 'wave'>,
    contextKey: string,
  ): Promise<NewChunk> {
    const key = chunkKey(document);
    await this.#deps.blobs.put(`chunks/${key}`, [document]);
    const keys = { chunkKey: key, taskKey: taskKey(key, contextKey) };
    return { ...place, ...keys, byteOffset: 0, bytes, line: 0 };
  }
}

/** The parts of a lookup as chunks: they are stored. */
function chunksOfLookup(
  { parts = [], dataLine = 0 }: Lookup,
  { first, wave, contextKey }: { first: number; wave: number; contextKey: string },
): NewChunk[] {
  let byteOffset = 0;
  let line = dataLine;
  return parts.map(({ key, bytes, lines }, at) => {
    const keys = { chunkKey: key, taskKey: taskKey(key, contextKey) };
    const chunk: NewChunk = { index: first + at, wave, ...keys, byteOffset, bytes, line };
    byteOffset += bytes;
    line += lines;
    return chunk;
  });
}

function* batchesOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

type Lost = {
  readonly kind: 'lost';
  readonly event: UnreadableResult;
};
type Planned = Lost | { readonly kind: 'planned'; readonly chunks: readonly NewChunk[] };
type Read =
  Lost | { readonly kind: 'input'; readonly wave: number; readonly input: WaveInput | null };

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
