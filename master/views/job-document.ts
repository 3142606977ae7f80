import { queuedCount } from '../coordination/decide.ts';
import { isFinal, type WaveState } from '../coordination/job-state.ts';
import type { Job, JobWave } from '../../pipeline/protocol/index.ts';
import {
  byWave,
  derivedRejects,
  doneCount,
  jobTotals,
  reusedCount,
  waveAnswered,
  waveEnd,
} from '../coordination/waves.ts';
import { failedRecords } from '../coordination/wave-accounts.ts';
import type { ActiveJob } from '../driver/active-job.ts';
import { isWhole } from '../aggregator/whole-result.ts';
import { comparesKeys } from '../storage/job-record.ts';
import type { JobRecord, JobWave as PlannedWave } from '../storage/job-record.ts';

/** What the aggregator knows of the result now. */
export interface ResultSize {
  readonly bytes: number;
  readonly records: number;
}

/** The job as the API shows it. */
export function jobDocument(
  job: JobRecord | ActiveJob,
  result: ResultSize,
  { etaMs, waitsFor }: Pick<Job, 'etaMs' | 'waitsFor'>,
): Job {
  const { state, facts } = job;
  const keysOnly = byWave(state, comparesKeys(facts.waves));
  const totals = jobTotals(state, keysOnly.length);
  const derivedRejected = derivedRejects(state);
  const { recordsIn, recordsOut, rejected, filtered, deduplicated, aggregated } = totals;
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
    failed: failedRecords(state, keysOnly),
    derivedRejected,
    chunks: {
      queued: queuedCount(state),
      running: state.running.length,
      done: doneCount(state),
      reused: reusedCount(state),
      failed: state.failed.length,
    },
    waves: wavesOf(job),
    etaMs,
    waitsFor,
    error: state.error === null ? null : { ...state.error, details: { ...state.error.details } },
    input: facts.input,
    warned: facts.checks.map((check, i) => ({ check, records: totals.warned?.[i] ?? 0 })),
    warnings: [...facts.warnings, ...rejectWarning(derivedRejected)],
    outputColumns: facts.outputColumns === null ? null : [...facts.outputColumns],
    watermark: state.watermark,
    resultBytes: result.bytes,
    resultRecords: result.records,
    resultGrows: !isWhole(facts),
  };
}

/** Nothing is lost silently: these are not among the rejected records of the input. */
function rejectWarning(count: number): string[] {
  if (count === 0) return [];
  const what = count === 1 ? 'group or joined record was' : 'groups or joined records were';
  return [
    `${count} ${what} rejected: see the rejects, which the count of rejected records leaves out`,
  ];
}

/** The waves as the API shows them. */
function wavesOf({ state, facts }: JobRecord | ActiveJob): JobWave[] {
  return byWave(state, facts.waves ?? []).map((planned, at) => {
    const wave = state.waves[at];
    const kind = kindOf(planned, wave);
    if (wave === undefined) return { kind, firstChunk: null, chunks: 0, answered: 0 };
    const chunks = waveEnd(state, at) - wave.start;
    return { kind, firstChunk: wave.start, chunks, answered: waveAnswered(state, at) };
  });
}

/** What the tasks do of a wave of the plan, or of the one that gathers for it. */
export function kindOf(
  { context: { input }, lookup }: PlannedWave,
  wave: WaveState | undefined,
): JobWave['kind'] {
  if (wave?.gathers === true) return 'gather';
  if (lookup !== undefined) return 'lookup';
  if (input === 'chunk') return 'read';
  switch (input.kind) {
    case 'probe':
    case 'build':
      return 'match';
    case 'matches':
      return 'join';
    case 'values':
    case 'portions':
      return 'group';
    default:
      return input.kind;
  }
}

/**
 * How much of the work is done, in the bytes the client sent: each wave is an equal part of it. In
 * the first one it is exact when the input is plain UTF-8; for compressed or transcoded input, and in
 * later waves, it goes by the number of chunks.
 */
export function bytesProcessed(job: JobRecord | ActiveJob): number {
  const { state, facts } = job;
  const { bytesReceived } = facts;
  const waveCount = byWave(state, facts.waves ?? [null]).length;
  let done = firstWaveBytes(job);
  for (let at = 1; at < state.waves.length; at++) {
    const chunks = waveEnd(state, at) - (state.waves[at]?.start ?? 0);
    const share = chunks === 0 ? 1 : waveAnswered(state, at) / chunks;
    done += share * bytesReceived;
  }
  return Math.floor(done / waveCount);
}

/** Input bytes that are answered for. */
function firstWaveBytes({ state, facts }: JobRecord | ActiveJob): number {
  const { bytesReceived, dataOffset, input } = facts;
  const answered = waveAnswered(state, 0);
  const chunks = waveEnd(state, 0);
  if (state.input === 'complete' && answered === chunks) return bytesReceived;
  if (answered === 0) return 0;
  const plain =
    input?.compression === 'none' && input.encoding === 'utf-8' && input.format !== 'json';
  const bytesIn = state.waves[0]?.totals.bytesIn ?? 0;
  if (plain) return Math.min(bytesReceived, dataOffset + bytesIn);
  return Math.min(bytesReceived, Math.floor((answered / Math.max(1, chunks)) * bytesReceived));
}

/** Milliseconds until the job is done, from the rate of the last seconds. */
export function etaMs(job: ActiveJob): number | null {
  if (isFinal(job.state) || job.state.status === 'paused') return null;
  const perMs = job.rate.perMs();
  if (perMs === null) return null;
  const total = job.facts.bytesTotal ?? job.facts.bytesReceived;
  return Math.max(0, Math.round((total - bytesProcessed(job)) / perMs));
}
