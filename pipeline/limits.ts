/**
 * Every bound of Sluice, with its unit in the name and where the number comes from.
 * Raising one is a decision; scattering one is a defect.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

/** Bounds of the content-defined chunker. Tests use small ones; production uses `CHUNK_LIMITS`. */
export interface ChunkLimits {
  /** No boundary before this many bytes. */
  readonly minBytes: number;
  /** From here boundaries get likely: about 85 % of chunks end before `easeBytes`. */
  readonly targetBytes: number;
  /** From here boundaries get very likely. */
  readonly easeBytes: number;
  /** A chunk never exceeds this, unless one record alone does (`recordBytesMax`). */
  readonly maxBytes: number;
}

/** 1 to 16 MiB, mostly 4 to 8: 20 to 60 ms of work, so that a retry is cheap and a queue hop is small. */
export const CHUNK_LIMITS: ChunkLimits = {
  minBytes: 1 * MIB,
  targetBytes: 4 * MIB,
  easeBytes: 8 * MIB,
  maxBytes: 16 * MIB,
};

/** Bounds of what goes from one wave of tasks to the next. Tests use small ones. */
export interface ExchangeLimits {
  /** A block ends with the record that makes it so large. */
  readonly blockBytes: number;
  /** Bytes that a task of the next wave reads. */
  readonly partitionBytes: number;
  /** As above, where there are so many results to read from that small tasks would read blocks
   *  mostly in vain. */
  readonly partitionBytesMax: number;
  /** No task is made that reads more. */
  readonly taskBytesMax: number;
  /** Results whose entries a wave reads in the order of their keys as they are; of more they are
   *  gathered in so many at a time before. */
  readonly fanInMax: number;
  /** The same of gathered ones, each of which is many results in a row. */
  readonly gatheredFanInMax: number;
  /** As `blockBytes`, of gathered entries. */
  readonly gatheredBlockBytes: number;
}

/** A block of each of 400 chunks (2 GB) is 6 MiB, its checksum and key some 0.3 % of it. A task's
 *  slices are held twice, and its output once: 64 MiB fit a worker's 384 MiB. Of 1024 chunks (5 GB) a
 *  task reads 16 MiB in vain, and the master holds some 40 MiB of indexes; the same of 32 times 1024
 *  gathered ones (160 GB), whose larger blocks have a shorter index. */
export const EXCHANGE_LIMITS: ExchangeLimits = {
  blockBytes: 16 * KIB,
  partitionBytes: 16 * MIB,
  partitionBytesMax: 64 * MIB,
  taskBytesMax: 128 * MIB,
  fanInMax: 1024,
  gatheredFanInMax: 32,
  gatheredBlockBytes: 512 * KIB,
};

export const LIMITS = {
  /** A longer record is a reject, or fails the job: it would not fit a chunk. */
  recordBytesMax: 16 * MIB,
  /** Raw bytes of one record kept in the rejects when the record exceeds `recordBytesMax`. */
  oversizedRawBytesMax: 64 * KIB,
  /** 20,000 columns x 20 typed-array slots stay under 4 MiB. */
  columnCountMax: 20_000,
  headerBytesMax: 1 * MIB,
  /** Bytes looked at to find encoding, dialect, header and types. Same as one read-ahead window. */
  sniffBytesMax: 1 * MIB,
  /** Bytes looked at to know a compression by its magic number: a tar archive has its at 257. */
  magicBytesMax: 512,
  /** Records looked at to infer types; DuckDB's sample_size. */
  sniffRecordsMax: 20_480,
  /** Decompression bombs: gzip's best honest ratio on CSV is some 60:1. */
  decompressionRatioMax: 200,
  decompressionFreeBytes: 64 * MIB,
  decompressedBytesMax: 4 * TIB,
  /** Of a zstd frame, in the memory of its upload's master: zstd up to -19 takes 8 MiB, -21 and
   *  --long=26 this, -22 and --long=27 twice as much. */
  zstdWindowBytesMax: 64 * MIB,
  uploadBytesMax: 1 * TIB,
  planBytesMax: 1 * MIB,
  planStepsMax: 1_000,
  /** What the steps come to, a step on each column being one for each: twice every column. */
  planOperationsMax: 40_000,
  /** A regular expression is compiled while a request waits: some 50 ms for one of this length. */
  patternCharsMax: 10_000,
  nameCharsMax: 255,
  /** Published and unanswered tasks per live worker: one in work, one prefetched, two on the way. */
  windowTasksPerWorker: 4,
  /** Window while no worker is known yet. */
  windowTasksMin: 8,
  /** Chunks of a job that may be published from its watermark on: with few workers, and for each
   *  task of the window with many, so that a slow chunk does not hold up the others. */
  reorderChunksMin: 512,
  reorderChunksPerTask: 2,
  /** Tasks a worker holds: one in work, one whose bytes are being fetched. */
  workerPrefetchTasks: 2,
  /** Memory that chunks are read into comes in steps of so many bytes, which most chunks fit. */
  chunkMemoryStepBytes: CHUNK_LIMITS.easeBytes,
  /** Slices of earlier results that a worker fetches at a time, for one task. */
  sliceFetchesMax: 8,
  /** Results whose index the master reads at a time, to plan a wave; and documents it writes. */
  exchangeReadsMax: 8,
  /** Chunks of one upload that are written and not yet known to be on the disk. Each keeps one of
   *  the process's four threads for file calls waiting: one stays free. */
  uploadWritesInFlightMax: 3,
  /** Bytes of one upload on their way to its ingest thread: some 5 ms of its work, about as long as
   *  it takes to hash and write one chunk, while it reads nothing. */
  uploadBytesInFlightMax: 4 * MIB,
  /** The ingest thread is told of so many bytes at once, while it has others to work on: a message
   *  costs as much as scanning 20 KiB. */
  uploadMessageBytes: 256 * KIB,
  /** A resumable upload's spool is a row of files of this size: the smallest part that is deleted. */
  spoolFileBytes: 8 * MIB,
  /** Bytes of a resumable upload that a crash may cost: received, and neither synced in the spool
   *  nor in a stored chunk. Above what plain text has on its way into chunks, so that its spool is
   *  deleted before it is worth a sync. */
  spoolUnsyncedBytesMax: 48 * MIB,
  /** Of a part that comes with a checksum, which is read only when it is whole and right. */
  uploadCheckedBytesMax: 1 * GIB,
  /** An upload whose client is gone keeps its reader (some 40 MiB) for so long; then it is rebuilt. */
  uploadReaderIdleMs: 60_000,
  /** A resumable upload is given up when its client was silent for a day. */
  uploadExpiryMs: 24 * 60 * 60 * 1000,
  /** A request for an upload waits so long for the one before it to let go. */
  uploadLockWaitMs: 20_000,
  /** Threads that cut and hash; further uploads share them. More than the cores is of no use. */
  ingestThreadsMax: 4,
  /** Chunks of one job that are stored and not yet answered, before its upload has to wait: workers
   *  that are slow or absent slow the client down instead of filling the disk. With many workers as
   *  many as the window has tasks, or one upload could not feed them all. */
  backlogChunksMin: 256,
  /** A failing chunk is tried on this many attempts before it is quarantined. */
  chunkAttemptsMax: 4,
  /** Deliveries of one message before the broker dead-letters it (worker crashes count). A dead
   *  letter is one failed attempt: a poison chunk ends some 12 workers at the most. */
  deliveryLimit: 3,
  /** Groups of one chunk, held in memory: those of all chunks are merged range by range. */
  groupCountMax: 2_000_000,
  /** Text of a lookup that every worker holds whole, decoded: some million short records. A larger
   *  one is cut into parts, and joined in waves. */
  lookupHeldBytesMax: 64 * MIB,
  /** What the lookups of one plan take in a worker that has loaded them: a third of its memory. */
  lookupMemoryBytesMax: 128 * MIB,
  /** One lookup file, as it comes and decoded: its pieces and parts are listed in memory. */
  lookupBytesMax: 16 * GIB,
  /** A lookup file is stored in pieces of this size, each of them in memory until it is whole. */
  lookupPieceBytes: 16 * MIB,
  /** Lookup files that come with one job. */
  lookupCountMax: 16,
  /** Output of one chunk when a join multiplies its records. */
  joinOutputBytesMax: 128 * MIB,
  /** Column chunks of a Parquet result: the footer, which is made in memory, has some 200 bytes for
   *  each, and its writer twice as much. */
  parquetColumnChunksMax: 200_000,
  /** Records from which on a share of rejects can stop a job: of fewer, a few bad ones are a large share. */
  budgetRecordsMin: 10_000,
  /** JSON nesting; deeper documents are hostile. */
  jsonDepthMax: 256,
  jsonKeyBytesMax: 64 * KIB,
  /** Records a page of the API returns at most. */
  pageRecordsMax: 1_000,
  pageRecordsDefault: 100,
  /** Socket.IO progress events per second and watched job. */
  progressPerSecondMax: 4,
  /** A worker that was silent this long is shown as lost (heartbeats come every 2 s). */
  workerSilentMs: 10_000,
  workerHeartbeatMs: 2_000,
  /** Resident memory the process is designed for; bench/ shows what it is. */
  masterResidentBytes: 256 * MIB,
  /** On top, for each upload that is under way: 36 MiB were measured. Zstd adds its window. */
  masterResidentBytesPerUpload: 40 * MIB,
  workerResidentBytes: 384 * MIB,
} as const;
