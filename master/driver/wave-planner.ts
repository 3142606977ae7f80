import { errorDocument, invariant } from '../../pipeline/errors.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { gatherGroups, planGather, planGatherAgain } from '../../pipeline/exchange/plan-gather.ts';
import {
  planWave,
  refuseMissing,
  tasksOf,
  thoseThereAre,
  wavesRead,
  type WaveInput,
  type WaveTask,
} from '../../pipeline/exchange/plan-wave.ts';
import type { WaveDocument } from '../../pipeline/exchange/wave-document.ts';
import { chunkKey, taskKey } from '../../pipeline/keys/index.ts';
import { LIMITS, type ExchangeLimits } from '../../pipeline/limits.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import type { CollectableBlobStore } from '../../pipeline/storage/blob-store.ts';
import type { JobEvent, UnreadableResult } from '../coordination/job-state.ts';
import { plannedWave } from '../coordination/waves.ts';
import type { NewChunk } from '../storage/job-record.ts';
import { removeDamaged } from '../storage/remove-damaged.ts';
import type { SqliteJobStore } from '../storage/sqlite-job-store.ts';
import type { ActiveJob } from './active-job.ts';
import { lookupOfWave } from './fault-place.ts';
import { ResultLost, WaveSources } from './wave-sources.ts';
import { whileStorageFails, type PatienceDeps } from './while-storage-fails.ts';

/** Between tries of a commit that the store refused. */
const COMMIT_RETRY_MS = 1_000;

export interface WavePlannerDeps extends PatienceDeps {
  readonly store: SqliteJobStore;
  readonly blobs: CollectableBlobStore;
  readonly limits: ExchangeLimits;
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
      if (!isWanted() || this.#commit(job, wave, planned)) return;
      // All documents are stored anew then: what no row refers to for long is collected.
      await sleep(COMMIT_RETRY_MS);
    }
  }

  /**
   * Stores the documents of a wave anew, of which one is lost or damaged: its name is `chunks/<key>`.
   * Resolves with what is lost itself of what they are made of, else null. Errors: those of the store.
   */
  async remake(job: ActiveJob, wave: number, key: string): Promise<UnreadableResult | null> {
    const { blobs } = this.#deps;
    const name = `chunks/${key}`;
    await removeDamaged(blobs, name, () => blobs.get(name));
    const planned = await this.#plan(job, wave);
    return planned.kind === 'lost' ? planned.event : null;
  }

  #commit(
    job: ActiveJob,
    wave: number,
    { chunks, gathers }: Extract<Planned, { kind: 'planned' }>,
  ): boolean {
    const told = gathers === true ? { gathers } : {};
    try {
      const event = { kind: 'wave-planned', wave, count: chunks.length, ...told } as const;
      this.#deps.applyNow(job, event, chunks);
      return true;
    } catch (thrown) {
      this.#deps.log.error({ jobId: job.id, wave, err: thrown }, 'commit failed');
      return false;
    }
  }

  async #plan(job: ActiveJob, wave: number): Promise<Planned> {
    const planned = await this.#tasks(job, wave);
    if (planned.kind === 'planned') await this.#claimResults(planned.chunks);
    return planned;
  }

  /** What an earlier job has left of their results is wanted from now on, though no row says so yet. */
  async #claimResults(chunks: readonly NewChunk[]): Promise<void> {
    for (const some of batchesOf(chunks, LIMITS.exchangeReadsMax)) {
      await Promise.all(some.map((one) => this.#deps.blobs.renew(`results/${one.taskKey}`)));
    }
  }

  async #tasks(job: ActiveJob, wave: number): Promise<Planned> {
    const planned = plannedWave(job.state, wave);
    const { contextKey, context } = job.facts.waves?.[planned] ?? {};
    invariant(context !== undefined && contextKey !== undefined, 'a job has the waves of its plan');
    const lookup = lookupOfWave(job, wave);
    if (lookup !== null) {
      const place = { first: job.state.chunkCount, wave, contextKey };
      return { kind: 'planned', chunks: chunksOfLookup(lookup, place) };
    }
    try {
      const place = { first: job.state.chunkCount, wave, contextKey };
      return await this.#planTasks(new WaveSources(this.#deps, job, wave), context, place);
    } catch (thrown) {
      if (thrown instanceof ResultLost) return { kind: 'lost', event: thrown.event };
      throw thrown;
    }
  }

  /** Gathers what the wave reads as long as there is too much of it, and then is the wave. */
  async #planTasks(
    sources: WaveSources,
    context: ChunkContext,
    place: WavePlace,
  ): Promise<Planned> {
    const { input } = context;
    const { limits } = this.#deps;
    invariant(input !== 'chunk', 'the tasks of a later wave are planned');
    const { gathered } = sources;
    if (gathered !== null) {
      const results = await sources.read(gathered);
      refuseMissing(input, [], results);
      const again = planGatherAgain(input, thoseThereAre(results), limits);
      if (again !== null) return await this.#storeGathering([again], place);
      const tasks = planWave(
        context,
        sources.waves.map(() => []),
        limits,
        results,
      );
      return { kind: 'planned', chunks: await this.#storeAll(tasks, place) };
    }
    const taskKeys = [-1, -2].map((wave) => sources.taskKeys(wave));
    const groups = gatherGroups(input, taskKeys, limits);
    if (groups.length > 0) {
      refuseMissing(input, [...taskKeys].reverse());
      const gather = async function* (): AsyncGenerator<Iterable<WaveDocument>> {
        for (const group of groups) {
          const rows = group.places.map((at) => sources.rows(group.wave)[at]!);
          yield planGather(input, group, await sources.read(rows), limits);
        }
      };
      return await this.#storeGathering(gather(), place);
    }
    const inputs: (readonly (WaveInput | null)[])[] = sources.waves.map(() => []);
    for (const wave of wavesRead(input)) {
      inputs[inputs.length + wave] = await sources.read(sources.rows(wave));
    }
    const tasks = planWave(context, inputs, limits);
    return { kind: 'planned', chunks: await this.#storeAll(tasks, place) };
  }

  async #storeGathering(
    groups: Iterable<Iterable<WaveDocument>> | AsyncIterable<Iterable<WaveDocument>>,
    place: WavePlace,
  ): Promise<Planned> {
    const chunks: NewChunk[] = [];
    for await (const documents of groups) {
      const first = place.first + chunks.length;
      chunks.push(...(await this.#storeAll(tasksOf(documents), { ...place, first })));
    }
    return { kind: 'planned', chunks, gathers: true };
  }

  async #storeAll(
    tasks: Iterable<WaveTask>,
    { first, wave, contextKey }: WavePlace,
  ): Promise<NewChunk[]> {
    const chunks: NewChunk[] = [];
    for (const some of batchesOf(tasks, LIMITS.exchangeReadsMax)) {
      const index = first + chunks.length;
      const stored = some.map((task, at) =>
        this.#store(task, { index: index + at, wave }, contextKey),
      );
      chunks.push(...(await Promise.all(stored)));
    }
    return chunks;
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

/** Where the tasks of a wave are. */
interface WavePlace {
  /** Index of its first chunk. */
  readonly first: number;
  readonly wave: number;
  readonly contextKey: string;
}

type Planned =
  | { readonly kind: 'lost'; readonly event: UnreadableResult }
  | { readonly kind: 'planned'; readonly chunks: readonly NewChunk[]; readonly gathers?: true };
