import type { MessagePort } from 'node:worker_threads';
import type { UnmarkedCompression } from '../../pipeline/dialect/compression.ts';
import type { BlobPlace } from '../../pipeline/storage/open-blob-store.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import type { ChunkLimits } from '../../pipeline/limits.ts';
import type { ChunkStatistics, InputDescription } from '../../pipeline/protocol/index.ts';
import type { JobFacts, NewChunk } from '../storage/job-record.ts';

/** What passes between the master's main thread and its ingest threads. Plain data. */

/** Given to a thread when it is started. */
export interface ThreadData {
  readonly place: BlobPlace;
}

/** Opens a session: one input, from its first byte to its end, over a port of its own. */
export interface OpenMessage {
  readonly port: MessagePort;
  readonly input: InputRequest;
}

export interface InputRequest {
  readonly planText: string;
  readonly formatHint: InputDescription['format'] | null;
  readonly compressionHint: UnmarkedCompression | null;
  /** Whether a plan without steps makes a profile. */
  readonly profile: boolean;
  readonly lookupFiles: JobFacts['lookupFiles'];
  readonly chunkLimits: ChunkLimits;
  /** Where the body's bytes come. */
  readonly ring: SharedArrayBuffer;
  /** A local file that the thread reads itself, in place of a body. */
  readonly file: string | null;
  /** As `room`, at the start. */
  readonly roomChunks: number;
  /** Null for an input that nobody has read before. */
  readonly earlier: EarlierReading | null;
}

/** Of an input that was read in part before, by another session or by another process. */
export interface EarlierReading {
  /** Keys of the chunks that it stored, in file order. */
  readonly chunkKeys: readonly string[];
  /** The body starts behind these chunks. Null: it starts at the input's first byte. */
  readonly from: ReadingPoint | null;
}

export interface ReadingPoint {
  readonly byteOffset: number;
  readonly line: number;
  readonly contextKey: string;
  readonly context: ChunkContext;
}

export type ToSession =
  /** So many bytes more are in the ring. */
  | { readonly kind: 'body'; readonly bytes: number }
  | { readonly kind: 'body-end' }
  /** Chunks with a lower index than this may be written. Never falls. */
  | { readonly kind: 'room'; readonly chunks: number }
  /** Stops; answered with `failed` when nothing is being written any more. */
  | { readonly kind: 'abort' };

/** Facts of a job that are known once its input was sniffed. */
export type InputFacts = Pick<
  JobFacts,
  | 'input'
  | 'warnings'
  | 'checks'
  | 'waves'
  | 'outputColumns'
  | 'shape'
  | 'resultFormat'
  | 'lookups'
  | 'dataOffset'
  | 'dataLine'
>;

export type FromSession =
  /** Bytes that were used up: that many more may come. From a file: that were read. */
  | { readonly kind: 'taken'; readonly bytes: number }
  /** Before any chunk. */
  | {
      readonly kind: 'described';
      readonly facts: InputFacts;
      /** Where the text starts in the body, when it is the body's own bytes; else null. */
      readonly textStart: number | null;
    }
  /** The next chunk in file order is durable; with what its task gave earlier, if it was done. */
  | {
      readonly kind: 'stored';
      readonly chunk: NewChunk;
      readonly answer: StoredAnswer | null;
      /** Line of the first byte behind the chunk. */
      readonly endLine: number;
    }
  /** The last message of a session. */
  | { readonly kind: 'finished'; readonly inputHash: string }
  | { readonly kind: 'failed'; readonly error: ErrorDocument };

export interface StoredAnswer {
  readonly statistics: ChunkStatistics;
  /** False for what the thread answered itself: an oversized record. */
  readonly reused: boolean;
}
