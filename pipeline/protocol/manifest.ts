import { Type, type Static } from 'typebox';
import { ChunkStatus, Column, InputDescription, JobStatus, JobWaveKind } from './job.ts';

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** A run of bytes `[start, end)` of the result, with the hash of them. */
export const OutputPart = Type.Object({
  /** What it is: the output of one chunk, a piece of an output that is stored as one, or a frame. */
  kind: Type.Union([
    Type.Literal('header'),
    Type.Literal('chunk'),
    Type.Literal('piece'),
    Type.Literal('footer'),
  ]),
  chunk: Type.Union([Type.Integer(), Type.Null()]),
  start: Type.Integer(),
  end: Type.Integer(),
  /** Output records before it, and in it; null where that is not known. */
  firstRecord: Type.Union([Type.Integer(), Type.Null()]),
  records: Type.Union([Type.Integer(), Type.Null()]),
  /** Of `output.omitted` and the bytes for the first chunk that has any; else of the bytes. */
  sha256: Sha256,
});
export type OutputPart = Static<typeof OutputPart>;

/** Hashes by which anyone can check the result without the server; docs/manifest.md says how. */
export const ManifestIntegrity = Type.Object({
  recipe: Type.Integer(),
  hash: Type.Literal('sha-256'),
  /** Over all of the following: equal for equal inputs, plans and results, whoever made them. */
  root: Sha256,
  engine: Type.String(),
  input: Type.Object({
    /** Over header and chunks. */
    hash: Type.String(),
    chunks: Type.Integer(),
    /** Merkle root over the chunks of the input. */
    root: Sha256,
  }),
  plan: Type.Object({ sha256: Sha256, contextKey: Type.String() }),
  output: Type.Object({
    bytes: Type.Integer(),
    records: Type.Integer(),
    /** Stands before the first chunk's bytes when they are hashed, and not in the result. */
    omitted: Type.String(),
    /** Merkle root over `parts`. */
    root: Sha256,
    /** All bytes of the result, in order. */
    parts: Type.Array(OutputPart),
  }),
  totals: Type.Object({
    recordsIn: Type.Integer(),
    recordsOut: Type.Integer(),
    rejected: Type.Integer(),
    filtered: Type.Integer(),
    deduplicated: Type.Integer(),
    aggregated: Type.Integer(),
    failed: Type.Integer(),
  }),
  /** Chunks that the result lacks. */
  failedChunks: Type.Array(Type.Integer()),
});
export type ManifestIntegrity = Static<typeof ManifestIntegrity>;

/** The account of a job: what came in, what became of it, and the hashes that prove it. */
export const Manifest = Type.Object({
  version: Type.Literal(2),
  jobId: Type.String(),
  name: Type.String(),
  status: JobStatus,
  engine: Type.String(),
  inputHash: Type.Union([Type.String(), Type.Null()]),
  contextKey: Type.Union([Type.String(), Type.Null()]),
  plan: Type.Unknown(),
  input: Type.Union([InputDescription, Type.Null()]),
  outputColumns: Type.Union([Type.Array(Column), Type.Null()]),
  totals: Type.Object({
    bytesIn: Type.Integer(),
    recordsIn: Type.Integer(),
    recordsOut: Type.Integer(),
    rejected: Type.Integer(),
    filtered: Type.Integer(),
    deduplicated: Type.Integer(),
    aggregated: Type.Integer(),
    /** Records of the input that came to tasks of later waves which failed. */
    failed: Type.Integer(),
    /** Groups and joined records that were rejected: in none of the counts above. */
    derivedRejected: Type.Integer(),
    resultBytes: Type.Integer(),
    resultRecords: Type.Integer(),
  }),
  /**
   * Whether recordsIn = recordsOut + rejected + filtered + deduplicated + aggregated in each chunk,
   * and, of a completed job, with `failed` in the totals; and each of its waves took the records that
   * the one before it put out, but those of its failed tasks.
   */
  balanced: Type.Boolean(),
  /** What each wave did with the records that came to it; none come to a wave that compares keys. */
  waves: Type.Array(
    Type.Object({
      kind: JobWaveKind,
      recordsIn: Type.Integer(),
      recordsOut: Type.Integer(),
      rejected: Type.Integer(),
      filtered: Type.Integer(),
      deduplicated: Type.Integer(),
      aggregated: Type.Integer(),
      /** Records that came to its failed tasks: they are in no other count. */
      failed: Type.Integer(),
      /** What it put out: recordsOut, or groups, or joined records. */
      outputRecords: Type.Integer(),
    }),
  ),
  /** Null until the job is at its end. */
  integrity: Type.Union([ManifestIntegrity, Type.Null()]),
  chunks: Type.Array(
    Type.Object({
      index: Type.Integer(),
      wave: Type.Integer(),
      chunkKey: Type.String(),
      taskKey: Type.String(),
      status: ChunkStatus,
      byteOffset: Type.Integer(),
      bytes: Type.Integer(),
      recordsIn: Type.Integer(),
      recordsOut: Type.Integer(),
      rejected: Type.Integer(),
      filtered: Type.Integer(),
      deduplicated: Type.Integer(),
      aggregated: Type.Integer(),
      outputBytes: Type.Integer(),
    }),
  ),
});
export type Manifest = Static<typeof Manifest>;
