import pLimit from 'p-limit';
import type { Readable } from 'node:stream';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import type { CutChunk } from '../../pipeline/chunking/chunker.ts';
import { SluiceError, errorDocument, toSluiceError } from '../../pipeline/errors.ts';
import {
  canonicalJson,
  chunkKey,
  contextKey,
  InputHasher,
  oversizedKey,
  taskKey,
} from '../../pipeline/keys/index.ts';
import { CHUNK_LIMITS, LIMITS } from '../../pipeline/limits.ts';
import type { ChunkLimits } from '../../pipeline/limits.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { InputDescription } from '../../pipeline/protocol/index.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { Coordinator } from '../driver/coordinator.ts';
import { openInput } from './open-input.ts';
import { storeOversizedResult } from './oversized-record.ts';
import { readOptionsOf } from './read-options.ts';
import { readStoredStatistics } from './stored-result.ts';

export interface IngestDeps {
  readonly coordinator: Coordinator;
  readonly blobs: BlobStore;
  readonly chunkLimits?: ChunkLimits;
}

export interface IngestRequest {
  readonly job: ActiveJob;
  readonly plan: PlanDocument;
  readonly formatHint: InputDescription['format'] | null;
  readonly body: Readable;
  /** Fires when the client went away. */
  readonly signal: AbortSignal;
}

/**
 * Reads one input to its end: decode, sniff, cut, hash, store, and tell the coordinator of each
 * chunk in file order. At most `uploadWritesInFlightMax` chunks are in memory beside the one being
 * cut; the body is not read while they are, nor while the backlog of unanswered chunks is full.
 * Rejects when the input ended early or cannot be read; the job is failed then.
 */
export async function ingest(deps: IngestDeps, request: IngestRequest): Promise<void> {
  const { job, body } = request;
  const stop = AbortSignal.any([request.signal, job.signal]);
  const onStop = () => body.destroy(toSluiceError(stop.reason));
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  try {
    await readInput(deps, request, stop);
    deps.coordinator.apply(job.id, { kind: 'input-complete' });
  } catch (thrown) {
    const error = inputError(thrown, request, job);
    await deps.coordinator.applyDurably(job.id, {
      kind: 'input-failed',
      error: errorDocument(error),
    });
    throw error;
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

async function readInput(
  deps: IngestDeps,
  request: IngestRequest,
  stop: AbortSignal,
): Promise<void> {
  const { job, plan, formatHint } = request;
  const body = countReceived(deps, job, request.body);
  const opened = await openInput(body, readOptionsOf(plan), formatHint);
  const { sniffed } = opened;
  const compiled = compilePlan(plan, {
    format: sniffed.input.format,
    dialect: sniffed.dialect,
    columns: sniffed.input.columns,
  });
  const context = contextKey(compiled.context);
  await deps.blobs.put(`contexts/${context}`, [Buffer.from(canonicalJson(compiled.context))]);
  const hasher = new InputHasher(sniffed.input.columns.map((column) => column.name));
  deps.coordinator.saveFacts(job, {
    input: sniffed.input,
    contextKey: context,
    context: compiled.context,
    outputColumns: compiled.outputColumns,
    shape: compiled.shape,
    dataOffset: sniffed.dataOffset,
    dataLine: sniffed.dataLine,
  });
  const chunker = new Chunker(
    sniffed.input.format === 'csv' ? sniffed.dialect : 'ndjson',
    deps.chunkLimits ?? CHUNK_LIMITS,
    {
      recordBytesMax: LIMITS.recordBytesMax,
      startOffset: sniffed.dataOffset,
      startLine: sniffed.dataLine,
    },
  );
  const writer = new ChunkWriter(deps, job, context, hasher);
  let skip = sniffed.dataOffset;
  for await (const bytes of opened.text) {
    stop.throwIfAborted();
    const fresh = skip >= bytes.length ? bytes.subarray(bytes.length) : bytes.subarray(skip);
    skip = Math.max(0, skip - bytes.length);
    for (const cut of chunker.push(fresh)) await writer.write(cut);
  }
  stop.throwIfAborted();
  for (const cut of chunker.finish()) await writer.write(cut);
  await writer.finish();
  job.facts = { ...job.facts, inputHash: hasher.digest() };
}

/** Passes the body on and counts it. */
async function* countReceived(
  deps: IngestDeps,
  job: ActiveJob,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  for await (const bytes of body) {
    const bytesReceived = job.facts.bytesReceived + bytes.length;
    if (bytesReceived > LIMITS.uploadBytesMax) {
      throw new SluiceError('limit-exceeded', `the upload exceeds ${LIMITS.uploadBytesMax} bytes`);
    }
    job.facts = { ...job.facts, bytesReceived };
    deps.coordinator.touch(job.id);
    yield bytes;
  }
}

/** Stores chunks side by side, and commits them in file order. */
class ChunkWriter {
  readonly #deps: IngestDeps;
  readonly #job: ActiveJob;
  readonly #context: string;
  readonly #hasher: InputHasher;
  readonly #limit = pLimit(LIMITS.uploadWritesInFlightMax);
  #count = 0;
  #committed: Promise<void> = Promise.resolve();
  #writing: Promise<void>[] = [];

  constructor(deps: IngestDeps, job: ActiveJob, context: string, hasher: InputHasher) {
    this.#deps = deps;
    this.#job = job;
    this.#context = context;
    this.#hasher = hasher;
  }

  /** Resolves when there is room for the next chunk. Rejects when an earlier write failed. */
  async write(cut: CutChunk): Promise<void> {
    const whole = cut.kind === 'records';
    const key = whole ? chunkKey(cut.bytes) : oversizedKey(cut.bytes, cut.fullBytes);
    this.#hasher.add(key);
    const index = this.#count++;
    const written = this.#limit(() => this.#store(cut, key));
    // Awaited below, after its predecessors: one that fails meanwhile is not unhandled.
    written.catch(() => undefined);
    const before = this.#committed;
    this.#committed = (async () => {
      await before;
      await this.#commit(index, cut, key, await written);
    })();
    this.#committed.catch(() => undefined);
    this.#writing.push(this.#committed);
    if (this.#writing.length >= LIMITS.uploadWritesInFlightMax) await this.#writing.shift();
    const { state } = this.#job;
    if (this.#count - answeredCount(state) > LIMITS.backlogChunksMax) {
      await this.#committed;
      await this.#job.until(
        () => this.#count - answeredCount(this.#job.state) <= LIMITS.backlogChunksMax,
      );
    }
  }

  async finish(): Promise<void> {
    await this.#committed;
  }

  async #store(cut: CutChunk, key: string): Promise<string> {
    const task = taskKey(key, this.#context);
    const { blobs } = this.#deps;
    if (cut.kind === 'records') await blobs.put(`chunks/${key}`, [cut.bytes]);
    else await storeOversizedResult(blobs, this.#job, cut, task);
    return task;
  }

  async #commit(index: number, cut: CutChunk, key: string, task: string): Promise<void> {
    const { coordinator, blobs } = this.#deps;
    // The same chunk under the same plan was done before: no task is needed.
    const statistics = await readStoredStatistics(blobs, task);
    const { byteOffset, line } = cut;
    coordinator.apply(
      this.#job.id,
      { kind: 'chunk-stored', index },
      { index, chunkKey: key, taskKey: task, byteOffset, bytes: cut.fullBytes, line },
    );
    if (statistics === null) return;
    const reused = cut.kind !== 'oversized';
    const answer = { index, attempt: 0, worker: null, reused, ms: 0, statistics } as const;
    coordinator.apply(this.#job.id, { kind: 'result-announced', ...answer });
  }
}

function answeredCount(state: ActiveJob['state']): number {
  return state.doneCount + state.reusedCount + state.failed.length;
}

function inputError(thrown: unknown, request: IngestRequest, job: ActiveJob): SluiceError {
  const { bytesReceived, bytesTotal } = job.facts;
  if (request.signal.aborted && !job.signal.aborted) {
    const total = bytesTotal === null ? '' : ` of ${bytesTotal}`;
    return new SluiceError(
      'input-truncated',
      `The client went away after ${bytesReceived}${total} bytes. Upload the file again: ` +
        'chunks that were done are not processed twice.',
      { details: { bytesReceived, bytesTotal }, cause: thrown },
    );
  }
  if (job.signal.aborted) return toSluiceError(job.signal.reason);
  return toSluiceError(thrown);
}
