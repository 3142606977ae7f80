import { Type, type Static } from 'typebox';

/** Documents of the HTTP API and the Socket.IO events. Times are ISO 8601 UTC, sizes are bytes. */

export const JobStatus = Type.Union([
  Type.Literal('receiving'),
  Type.Literal('processing'),
  Type.Literal('finalizing'),
  Type.Literal('paused'),
  Type.Literal('completed'),
  Type.Literal('completed_with_failures'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
]);
export type JobStatus = Static<typeof JobStatus>;

/** No status follows one of these, but by `retry`. */
export const FINAL_STATUSES: readonly JobStatus[] = [
  'completed',
  'completed_with_failures',
  'failed',
  'cancelled',
];

export const ColumnType = Type.Union([
  Type.Literal('string'),
  Type.Literal('integer'),
  Type.Literal('number'),
  Type.Literal('boolean'),
  Type.Literal('date'),
  Type.Literal('datetime'),
]);
export type ColumnType = Static<typeof ColumnType>;

export const Column = Type.Object({ name: Type.String(), type: ColumnType });
export type Column = Static<typeof Column>;

export const ChunkCounts = Type.Object({
  queued: Type.Integer(),
  running: Type.Integer(),
  done: Type.Integer(),
  reused: Type.Integer(),
  failed: Type.Integer(),
});
export type ChunkCounts = Static<typeof ChunkCounts>;

/** What a wave's tasks do with what they read. */
export const JobWaveKind = Type.Union([
  Type.Literal('read'),
  Type.Literal('sort'),
  Type.Literal('limit'),
  Type.Literal('distinct'),
  Type.Literal('duplicates'),
  Type.Literal('group'),
  Type.Literal('lookup'),
  Type.Literal('match'),
  Type.Literal('join'),
  /** No wave of the plan: results are merged with others, so that the next wave reads fewer. */
  Type.Literal('gather'),
]);

/** One pass over the data: the first reads the input, each later one what the one before it gave. */
export const JobWave = Type.Object({
  kind: JobWaveKind,
  /** Index of its first chunk; null until it is planned. */
  firstChunk: Type.Union([Type.Integer(), Type.Null()]),
  /** Chunks known so far. */
  chunks: Type.Integer(),
  /** Chunks done, reused or failed. */
  answered: Type.Integer(),
});
export type JobWave = Static<typeof JobWave>;

export const JobError = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
});
export type JobError = Static<typeof JobError>;

/** What was found out about the input before the first chunk. */
export const InputDescription = Type.Object({
  format: Type.Union([Type.Literal('csv'), Type.Literal('ndjson'), Type.Literal('json')]),
  encoding: Type.String(),
  compression: Type.String(),
  delimiter: Type.String(),
  quote: Type.String(),
  escape: Type.String(),
  newline: Type.String(),
  comment: Type.String(),
  header: Type.Boolean(),
  skip: Type.Integer(),
  /** Columns of the input, in file order, with their frozen types. */
  columns: Type.Array(Column),
});
export type InputDescription = Static<typeof InputDescription>;

/**
 * Whom a job that is under way waits for. `upload`: the workers are done with all that has come;
 * `workers`: so much is stored and not processed that the upload is held up; `no-worker`: none is
 * there; `broker`: it cannot be reached; `turn`: the workers are at other jobs.
 */
export const Awaited = Type.Union([
  Type.Literal('upload'),
  Type.Literal('workers'),
  Type.Literal('no-worker'),
  Type.Literal('broker'),
  Type.Literal('turn'),
]);
export type Awaited = Static<typeof Awaited>;

export const Job = Type.Object({
  id: Type.String(),
  name: Type.String(),
  status: JobStatus,
  createdAt: Type.String(),
  updatedAt: Type.String(),
  /** Hash of the ordered chunk keys and the header; null until the input is complete. */
  inputHash: Type.Union([Type.String(), Type.Null()]),
  /** The plan as given. */
  plan: Type.Unknown(),
  bytesReceived: Type.Integer(),
  /** Null when the client did not say. */
  bytesTotal: Type.Union([Type.Integer(), Type.Null()]),
  /** Of `bytesReceived`, in proportion to the work that is done in all waves. */
  bytesProcessed: Type.Integer(),
  recordsIn: Type.Integer(),
  recordsOut: Type.Integer(),
  rejected: Type.Integer(),
  filtered: Type.Integer(),
  deduplicated: Type.Integer(),
  aggregated: Type.Integer(),
  /** Records of the input that came to tasks of later waves which failed; 0 while there are tasks. So
   *  recordsIn = recordsOut + rejected + filtered + deduplicated + aggregated + failed at the end. */
  failed: Type.Integer(),
  /** Groups and joined records that were rejected: none of the input's, so in no other count. */
  derivedRejected: Type.Integer(),
  /** Of all waves planned so far. */
  chunks: ChunkCounts,
  /** The waves of the plan, in order; empty until the input was sniffed. */
  waves: Type.Array(JobWave),
  etaMs: Type.Union([Type.Integer(), Type.Null()]),
  /** Null while its work goes on, and when it has ended. */
  waitsFor: Type.Union([Awaited, Type.Null()]),
  error: Type.Union([JobError, Type.Null()]),
  /** Null until sniffed. */
  input: Type.Union([InputDescription, Type.Null()]),
  /** Records that did not meet a check of severity warn; they are kept. */
  warned: Type.Array(Type.Object({ check: Type.String(), records: Type.Integer() })),
  /** What was assumed about the input that its owner may want to know, in sentences. */
  warnings: Type.Array(Type.String()),
  /** Columns of the output, in order; null until the input was sniffed. */
  outputColumns: Type.Union([Type.Array(Column), Type.Null()]),
  /** Chunks merged in file order so far: the prefix of the result that can be downloaded. */
  watermark: Type.Integer(),
  /** Bytes of the result that can be downloaded now. */
  resultBytes: Type.Integer(),
  /** Records of the result now: recordsOut for record plans, groups for aggregates. */
  resultRecords: Type.Integer(),
  /** Whether the result grows while the job runs (record plans) or comes at the end (aggregates). */
  resultGrows: Type.Boolean(),
});
export type Job = Static<typeof Job>;

export const ChunkStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('done'),
  Type.Literal('reused'),
  Type.Literal('failed'),
]);
export type ChunkStatus = Static<typeof ChunkStatus>;

export const Chunk = Type.Object({
  /** Counts through all waves. */
  index: Type.Integer(),
  /** 0 for a chunk of the input; later waves work on what the ones before them gave. */
  wave: Type.Integer(),
  chunkKey: Type.String(),
  taskKey: Type.String(),
  status: ChunkStatus,
  records: Type.Integer(),
  bytes: Type.Integer(),
  worker: Type.Union([Type.String(), Type.Null()]),
  attempts: Type.Integer(),
  reused: Type.Boolean(),
  ms: Type.Union([Type.Number(), Type.Null()]),
  rejected: Type.Integer(),
  error: Type.Union([JobError, Type.Null()]),
});
export type Chunk = Static<typeof Chunk>;

export const ChunkPage = Type.Object({
  chunks: Type.Array(Chunk),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
});
export type ChunkPage = Static<typeof ChunkPage>;

export const JobPage = Type.Object({
  jobs: Type.Array(Job),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
});
export type JobPage = Static<typeof JobPage>;

/** A page of output records. A cell is null when the field is NULL (empty under `nullstr`). */
export const RecordPage = Type.Object({
  columns: Type.Array(Column),
  offset: Type.Integer(),
  /** Text of the cells, unquoted. */
  records: Type.Array(Type.Array(Type.Union([Type.String(), Type.Null()]))),
  /** Output records available now. */
  available: Type.Integer(),
  /** True when no further records will come. */
  complete: Type.Boolean(),
});
export type RecordPage = Static<typeof RecordPage>;

/** A record that was not taken, with its place. Numbers count from 1, but `byteOffset` from 0. */
export const Reject = Type.Object({
  /** Data record in the input, the header not counted; of a group, among those that came to its wave. */
  record: Type.Integer(),
  /** Line in the (decompressed, UTF-8) input, header and preamble included; null for a group. */
  line: Type.Union([Type.Integer(), Type.Null()]),
  /** Offset of its first byte in the (decompressed, UTF-8) input; null for a group. */
  byteOffset: Type.Union([Type.Integer(), Type.Null()]),
  /** Column of the first fault; null when it concerns the record as a whole. */
  column: Type.Union([Type.Integer(), Type.Null()]),
  columnName: Type.Union([Type.String(), Type.Null()]),
  /** Step of the plan that rejected it, from 1, as `--explain` counts; null for a record that cannot
   *  be read, or does not meet the plan's `schema`. */
  step: Type.Union([Type.Integer(), Type.Null()]),
  /** Frictionless error code: 'missing-cell', 'extra-cell', 'type-error', 'encoding-error', ... */
  code: Type.String(),
  message: Type.String(),
  /** The record as it stood, line end excluded; of what is `derived` the cells that came to its wave.
   *  Latin-1 of the bytes when `rawEncoding` says so. */
  raw: Type.String(),
  rawEncoding: Type.Union([Type.Literal('utf-8'), Type.Literal('latin-1')]),
  chunk: Type.Integer(),
  /** Of the chunk: 0 for a record of the input as it was read. */
  wave: Type.Integer(),
  /** Whether it is a group, or one of several records that a join made of one. */
  derived: Type.Boolean(),
});
export type Reject = Static<typeof Reject>;

export const RejectPage = Type.Object({
  offset: Type.Integer(),
  rejects: Type.Array(Reject),
  available: Type.Integer(),
  complete: Type.Boolean(),
});
export type RejectPage = Static<typeof RejectPage>;

/** Of a detailed profile. Quantiles lie within 0.4 % of a value; so do the ends of the histogram's
 *  bins for the values near them. The rest is exact. */
export const ColumnDetailProfile = Type.Object({
  /** Of the numbers, as a sample; null for less than two. */
  stddev: Type.Union([Type.Number(), Type.Null()]),
  /** Of the numbers; empty when there are none. */
  quantiles: Type.Array(Type.Object({ share: Type.Number(), value: Type.Number() })),
  /** Bins of equal width over the numbers; empty when there are none. */
  histogram: Type.Array(
    Type.Object({ from: Type.Number(), to: Type.Number(), count: Type.Integer() }),
  ),
  /** The most frequent values; null when there are too many different ones. */
  frequent: Type.Union([
    Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() })),
    Type.Null(),
  ]),
});
export type ColumnDetailProfile = Static<typeof ColumnDetailProfile>;

/** Profile of one column over the records merged so far. Counts are exact unless called estimates. */
export const ColumnProfile = Type.Object({
  name: Type.String(),
  /** Records seen. */
  count: Type.Integer(),
  /** Cells that are NULL: what `nullstr` says, null in JSON. */
  nulls: Type.Integer(),
  /** Cells that are a text of no characters, and not NULL. */
  empty: Type.Integer(),
  /** Narrowest type that every cell with a value fits; here and below those are neither NULL nor empty. */
  inferredType: ColumnType,
  /** Share of the cells with a value that fit each type, 0 to 1. */
  typeShares: Type.Record(Type.String(), Type.Number()),
  /** By value for numbers and times, bytewise for text; null when no cell has a value. */
  min: Type.Union([Type.String(), Type.Null()]),
  max: Type.Union([Type.String(), Type.Null()]),
  /** Mean of the numbers; null when none. Exact sum, rounded once. */
  mean: Type.Union([Type.Number(), Type.Null()]),
  lengthMin: Type.Integer(),
  lengthMax: Type.Integer(),
  /** HyperLogLog estimate, standard error 0.81 %. */
  distinctEstimate: Type.Integer(),
  /** When the plan asks for it. */
  detail: Type.Optional(ColumnDetailProfile),
});
export type ColumnProfile = Static<typeof ColumnProfile>;

export const Profile = Type.Object({
  jobId: Type.String(),
  /** Records profiled; grows while the job runs. */
  records: Type.Integer(),
  complete: Type.Boolean(),
  columns: Type.Array(ColumnProfile),
});
export type Profile = Static<typeof Profile>;

export const WorkerInfo = Type.Object({
  name: Type.String(),
  host: Type.String(),
  pid: Type.Integer(),
  state: Type.Union([
    Type.Literal('idle'),
    Type.Literal('working'),
    Type.Literal('draining'),
    Type.Literal('stopped'),
    Type.Literal('lost'),
  ]),
  startedAt: Type.String(),
  lastSeenAt: Type.String(),
  tasksDone: Type.Integer(),
  tasksReused: Type.Integer(),
  tasksFailed: Type.Integer(),
  bytesDone: Type.Integer(),
  recordsDone: Type.Integer(),
  busyMs: Type.Number(),
  residentBytes: Type.Integer(),
  currentTask: Type.Union([
    Type.Null(),
    Type.Object({ jobId: Type.String(), chunkIndex: Type.Integer() }),
  ]),
});
export type WorkerInfo = Static<typeof WorkerInfo>;

/** Answer of GET /api/workers. */
export const WorkerList = Type.Object({
  workers: Type.Array(WorkerInfo),
  queue: Type.Object({
    kind: Type.Union([Type.Literal('in-process'), Type.Literal('rabbitmq')]),
    connected: Type.Boolean(),
    address: Type.String(),
    error: Type.Union([Type.String(), Type.Null()]),
  }),
});
export type WorkerList = Static<typeof WorkerList>;

/** Answer of POST /api/sniff. */
export const SniffAnswer = Type.Object({
  input: InputDescription,
  /** First records as text; null for NULL. */
  records: Type.Array(Type.Array(Type.Union([Type.String(), Type.Null()]))),
  /** Bytes looked at. */
  sampleBytes: Type.Integer(),
  warnings: Type.Array(Type.String()),
});
export type SniffAnswer = Static<typeof SniffAnswer>;

/** Answer of POST /api/lookups: a file that plans may join to. */
export const StoredLookup = Type.Object({
  name: Type.String(),
  /** sha256 of the file's bytes: how a job refers to it. */
  key: Type.String(),
  bytes: Type.Integer(),
});
export type StoredLookup = Static<typeof StoredLookup>;

/** RFC 9457 problem details, with Sluice's members `code` and `details`. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.Optional(Type.String()),
  code: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
});
export type Problem = Static<typeof Problem>;
