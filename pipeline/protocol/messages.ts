import { Type, type Static } from 'typebox';

/** Wire messages between master and workers. Small: references to blobs, never payloads. */

/** A sub-task: process one chunk under one context. Message id on the broker is `taskKey`. */
export const TaskMessage = Type.Object({
  v: Type.Literal(1),
  taskKey: Type.String(),
  jobId: Type.String(),
  chunkIndex: Type.Integer(),
  chunkKey: Type.String(),
  contextKey: Type.String(),
  /** Bytes of the chunk. */
  bytes: Type.Integer(),
  /** 1 for the first try. Broker redeliveries keep the attempt. */
  attempt: Type.Integer(),
  /** A job's tasks of one round are called back together, see `Revocation`. */
  round: Type.Integer(),
});
export type TaskMessage = Static<typeof TaskMessage>;

/** Tasks of the job up to this round are wanted no more. */
export const Revocation = Type.Object({ jobId: Type.String(), round: Type.Integer() });
export type Revocation = Static<typeof Revocation>;

/**
 * What happened to a chunk's records. recordsIn = recordsOut + rejected + filtered + deduplicated +
 * aggregated. All are counts of input records, but `lines` (line ends in the chunk), bytes, and
 * `outputRecords`: the records of the output, of which a join makes more than went in.
 */
export const ChunkStatistics = Type.Object({
  recordsIn: Type.Integer(),
  recordsOut: Type.Integer(),
  rejected: Type.Integer(),
  filtered: Type.Integer(),
  deduplicated: Type.Integer(),
  aggregated: Type.Integer(),
  /** Records that did not meet a check of severity warn, by the check's number in the plan; left out
   *  when there is no such check. They are among the others too. */
  warned: Type.Optional(Type.Array(Type.Integer())),
  lines: Type.Integer(),
  bytesIn: Type.Integer(),
  outputRecords: Type.Integer(),
  outputBytes: Type.Integer(),
});
export type ChunkStatistics = Static<typeof ChunkStatistics>;

const ErrorDocumentSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
});

/** A worker says: the result of this task is durable under `results/<taskKey>`. */
export const ResultAnnouncement = Type.Object({
  v: Type.Literal(1),
  kind: Type.Literal('result'),
  taskKey: Type.String(),
  jobId: Type.String(),
  chunkIndex: Type.Integer(),
  attempt: Type.Integer(),
  worker: Type.String(),
  /** True when the stored result was found and no work was done. */
  reused: Type.Boolean(),
  /** Milliseconds from delivery to durable result. */
  ms: Type.Number(),
  statistics: ChunkStatistics,
  /** Size and hash of the result object, so that the reader can verify it. */
  resultBytes: Type.Integer(),
});
export type ResultAnnouncement = Static<typeof ResultAnnouncement>;

/** A worker says: this attempt failed. The task message itself is acknowledged. */
export const FailureAnnouncement = Type.Object({
  v: Type.Literal(1),
  kind: Type.Literal('failure'),
  taskKey: Type.String(),
  jobId: Type.String(),
  chunkIndex: Type.Integer(),
  attempt: Type.Integer(),
  worker: Type.String(),
  ms: Type.Number(),
  retryable: Type.Boolean(),
  error: ErrorDocumentSchema,
});
export type FailureAnnouncement = Static<typeof FailureAnnouncement>;

export const WorkerState = Type.Union([
  Type.Literal('idle'),
  Type.Literal('working'),
  Type.Literal('draining'),
  Type.Literal('stopped'),
]);
export type WorkerState = Static<typeof WorkerState>;

/** Heartbeat of a worker, every `workerHeartbeatMs`, on each change of state, and when it stops. */
export const WorkerStatus = Type.Object({
  v: Type.Literal(1),
  kind: Type.Literal('worker'),
  worker: Type.String(),
  host: Type.String(),
  pid: Type.Integer(),
  state: WorkerState,
  startedAt: Type.String(),
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
export type WorkerStatus = Static<typeof WorkerStatus>;

export const Announcement = Type.Union([ResultAnnouncement, FailureAnnouncement, WorkerStatus]);
export type Announcement = Static<typeof Announcement>;
