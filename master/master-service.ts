import type { Readable } from 'node:stream';
import type { UnmarkedCompression } from '../pipeline/dialect/compression.ts';
import { SluiceError, toSluiceError } from '../pipeline/errors.ts';
import { LIMITS } from '../pipeline/limits.ts';
import { requireLookups } from '../pipeline/plan/join.ts';
import { parsePlan } from '../pipeline/plan/parse.ts';
import type {
  ChunkPage,
  Job,
  JobPage,
  JobStatus,
  Manifest,
  Profile,
  RecordPage,
  RejectPage,
  SniffAnswer,
  Snapshot,
  StoredLookup,
  WorkerList,
} from '../pipeline/protocol/index.ts';
import type { BlobStore } from '../pipeline/storage/blob-store.ts';
import type { Assemblies } from './aggregator/assemblies.ts';
import type { ConvertedResult } from './aggregator/rewritten-result.ts';
import { outdatedError } from './driver/outdated-job.ts';
import { Deletions } from './deletions.ts';
import type { Coordinator, CoordinatorDeps } from './driver/coordinator.ts';
import type { Decision, JobEvent } from './coordination/job-state.ts';
import type { ActiveJob } from './driver/active-job.ts';
import type { HousekeepingCounts } from './housekeeping/housekeeper.ts';
import type { FinishedJob } from './housekeeping/retention.ts';
import { ingest } from './ingest/ingest-session.ts';
import type { IngestThreads } from './ingest/ingest-threads.ts';
import { sniffSample } from './ingest/sniff-sample.ts';
import { lookupFilesOf, storeLookup } from './ingest/store-lookup.ts';
import type {
  CreateUpload,
  JobQuery,
  LocalFile,
  MasterMetrics,
  MasterService,
  ReceiveRequest,
  ResultView,
} from './service.ts';
import type { ChunkRecord, JobRecord } from './storage/job-record.ts';
import type { Timers } from './timers.ts';
import { JobUploads } from './uploads/job-uploads.ts';
import { awaitedBy } from './views/awaited.ts';
import { etaMs, jobDocument } from './views/job-document.ts';
import { chunkDocument, manifest } from './views/manifest.ts';
import { earlierJob } from './earlier-job.ts';
import type { JobRequest } from './new-job.ts';
import { newJob } from './new-job.ts';

export interface ServiceDeps extends Omit<CoordinatorDeps, 'assemblies'> {
  readonly coordinator: Coordinator;
  readonly assemblies: Assemblies;
  readonly ingestThreads: Pick<IngestThreads, 'open'>;
  readonly housekeeping: Readonly<HousekeepingCounts>;
  /** Of resumable uploads: their folder, and when they are given up. */
  readonly uploads: {
    readonly dir: string;
    readonly expiryMs: number;
    readonly readerIdleMs: number;
  };
  /** Those of the process, and UUIDs, when left out. */
  readonly timers?: Timers;
  readonly newId?: () => string;
}

type Created =
  | { readonly isNew: true; readonly job: ActiveJob }
  | { readonly isNew: false; readonly job: ActiveJob | JobRecord };

/** Chunk rows read at a time when all of a job's are needed. */
const CHUNK_ROWS_PER_READ = 5_000;

/** The master behind the HTTP, Socket.IO and command line edges. */
export class LocalMasterService implements MasterService {
  readonly resumable: JobUploads;
  readonly #deps: ServiceDeps;
  #bytesReceived = 0;
  readonly #deletions: Deletions;

  constructor(deps: ServiceDeps) {
    this.#deps = deps;
    this.#deletions = new Deletions(deps);
    this.resumable = new JobUploads({
      ...deps,
      ...deps.uploads,
      create: (request) => this.#createUpload(request),
      onReceived: (bytes) => (this.#bytesReceived += bytes),
    });
  }

  get blobs(): BlobStore {
    return this.#deps.blobs;
  }

  get metrics(): MasterMetrics {
    const { coordinator } = this.#deps;
    return {
      ...coordinator.counts,
      ...this.#deps.housekeeping,
      bytesReceived: this.#bytesReceived,
      jobsActive: coordinator.activeJobs().length,
    };
  }

  async receive(
    request: ReceiveRequest,
    body: Readable | LocalFile,
    signal: AbortSignal,
  ): Promise<Job> {
    const created = await this.#create(request, (record) => record);
    const { job } = created;
    if (!created.isNew) {
      await this.#deps.store.sync();
      return this.#document(job);
    }
    request.onCreated?.(this.#document(job));
    const before = job.facts.bytesReceived;
    try {
      const { formatHint, compressionHint, profile = true, onBytes } = request;
      const reading = { formatHint, compressionHint, profile };
      await ingest(this.#deps, { job: created.job, ...reading, body, signal, onBytes });
      await this.#deps.store.sync();
    } catch (thrown) {
      throw withJobId(thrown, job.id);
    } finally {
      this.#bytesReceived += job.facts.bytesReceived - before;
    }
    return this.getJob(job.id);
  }

  async addLookup(name: string, body: Readable): Promise<StoredLookup> {
    const shown = name.slice(0, LIMITS.nameCharsMax);
    return await this.#deletions.creating(() => storeLookup(this.#deps.blobs, shown, body));
  }

  async #createUpload(request: CreateUpload): Promise<Job> {
    const { metadata, formatHint } = request;
    const { job } = await this.#create(request, (record) => {
      const upload = { metadata, formatHint, durableBytes: 0, resumePoint: null };
      const facts = { ...record.facts, upload: { ...upload, activeAt: record.createdAt } };
      return { ...record, facts };
    });
    return this.#document(job);
  }

  /** The job that is asked for: a new one, or what an earlier request of the same key has made. */
  async #create(request: JobRequest, complete: (record: JobRecord) => JobRecord): Promise<Created> {
    const { blobs, store, coordinator, now, newId } = this.#deps;
    requireLookups(parsePlan(request.plan), request.lookups ?? []);
    return await this.#deletions.creating(async () => {
      const lookupFiles = await lookupFilesOf(blobs, request.lookups ?? []);
      const record = complete(newJob(request, lookupFiles, now(), newId?.()));
      const earlier = earlierJob(store, record);
      if (earlier === null) return { job: coordinator.add(record), isNew: true };
      return { job: coordinator.active(earlier.id) ?? earlier, isNew: false };
    });
  }

  listJobs(query: JobQuery): JobPage {
    if (query.cursor !== null && !/^[0-9a-f-]{36}$/.test(query.cursor)) {
      throw new SluiceError('bad-request', 'cursor is the nextCursor of the page before');
    }
    const records = this.#deps.store.jobs({
      status: query.status,
      q: query.q,
      before: query.cursor,
      limit: query.limit + 1,
    });
    const page = records.slice(0, query.limit);
    const jobs = page.map((record) =>
      this.#document(this.#deps.coordinator.active(record.id) ?? record),
    );
    const more = records.length > page.length;
    return { jobs, nextCursor: more ? (page.at(-1)?.id ?? null) : null };
  }

  getJob(id: string): Job {
    return this.#document(this.#find(id));
  }

  cancel(id: string): Promise<Job> {
    return this.#command(id, { kind: 'cancel' }, 'cancelled');
  }

  pause(id: string): Promise<Job> {
    return this.#command(id, { kind: 'pause' }, 'paused');
  }

  resume(id: string): Promise<Job> {
    return this.#command(id, { kind: 'resume' }, 'resumed');
  }

  async retry(id: string): Promise<Job> {
    const { state, facts } = this.#find(id);
    const { status, input } = state;
    const outdated = outdatedError(facts);
    if (outdated !== null)
      throw new SluiceError('conflict', outdated.message, { details: { status } });
    if (input === 'failed' && status !== 'cancelled') {
      const message =
        `job ${id} is ${status} and cannot be retried: its input did not come whole, or came to an ` +
        'earlier version of Sluice. Upload the file again: chunks that were done are not processed twice.';
      throw new SluiceError('conflict', message, { details: { status } });
    }
    const { coordinator } = this.#deps;
    const verdict = await this.#deletions.creating(() => coordinator.retry(id));
    return await this.#answered(id, verdict, status, 'retried');
  }

  async delete(id: string): Promise<void> {
    this.#find(id);
    await this.#deletions.delete(id);
  }

  /** Deletes a job that is kept no longer, unless it changed since. Whether it is deleted. */
  async expire(job: FinishedJob): Promise<boolean> {
    return await this.#deletions.expire(job);
  }

  chunks(id: string, cursor: string | null, limit: number): ChunkPage {
    this.#find(id);
    const from = cursor === null ? 0 : Number(cursor);
    if (!Number.isInteger(from) || from < 0) {
      throw new SluiceError('bad-request', `not a cursor of this list: ${JSON.stringify(cursor)}`);
    }
    const rows = this.#deps.store.chunks(id, from, limit + 1);
    const page = rows.slice(0, limit);
    const next = rows.length > page.length ? String(from + page.length) : null;
    return { chunks: page.map(chunkDocument), nextCursor: next };
  }

  async chunkBytes(id: string, index: number): Promise<Uint8Array> {
    this.#find(id);
    const chunk = this.#deps.store.chunk(id, index);
    if (chunk === null) throw new SluiceError('not-found', `job ${id} has no chunk ${index}`);
    try {
      return await this.#deps.blobs.get(`chunks/${chunk.chunkKey}`);
    } catch (thrown) {
      if (toSluiceError(thrown).code !== 'blob-missing') throw thrown;
      throw new SluiceError(
        'not-found',
        `the bytes of chunk ${index} are not kept: it is one record that is too large, ` +
          'and its first bytes are in the rejects',
        { cause: thrown },
      );
    }
  }

  async records(id: string, offset: number, limit: number): Promise<RecordPage> {
    return await this.#deps.assemblies.records(this.#find(id), offset, limit);
  }

  async rejects(id: string, offset: number, limit: number): Promise<RejectPage> {
    return await this.#deps.assemblies.rejects(this.#find(id), offset, limit);
  }

  async profile(id: string): Promise<Profile> {
    return await this.#deps.assemblies.profile(this.#find(id));
  }

  async manifest(id: string): Promise<Manifest> {
    const job = this.#find(id);
    const rows: ChunkRecord[] = [];
    for (;;) {
      const read = this.#deps.store.chunks(id, rows.length, CHUNK_ROWS_PER_READ);
      rows.push(...read);
      if (read.length < CHUNK_ROWS_PER_READ) break;
    }
    const { assemblies } = this.#deps;
    const parts = job.state.status.startsWith('completed')
      ? await assemblies.outputParts(job)
      : null;
    return manifest(job, rows, assemblies.resultSize(job), parts);
  }

  result(id: string): ResultView {
    return this.#deps.assemblies.result(
      () => this.#find(id),
      (listener) =>
        this.onChange((jobId) => {
          if (jobId === id) listener();
        }),
    );
  }

  convertedResult(id: string, format: string): ConvertedResult {
    return this.#deps.assemblies.converted(this.#find(id), format);
  }

  async sniff(
    sample: Uint8Array,
    complete: boolean,
    plan: string | null,
    compressionHint: UnmarkedCompression | null = null,
  ): Promise<SniffAnswer> {
    return await sniffSample(sample, complete, parsePlan(plan ?? ''), compressionHint);
  }

  workers(): WorkerList {
    return { workers: this.#deps.workers.list(), queue: { ...this.#deps.queue.status() } };
  }

  readiness(): string | null {
    const queue = this.#deps.queue.status();
    if (!queue.connected) {
      return `the broker ${queue.address} cannot be reached: ${queue.error ?? 'not connected'}`;
    }
    return null;
  }

  snapshot(id: string): Omit<Snapshot, 'sequence'> {
    return { jobId: id, job: this.getJob(id), chunkMap: this.#deps.store.chunkMap(id) };
  }

  onChange(listener: (jobId: string) => void): () => void {
    return this.#deps.coordinator.onChange(listener);
  }

  #find(id: string): ActiveJob | JobRecord {
    const job = this.#deps.coordinator.active(id) ?? this.#deps.store.job(id);
    if (job === null) throw new SluiceError('not-found', `there is no job ${JSON.stringify(id)}`);
    return job;
  }

  #document(job: ActiveJob | JobRecord): Job {
    const active = this.#deps.coordinator.active(job.id);
    const now = active === undefined ? { etaMs: null, waitsFor: null } : this.#progressOf(active);
    return jobDocument(job, this.#deps.assemblies.resultSize(job), now);
  }

  #progressOf(job: ActiveJob): Pick<Job, 'etaMs' | 'waitsFor'> {
    const { coordinator, queue, workers } = this.#deps;
    const waitsFor = awaitedBy(job.state, {
      liveWorkers: workers.liveCount(),
      queueIsConnected: queue.status().connected,
      backlogChunks: coordinator.window().backlogChunks,
    });
    return { etaMs: etaMs(job), waitsFor };
  }

  async #command(id: string, event: JobEvent, verb: string): Promise<Job> {
    const { status } = this.#find(id).state;
    const verdict = this.#deps.coordinator.apply(id, event);
    return await this.#answered(id, verdict, status, verb);
  }

  async #answered(
    id: string,
    verdict: Decision['verdict'],
    status: JobStatus,
    verb: string,
  ): Promise<Job> {
    if (verdict !== 'taken') {
      throw new SluiceError('conflict', `job ${id} is ${status} and cannot be ${verb}`, {
        details: { status },
      });
    }
    // What the answer says survives a loss of power.
    await this.#deps.store.sync();
    return this.getJob(id);
  }
}

function withJobId(thrown: unknown, jobId: string): unknown {
  if (!(thrown instanceof SluiceError)) return thrown;
  const details = { ...thrown.details, jobId };
  return new SluiceError(thrown.code, thrown.message, { details, cause: thrown });
}
