import { ENGINE_VERSION } from '../../pipeline/execution/context.ts';
import { invariant } from '../../pipeline/errors.ts';
import {
  INTEGRITY_RECIPE,
  inputRoot,
  manifestRoot,
  outputRoot,
  planHash,
} from '../../pipeline/integrity/manifest-root.ts';
import type {
  Chunk,
  ChunkStatistics,
  Manifest,
  ManifestIntegrity,
  OutputPart,
} from '../../pipeline/protocol/index.ts';
import { ZERO_STATISTICS } from '../coordination/job-state.ts';
import type { JobState } from '../coordination/job-state.ts';
import { failedRecords, waveAccounts } from '../coordination/wave-accounts.ts';
import { byWave, derivedRejects, jobTotals } from '../coordination/waves.ts';
import { comparesKeys, lastWave } from '../storage/job-record.ts';
import type { ChunkRecord, JobRecord, JobWaves, JobFacts } from '../storage/job-record.ts';
import { isAccountedFor } from './account.ts';
import { kindOf, type ResultSize } from './job-document.ts';

/**
 * The account of a job as it stands now. Chunks that are not done count nothing yet. `parts` are
 * those of its result when it is at its end, else null.
 */
export function manifest(
  job: Pick<JobRecord, 'id' | 'name' | 'facts' | 'state'>,
  chunks: readonly ChunkRecord[],
  result: ResultSize,
  parts: readonly OutputPart[] | null,
): Manifest {
  const { state, facts } = job;
  const keysOnly = byWave(state, comparesKeys(facts.waves));
  const totals = jobTotals(state, keysOnly.length);
  const each = chunks.map((chunk) => chunk.statistics ?? ZERO_STATISTICS);
  const sums = chunks
    .filter(({ wave }) => wave === 0)
    .reduce((sum, { statistics }) => sum + (statistics?.recordsIn ?? 0), 0);
  return {
    version: 2,
    jobId: job.id,
    name: job.name,
    status: state.status,
    engine: engineOf(facts),
    inputHash: facts.inputHash,
    contextKey: facts.waves?.[0].contextKey ?? null,
    plan: facts.plan,
    input: facts.input,
    outputColumns: facts.outputColumns === null ? null : [...facts.outputColumns],
    totals: {
      bytesIn: totals.bytesIn,
      ...accounts(totals),
      failed: failedRecords(state, keysOnly),
      derivedRejected: derivedRejects(state),
      resultBytes: result.bytes,
      resultRecords: result.records,
    },
    balanced: isAccountedFor(state, keysOnly, each) && sums === totals.recordsIn,
    waves: waveAccountsOf(state, facts.waves),
    integrity: parts === null ? null : integrity(job, chunks, result, parts),
    chunks: chunks.map((chunk) => {
      const statistics = chunk.statistics ?? ZERO_STATISTICS;
      const { index, wave, chunkKey, taskKey, status, byteOffset, bytes } = chunk;
      return {
        ...{ index, wave, chunkKey, taskKey, status, byteOffset, bytes },
        ...accounts(statistics),
        outputBytes: statistics.outputBytes,
      };
    }),
  };
}

/** What each wave planned so far did with what came to it. */
function waveAccountsOf(state: JobState, waves: JobWaves | null): Manifest['waves'] {
  const planned = byWave(state, waves ?? []);
  return waveAccounts(state, byWave(state, comparesKeys(waves))).map(({ failed }, at) => {
    const totals = state.waves[at]?.totals ?? ZERO_STATISTICS;
    const { outputRecords } = totals;
    const wave = planned[at];
    const kind = wave === undefined ? 'read' : kindOf(wave, state.waves[at]);
    return { kind, ...accounts(totals), failed, outputRecords };
  });
}

/** The hashes over a finished job, from those of its chunks and of the parts of its result. */
function integrity(
  { facts, state }: Pick<JobRecord, 'facts' | 'state'>,
  chunks: readonly ChunkRecord[],
  result: ResultSize,
  parts: readonly OutputPart[],
): ManifestIntegrity {
  const { waves, inputHash, outputColumns } = facts;
  invariant(waves !== null, 'the input was sniffed');
  invariant(inputHash !== null && outputColumns !== null, 'the input is complete');
  const { format } = lastWave(waves).context.write;
  const isLed = parts.some(({ kind }) => kind === 'chunk') && format === 'json';
  const ofInput = chunks.filter(({ wave }) => wave === 0);
  const proven = {
    ...{ recipe: INTEGRITY_RECIPE, hash: 'sha-256' as const, engine: engineOf({ waves }) },
    input: { hash: inputHash, chunks: ofInput.length, root: inputRoot(ofInput) },
    plan: { sha256: planHash(facts.plan), contextKey: waves[0].contextKey },
    output: {
      ...{ bytes: result.bytes, records: result.records, omitted: isLed ? ',' : '' },
      ...{ root: outputRoot(parts), parts: [...parts] },
    },
    totals: {
      ...accounts(jobTotals(state, byWave(state, waves).length)),
      failed: failedRecords(state, byWave(state, comparesKeys(waves))),
    },
    failedChunks: [...state.failed],
  };
  return { ...proven, root: manifestRoot(proven) };
}

/** The chunk as the API shows it. */
export function chunkDocument(chunk: ChunkRecord): Chunk {
  const { index, wave, chunkKey, taskKey, status, bytes, worker, attempts, ms, error } = chunk;
  return {
    ...{ index, wave, chunkKey, taskKey, status, bytes, worker, attempts, ms },
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

/** What the results were computed by. */
function engineOf({ waves }: Pick<JobFacts, 'waves'>): string {
  return waves?.[0].context.engine ?? ENGINE_VERSION;
}
