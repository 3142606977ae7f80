import { isFinal, queuedCount } from '../coordination/decide.ts';
import type { Job } from '../../pipeline/protocol/index.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import type { JobRecord } from '../storage/job-record.ts';

/** What the aggregator knows of the result now. */
export interface ResultSize {
  readonly bytes: number;
  readonly records: number;
}

/** The job as the API shows it. */
export function jobDocument(
  job: JobRecord | ActiveJob,
  result: ResultSize,
  etaMs: number | null,
): Job {
  const { state, facts } = job;
  const { recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated } = state.totals;
  return {
    id: job.id,
    name: job.name,
    status: state.status,
    createdAt: job.createdAt,
    updatedAt: job.updatedAt,
    inputHash: facts.inputHash,
    plan: facts.plan,
    bytesReceived: facts.bytesReceived,
    bytesTotal: facts.bytesTotal,
    bytesProcessed: bytesProcessed(job),
    ...{ recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated },
    chunks: {
      queued: queuedCount(state),
      running: state.running.length,
      done: state.doneCount,
      reused: state.reusedCount,
      failed: state.failed.length,
    },
    etaMs,
    error: state.error === null ? null : { ...state.error, details: { ...state.error.details } },
    input: facts.input,
    warnings: [...facts.warnings],
    outputColumns: facts.outputColumns === null ? null : [...facts.outputColumns],
    watermark: state.watermark,
    resultBytes: result.bytes,
    resultRecords: result.records,
    resultGrows: facts.shape !== 'aggregate',
  };
}

/**
 * Input bytes that are answered for, in the bytes the client sent. Exact when the input is plain
 * UTF-8; for compressed or transcoded input in proportion to the decoded text.
 */
export function bytesProcessed(job: JobRecord | ActiveJob): number {
  const { state, facts } = job;
  const { bytesReceived, dataOffset, input } = facts;
  const answered = state.doneCount + state.reusedCount;
  if (state.input === 'complete' && answered === state.chunkCount) return bytesReceived;
  if (answered === 0) return 0;
  const plain =
    input?.compression === 'none' && input.encoding === 'utf-8' && input.format !== 'json';
  if (plain) return Math.min(bytesReceived, dataOffset + state.totals.bytesIn);
  const share = answered / Math.max(1, state.chunkCount);
  return Math.min(bytesReceived, Math.floor(share * bytesReceived));
}

/** Milliseconds until the job is done, from the rate of the last seconds. */
export function etaMs(job: ActiveJob): number | null {
  if (isFinal(job.state) || job.state.status === 'paused') return null;
  const perMs = job.rate.perMs();
  if (perMs === null) return null;
  const total = job.facts.bytesTotal ?? job.facts.bytesReceived;
  return Math.max(0, Math.round((total - bytesProcessed(job)) / perMs));
}
