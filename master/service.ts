import type { Readable } from 'node:stream';
import type { UnmarkedCompression } from '../pipeline/dialect/compression.ts';
import type { BlobStore } from '../pipeline/storage/blob-store.ts';
import type {
  ChunkPage,
  InputDescription,
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
import type { ConvertedResult } from './aggregator/rewritten-result.ts';
import type { LookupFile } from './storage/job-record.ts';

/** What the HTTP and Socket.IO edges ask of the master. Errors are SluiceErrors. */
export interface MasterService {
  /**
   * Takes a whole input: creates the job, streams the body into chunks with backpressure, and
   * resolves when every byte is durable. A body that ends early (`signal`, error) leaves a failed
   * job that says so. The same `idempotencyKey` gives the first job again.
   */
  receive(request: ReceiveRequest, body: Readable | LocalFile, signal: AbortSignal): Promise<Job>;
  /** Takes a lookup file, for the jobs that will name it. Fails with `limit-exceeded`. */
  addLookup(name: string, body: Readable): Promise<StoredLookup>;
  listJobs(query: JobQuery): JobPage;
  getJob(id: string): Job;
  cancel(id: string): Promise<Job>;
  pause(id: string): Promise<Job>;
  resume(id: string): Promise<Job>;
  /** Runs the failed chunks again, and those whose stored results are damaged. */
  retry(id: string): Promise<Job>;
  delete(id: string): Promise<void>;
  chunks(id: string, cursor: string | null, limit: number): ChunkPage;
  /** The chunk's bytes as workers get them: decoded, records whole, without header. */
  chunkBytes(id: string, index: number): Promise<Uint8Array>;
  records(id: string, offset: number, limit: number): Promise<RecordPage>;
  rejects(id: string, offset: number, limit: number): Promise<RejectPage>;
  profile(id: string): Promise<Profile>;
  manifest(id: string): Promise<Manifest>;
  result(id: string): ResultView;
  /** The finished result as text of another format. Throws `bad-request` and `conflict`. */
  convertedResult(id: string, format: string): ConvertedResult;
  sniff(
    sample: Uint8Array,
    complete: boolean,
    plan: string | null,
    compressionHint?: UnmarkedCompression | null,
  ): Promise<SniffAnswer>;
  workers(): WorkerList;
  /** Null when ready; else what is missing. */
  readiness(): string | null;
  /** Job with chunk map, for Socket.IO. */
  snapshot(id: string): Omit<Snapshot, 'sequence'>;
  /** Called after every change of a job, often; the listener throttles. */
  onChange(listener: (jobId: string) => void): () => void;
  readonly resumable: ResumableUploads;
  readonly blobs: BlobStore;
  readonly metrics: MasterMetrics;
}

/** Inputs that come in parts, over as many requests as it takes. An upload has its job's id. */
export interface ResumableUploads {
  /** An upload is given up when its client was silent for so long. */
  readonly expiryMs: number;
  /** Creates a job that waits for its input. The same `idempotencyKey` gives the first one again. */
  create(request: CreateUpload): Promise<Job>;
  /** Errors: `not-found`, `upload-expired`, `upload-over`. */
  status(id: string): Promise<UploadStatus>;
  /** Says how long an upload is of which that was not known. Errors: `conflict`, and as `status`. */
  declareBytes(id: string, bytesTotal: number): Promise<void>;
  /**
   * Appends a part; resolves with the new offset. All bytes before that are durable, and when these
   * were the last ones the input is complete. Errors: `conflict` for another offset,
   * `upload-locked`, `checksum-mismatch`, `limit-exceeded`, what is wrong with the input, and as
   * `status`. What came of a part before its body failed counts, unless it has a checksum.
   */
  write(id: string, part: UploadPart): Promise<number>;
  /** Gives up an upload that is not complete: its job is cancelled. Errors: as `status`, `conflict`. */
  terminate(id: string): Promise<void>;
}

export type CreateUpload = Omit<ReceiveRequest, 'onCreated' | 'onBytes' | 'profile'> & {
  /** Kept for the client, who gave it. */
  readonly metadata: Readonly<Record<string, string | null>> | null;
};

export interface UploadStatus {
  readonly receivedBytes: number;
  /** Null when the client has not said yet. */
  readonly bytesTotal: number | null;
  readonly metadata: CreateUpload['metadata'];
  /** When the client sent something last; null when the upload is complete and does not expire. */
  readonly activeAt: string | null;
}

export interface UploadPart {
  readonly offset: number;
  readonly body: Readable;
  readonly checksum: PartChecksum | null;
  /** Fires when the request has to let go of the upload. */
  readonly signal: AbortSignal;
}

export interface PartChecksum {
  /** As `crypto.createHash` names it. */
  readonly algorithm: string;
  readonly digest: Buffer;
}

/** Read where it lies, instead of being sent. For the command line alone: never from a client. */
export interface LocalFile {
  readonly path: string;
}

export interface ReceiveRequest {
  readonly name: string;
  /** YAML or JSON text; '' for the plain job. Compiled before any byte of the body is read. */
  readonly plan: string;
  /** Bytes of the body, when the client said. */
  readonly bytesTotal: number | null;
  /** From Content-Type, as a hint: 'csv', 'ndjson', 'json' or null. */
  readonly formatHint: InputDescription['format'] | null;
  /** From Content-Encoding: for what the bytes do not tell, where the plan states nothing. */
  readonly compressionHint?: UnmarkedCompression | null;
  readonly idempotencyKey: string | null;
  /** False: a plan without steps makes no profile, since nobody will look at it. */
  readonly profile?: boolean;
  /** The files that the plan joins to, from `addLookup`; none when left out. */
  readonly lookups?: readonly LookupFile[];
  /** Called as soon as the job exists (before the body is read). */
  readonly onCreated?: (job: Job) => void;
  /** Called with the bytes received so far. */
  readonly onBytes?: (bytesReceived: number) => void;
}

export interface JobQuery {
  readonly status: JobStatus | null;
  /** Part of the name, case-insensitive. */
  readonly q: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** The result as it stands: a growing byte sequence. */
export interface ResultView {
  readonly bytes: number;
  /** True when no further bytes will come. */
  readonly complete: boolean;
  /** Such as 'text/csv; charset=utf-8'. */
  readonly contentType: string;
  /** Suggested file name, unescaped. */
  readonly filename: string;
  /** Strong when complete, null while it grows. */
  readonly etag: string | null;
  /** Throws when bytes `[start, end)` cannot be sent from their first on, or are known as damaged. */
  check(start: number, end: number): Promise<void>;
  /** Bytes [start, end). The stream fails where stored bytes turn out damaged, before the first. */
  stream(start: number, end: number): Readable;
  /** Bytes from `start`, going on while the result grows, until the job ends. */
  follow(start: number, signal: AbortSignal): Readable;
  /** As `follow`, in pieces that are each lent until the next is asked for. */
  lend(start: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface MasterMetrics {
  readonly bytesReceived: number;
  readonly chunksDone: number;
  readonly chunksReused: number;
  readonly chunksFailed: number;
  readonly recordsIn: number;
  readonly jobsActive: number;
  readonly tasksPublished: number;
  readonly announcementsDuplicate: number;
  readonly resultsDamaged: number;
  readonly blobsRemoved: number;
  readonly jobsExpired: number;
  readonly sweepsFailed: number;
}
