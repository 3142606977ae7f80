import { ENGINE_VERSION } from '../../pipeline/execution/context.ts';
import type { Chunk, ChunkStatistics, Manifest } from '../../pipeline/protocol/index.ts';
import { ZERO_STATISTICS } from '../coordination/job-state.ts';
import type { ChunkRecord, JobRecord } from '../storage/job-record.ts';
import type { ResultSize } from './job-document.ts';

/** The account of a job as it stands now. Chunks that are not done count nothing yet. */
export function manifest(
  job: Pick<JobRecord, 'id' | 'name' | 'facts' | 'state'>,
  chunks: readonly ChunkRecord[],
  result: ResultSize,
): Manifest {
  const { state, facts } = job;
  const { totals } = state;
  const each = chunks.map((chunk) => chunk.statistics ?? ZERO_STATISTICS);
  const sums = each.reduce((sum, one) => sum + one.recordsIn, 0);
  return {
    version: 1,
    jobId: job.id,
    name: job.name,
    status: state.status,
    engine: ENGINE_VERSION,
    inputHash: facts.inputHash,
    contextKey: facts.contextKey,
    plan: facts.plan,
    input: facts.input,
    outputColumns: facts.outputColumns === null ? null : [...facts.outputColumns],
    totals: {
      bytesIn: totals.bytesIn,
      ...accounts(totals),
      resultBytes: result.bytes,
      resultRecords: result.records,
    },
    balanced: each.every(isBalanced) && isBalanced(totals) && sums === totals.recordsIn,
    chunks: chunks.map((chunk) => {
      const statistics = chunk.statistics ?? ZERO_STATISTICS;
      const { index, chunkKey, taskKey, status, byteOffset, bytes } = chunk;
      return {
        ...{ index, chunkKey, taskKey, status, byteOffset, bytes },
        ...accounts(statistics),
        outputBytes: statistics.outputBytes,
      };
    }),
  };
}

/** Whether every record that came in is accounted for. */
export function isBalanced(one: ChunkStatistics): boolean {
  const out = one.recordsOut + one.rejected + one.filtered + one.deduplicated + one.aggregated;
  return one.recordsIn === out;
}

/** The chunk as the API shows it. */
export function chunkDocument(chunk: ChunkRecord): Chunk {
  const { index, chunkKey, taskKey, status, bytes, worker, attempts, ms, error } = chunk;
  return {
    ...{ index, chunkKey, taskKey, status, bytes, worker, attempts, ms },
    records: chunk.statistics?.recordsIn ?? 0,
    reused: status === 'reused',
    rejected: chunk.statistics?.rejected ?? 0,
    error: error === null ? null : { ...error, details: { ...error.details } },
  };
}

function accounts(one: ChunkStatistics) {
  const { recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated } = one;
  return { recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated };
}
