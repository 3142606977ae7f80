import { PassThrough, Readable } from 'node:stream';
import { SluiceError } from '../../pipeline/errors.ts';
import {
  FINAL_STATUSES,
  type Job,
  type JobStatus,
  type Manifest,
  type Profile,
  type RecordPage,
  type RejectPage,
  type SniffAnswer,
  type StoredLookup,
  type WorkerList,
} from '../../pipeline/protocol/index.ts';
import type { BlobStore } from '../../pipeline/storage/blob-store.ts';
import type {
  JobQuery,
  MasterMetrics,
  MasterService,
  ReceiveRequest,
  ResultView,
} from '../../master/service.ts';
import { memoryBlobs, slices } from './memory-blobs.ts';

/** One upload as the service saw it. */
export interface ReceivedUpload {
  readonly request: ReceiveRequest;
  readonly bytes: Buffer;
  /** How the body ended: null well, else the error's code. */
  readonly failure: string | null;
  readonly aborted: boolean;
}

interface StoredJob {
  job: Job;
  result: Buffer;
  rejects: RejectPage['rejects'];
  readonly followers: Set<PassThrough>;
}

const COLUMNS = [{ name: 'line', type: 'string' as const }];

/**
 * A MasterService in memory: an input's lines are its records, and the result is the input. Jobs
 * complete at once unless `keepsRunning`; then the test appends and finishes.
 */
export class FakeMasterService implements MasterService {
  readonly uploads: ReceivedUpload[] = [];
  /** Resumable uploads are tested on a real master. */
  get resumable(): never {
    throw new SluiceError('internal', 'the fake master has no resumable uploads');
  }
  readonly calls = { snapshot: 0, records: 0, profile: 0 };
  readonly followsAborted: string[] = [];
  readonly listeners = new Set<(jobId: string) => void>();
  readonly sniffed: {
    sample: Buffer;
    complete: boolean;
    plan: string | null;
    compressionHint: string | null;
  }[] = [];
  readonly stored = new Map<string, StoredJob>();
  readonly blobContents = new Map<string, Buffer>();
  readonly blobs: BlobStore = memoryBlobs(this.blobContents);
  missing: string | null = null;
  keepsRunning = false;
  openStreams = 0;
  /** Called for each part of a body; lets a test slow the reader down. */
  onBytes: (bytes: number) => void | Promise<void> = () => undefined;
  #next = 1;
  readonly #keys = new Map<string, string>();

  get metrics(): MasterMetrics {
    const jobs = [...this.stored.values()].map(({ job }) => job);
    return {
      bytesReceived: jobs.reduce((sum, job) => sum + job.bytesReceived, 0),
      chunksDone: 3,
      chunksReused: 2,
      chunksFailed: 1,
      recordsIn: jobs.reduce((sum, job) => sum + job.recordsIn, 0),
      jobsActive: jobs.filter((job) => !FINAL_STATUSES.includes(job.status)).length,
      tasksPublished: 6,
      announcementsDuplicate: 0,
      ...{ resultsDamaged: 0, blobsRemoved: 0, jobsExpired: 0, sweepsFailed: 0 },
    };
  }

  async addLookup(name: string, body: Readable): Promise<StoredLookup> {
    const { length } = Buffer.concat((await body.toArray()) as Buffer[]);
    return { name, key: '0'.repeat(64), bytes: length };
  }

  async receive(request: ReceiveRequest, body: Readable, signal: AbortSignal): Promise<Job> {
    if (request.plan.includes('bad')) {
      throw new SluiceError('plan-invalid', 'the plan is bad', { details: { line: 1 } });
    }
    const known = this.#keys.get(request.idempotencyKey ?? '');
    if (known !== undefined) return this.getJob(known);
    const entry = this.add({ name: request.name, status: 'receiving', plan: request.plan });
    if (request.idempotencyKey !== null) this.#keys.set(request.idempotencyKey, entry.job.id);
    request.onCreated?.(entry.job);
    const parts: Buffer[] = [];
    let failure: string | null = null;
    try {
      for await (const part of body as AsyncIterable<Buffer>) {
        parts.push(part);
        this.change(entry.job.id, { bytesReceived: entry.job.bytesReceived + part.length });
        await this.onBytes(part.length);
      }
    } catch (error) {
      failure = error instanceof SluiceError ? error.code : String(error);
    }
    const bytes = Buffer.concat(parts);
    this.uploads.push({ request, bytes, failure, aborted: signal.aborted });
    if (failure !== null) {
      this.change(entry.job.id, { status: 'failed' });
      throw new SluiceError('input-truncated', 'the body ended early');
    }
    if (bytes.length === 0) throw new SluiceError('empty-input', 'the input is empty');
    this.change(entry.job.id, { status: 'processing' });
    if (!this.keepsRunning) this.finish(entry.job.id, bytes);
    return entry.job;
  }

  add(values: Partial<Job>): StoredJob {
    const id = `job-${this.#next++}`;
    const job = { ...EMPTY_JOB, id, ...values };
    const entry: StoredJob = { job, result: Buffer.alloc(0), rejects: [], followers: new Set() };
    this.stored.set(id, entry);
    return entry;
  }

  /** A change as the master makes it: document first, then listeners. */
  change(id: string, values: Partial<Job>): void {
    const entry = this.#entry(id);
    entry.job = { ...entry.job, ...values };
    for (const listener of this.listeners) listener(id);
  }

  append(id: string, bytes: Buffer): void {
    const entry = this.#entry(id);
    entry.result = Buffer.concat([entry.result, bytes]);
    for (const follower of entry.followers) follower.write(bytes);
    const records = linesOf(entry.result).length;
    this.change(id, { recordsIn: records, recordsOut: records, resultBytes: entry.result.length });
  }

  finish(id: string, bytes: Buffer = Buffer.alloc(0), status: JobStatus = 'completed'): void {
    this.append(id, bytes);
    for (const follower of this.#entry(id).followers) follower.end();
    this.change(id, { status });
  }

  listJobs(query: JobQuery) {
    const all = [...this.stored.values()]
      .map(({ job }) => job)
      .filter((job) => query.status === null || job.status === query.status)
      .filter((job) => job.name.includes(query.q ?? ''));
    const start = query.cursor === null ? 0 : Number(query.cursor);
    const end = start + query.limit;
    return { jobs: all.slice(start, end), nextCursor: end < all.length ? String(end) : null };
  }

  getJob(id: string): Job {
    return this.#entry(id).job;
  }

  async cancel(id: string): Promise<Job> {
    if (FINAL_STATUSES.includes(this.getJob(id).status)) {
      throw new SluiceError('conflict', 'the job is final already');
    }
    return this.#to(id, 'cancelled');
  }
  async pause(id: string): Promise<Job> {
    return this.#to(id, 'paused');
  }
  async resume(id: string): Promise<Job> {
    return this.#to(id, 'processing');
  }
  async retry(id: string): Promise<Job> {
    return this.#to(id, 'processing');
  }
  async delete(id: string): Promise<void> {
    this.#entry(id);
    this.stored.delete(id);
  }

  chunks(id: string, cursor: string | null, limit: number) {
    this.#entry(id);
    const all = Array.from({ length: 5 }, (_, index) => ({
      ...{ index, wave: 0, chunkKey: `c${index}`, taskKey: `t${index}`, status: 'done' as const },
      ...{ records: 1, bytes: 10, worker: 'w1', attempts: 1, reused: false, ms: 1.5 },
      ...{ rejected: 0, error: null },
    }));
    const start = Number(cursor ?? 0);
    const end = start + limit;
    return { chunks: all.slice(start, end), nextCursor: end < all.length ? String(end) : null };
  }

  async chunkBytes(id: string, index: number): Promise<Uint8Array> {
    return Buffer.from(`chunk ${index} of ${this.#entry(id).job.id}\n`);
  }

  async records(id: string, offset: number, limit: number): Promise<RecordPage> {
    this.calls.records++;
    const { job, result } = this.#entry(id);
    const lines = linesOf(result);
    return {
      columns: COLUMNS,
      offset,
      records: lines.slice(offset, offset + limit).map((line) => [line]),
      available: lines.length,
      complete: FINAL_STATUSES.includes(job.status),
    };
  }

  async rejects(id: string, offset: number, limit: number): Promise<RejectPage> {
    const { rejects } = this.#entry(id);
    const page = rejects.slice(offset, offset + limit);
    return { offset, rejects: page, available: rejects.length, complete: true };
  }

  async profile(id: string): Promise<Profile> {
    this.calls.profile++;
    const { job } = this.#entry(id);
    return {
      jobId: id,
      records: job.recordsIn,
      complete: FINAL_STATUSES.includes(job.status),
      columns: [],
    };
  }

  async manifest(id: string): Promise<Manifest> {
    const { job } = this.#entry(id);
    const { recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated } = job;
    const { resultBytes, resultRecords } = job;
    return {
      version: 2,
      jobId: id,
      name: job.name,
      status: job.status,
      engine: 'fake',
      inputHash: null,
      contextKey: null,
      plan: job.plan,
      input: null,
      outputColumns: null,
      totals: {
        bytesIn: job.bytesReceived,
        ...{ recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated },
        ...{ failed: 0, derivedRejected: 0, resultBytes, resultRecords },
      },
      balanced: true,
      waves: [],
      integrity: null,
      chunks: [],
    };
  }

  result(id: string): ResultView {
    const entry = this.#entry(id);
    const complete = FINAL_STATUSES.includes(entry.job.status);
    return {
      bytes: entry.result.length,
      complete,
      contentType: 'text/csv; charset=utf-8',
      filename: entry.job.name,
      etag: complete ? `"etag-${id}"` : null,
      check: async () => undefined,
      stream: (start, end) => this.#counted(Readable.from(slices(entry.result, start, end))),
      lend: (start) => Readable.from(slices(entry.result, start, entry.result.length)),
      follow: (start, signal) => {
        const stream = new PassThrough();
        stream.write(entry.result.subarray(start));
        if (complete) stream.end();
        else entry.followers.add(stream);
        signal.addEventListener('abort', () => {
          this.followsAborted.push(id);
          entry.followers.delete(stream);
          stream.destroy();
        });
        return this.#counted(stream);
      },
    };
  }

  convertedResult(): never {
    throw new SluiceError('bad-request', 'csv alone', { details: { available: ['csv'] } });
  }

  async sniff(
    sample: Uint8Array,
    complete: boolean,
    plan: string | null,
    compressionHint: string | null = null,
  ): Promise<SniffAnswer> {
    if (sample.length === 0) throw new SluiceError('empty-input', 'the sample is empty');
    this.sniffed.push({ sample: Buffer.from(sample), complete, plan, compressionHint });
    return { input: INPUT, records: [['a']], sampleBytes: sample.length, warnings: [] };
  }

  workers(): WorkerList {
    return {
      workers: [],
      queue: { kind: 'in-process', connected: this.missing === null, address: '', error: null },
    };
  }

  readiness(): string | null {
    return this.missing;
  }

  snapshot(id: string) {
    this.calls.snapshot++;
    return { jobId: id, job: this.getJob(id), chunkMap: 'du' };
  }

  onChange(listener: (jobId: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  #entry(id: string): StoredJob {
    const entry = this.stored.get(id);
    if (entry === undefined) throw new SluiceError('not-found', `there is no job ${id}`);
    return entry;
  }

  #to(id: string, status: JobStatus): Job {
    this.change(id, { status });
    return this.getJob(id);
  }

  #counted(stream: Readable): Readable {
    this.openStreams++;
    stream.once('close', () => this.openStreams--);
    return stream;
  }
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString('utf8').split('\n').slice(0, -1);
}

const INPUT: SniffAnswer['input'] = {
  format: 'csv',
  encoding: 'utf-8',
  compression: 'none',
  delimiter: ',',
  quote: '"',
  escape: '"',
  newline: '\n',
  comment: '',
  header: true,
  skip: 0,
  columns: COLUMNS,
};

const EMPTY_JOB: Job = {
  id: '',
  name: 'input.csv',
  status: 'processing',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  inputHash: null,
  plan: '',
  bytesReceived: 0,
  bytesTotal: null,
  bytesProcessed: 0,
  ...{ recordsIn: 0, recordsOut: 0, rejected: 0, filtered: 0, deduplicated: 0, aggregated: 0 },
  ...{ failed: 0, derivedRejected: 0 },
  chunks: { queued: 0, running: 0, done: 0, reused: 0, failed: 0 },
  waves: [],
  ...{ etaMs: null, waitsFor: null },
  error: null,
  input: null,
  outputColumns: null,
  watermark: 0,
  resultBytes: 0,
  resultRecords: 0,
  ...{ warned: [], warnings: [] },
  resultGrows: true,
};
