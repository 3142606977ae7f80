import type { ChunkContext } from '../../pipeline/execution/context.ts';
import type { ErrorDocument } from '../../pipeline/errors.ts';
import type {
  ChunkStatistics,
  ChunkStatus,
  Column,
  InputDescription,
} from '../../pipeline/protocol/index.ts';
import type { ResultFormat } from '../../pipeline/plan/schema.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import type { JobState } from '../coordination/job-state.ts';

/** A job as it is stored: facts that are set once or seldom, and the coordination state. */
export interface JobRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly idempotencyKey: string | null;
  readonly facts: JobFacts;
  readonly state: JobState;
}

/** A file of this name, stored under the hash of its bytes. */
export interface LookupFile {
  readonly name: string;
  readonly key: string;
  /** Of one that is stored in pieces: the hash of each, in order. */
  readonly pieces?: readonly string[];
}

export interface JobFacts {
  /** The plan's text as given; '' for the plain job. */
  readonly planText: string;
  /** The plan as data, for the API. */
  readonly plan: unknown;
  readonly bytesReceived: number;
  readonly bytesTotal: number | null;
  readonly inputHash: string | null;
  /** The lookup files that came with the input. */
  readonly lookupFiles: readonly LookupFile[];
  /** Everything below is null until the input was sniffed. */
  readonly input: InputDescription | null;
  /** What was assumed when the input was sniffed; empty until then. */
  readonly warnings: readonly string[];
  /** Names of the plan's checks that count; empty until then. */
  readonly checks: readonly string[];
  /** One for each wave of the plan. */
  readonly waves: JobWaves | null;
  readonly outputColumns: readonly Column[] | null;
  readonly shape: 'records' | 'aggregate' | null;
  /** What the result is delivered as; another format than the context's for parquet alone. */
  readonly resultFormat: ResultFormat | null;
  /** The lookups of the plan, as they were sniffed; empty until then. */
  readonly lookups: readonly Lookup[];
  /** Byte and line of the first data record in the decoded text. */
  readonly dataOffset: number;
  readonly dataLine: number;
  /** Of a finished aggregate: size and records of its result. */
  readonly resultBytes: number;
  readonly resultRecords: number;
  /** sha256 of each `RESULT_PIECE_BYTES` of a result that is stored as one object; else empty. */
  readonly resultPieces: readonly string[];
  /** Only of a job whose input comes by a resumable upload. */
  readonly upload?: UploadFacts;
}

/** What a resumable upload goes on from after a crash. */
export interface UploadFacts {
  /** As the client gave it when it created the upload. */
  readonly metadata: Readonly<Record<string, string | null>> | null;
  readonly formatHint: InputDescription['format'] | null;
  /** Bytes of the raw input that were in the spool, and on the disk, when this was written. */
  readonly durableBytes: number;
  /** Behind the last stored chunk. Null while the input has to be read from its first byte. */
  readonly resumePoint: ResumePoint | null;
  /** When the client sent something last. ISO 8601 UTC. */
  readonly activeAt: string;
}

/** Where the next chunk starts, of an input that needs no decoding. */
export interface ResumePoint {
  /** In the bytes that the client sends. */
  readonly rawOffset: number;
  /** In the text: behind the byte-order mark. */
  readonly byteOffset: number;
  /** From 0. */
  readonly line: number;
}

/** What the tasks of a wave are computed by. */
export interface JobWave {
  readonly contextKey: string;
  readonly context: ChunkContext;
  /** Name of the lookup whose parts are the wave's tasks. */
  readonly lookup?: string;
}
export type JobWaves = readonly [JobWave, ...JobWave[]];

/** A task: of the first wave a chunk of the input, of later ones a document that names slices. */
export interface ChunkRecord {
  readonly index: number;
  readonly wave: number;
  readonly chunkKey: string;
  readonly taskKey: string;
  /** Offset of the chunk in the decoded text; 0 in later waves. */
  readonly byteOffset: number;
  /** Of the chunk in the input; in later waves of the slices. */
  readonly bytes: number;
  /** Line of the chunk's first record, from 0; 0 in later waves. */
  readonly line: number;
  readonly status: ChunkStatus;
  readonly attempts: number;
  readonly worker: string | null;
  readonly ms: number | null;
  readonly statistics: ChunkStatistics | null;
  readonly error: ErrorDocument | null;
}

/** A chunk that was just stored or planned. */
export type NewChunk = Pick<
  ChunkRecord,
  'index' | 'wave' | 'chunkKey' | 'taskKey' | 'byteOffset' | 'bytes' | 'line'
>;

/** Of each wave, whether its tasks take no records, which go past it: they look at keys only, or read a
 *  lookup. Of one wave when none is known. */
export function comparesKeys(
  waves: readonly Pick<JobWave, 'context' | 'lookup'>[] | null,
): boolean[] {
  return (waves ?? [null]).map((wave) => {
    const input = wave?.context.input ?? 'chunk';
    if (input === 'chunk') return wave?.lookup !== undefined;
    return ['distinct', 'build', 'portions'].includes(input.kind);
  });
}

/** The wave whose outputs are the result. */
export function lastWave(waves: JobWaves): JobWave {
  return waves.at(-1) ?? waves[0];
}
