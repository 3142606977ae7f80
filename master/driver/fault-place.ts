import type { ErrorDocument } from '../../pipeline/errors.ts';
import type { RecordOrigin } from '../../pipeline/result/relative-reject.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import type { JobState } from '../coordination/job-state.ts';
import { plannedWave } from '../coordination/waves.ts';
import type { ChunkRecord, JobFacts } from '../storage/job-record.ts';

/** The lookup whose parts are the tasks of a wave, if it has such tasks. No wave gathers for it. */
export function lookupOfWave(
  job:
    { readonly facts: Pick<JobFacts, 'waves' | 'lookups'>; readonly state: JobState } | undefined,
  wave: number,
): Lookup | null {
  if (job === undefined) return null;
  const { facts, state } = job;
  const name = facts.waves?.[plannedWave(state, wave)]?.lookup;
  return facts.lookups.find((lookup) => lookup.name === name) ?? null;
}

/**
 * An error that a worker found in a chunk, with its place in the whole input, or in the lookup that
 * the chunk is a part of: workers know only places relative to the chunk. Lines and records count
 * from 1, bytes from 0. In another later wave records say what of the input they are, if they are of
 * it, and `rowOf` gives its chunks.
 */
export function placeOfFault(
  error: ErrorDocument,
  chunk: ChunkRecord | null,
  lookup: Lookup | null = null,
  rowOf: (index: number) => ChunkRecord | null = () => null,
): ErrorDocument {
  const { record, origin, ...details } = error.details;
  const { line, byteOffset } = details;
  if (chunk === null || typeof line !== 'number') return error;
  if (chunk.wave > 0 && lookup === null) {
    const { step, column, columnName, code } = details;
    const wave = chunk.wave + 1;
    if (isOrigin(origin)) {
      const about = { ...details, record: origin.record, line: origin.line };
      const there = { ...error, details: { ...about, byteOffset: origin.byteOffset } };
      const placed = placeOfFault(there, rowOf(origin.chunk));
      return { ...placed, details: { ...placed.details, wave } };
    }
    return { ...error, details: { step, column, columnName, code, chunk: chunk.index, wave } };
  }
  const inputLine = chunk.line + line + 1;
  const inputByte = typeof byteOffset === 'number' ? chunk.byteOffset + byteOffset : null;
  const file = `The lookup ${JSON.stringify(lookup?.name)} cannot be used: `;
  return {
    code: error.code,
    message: `${lookup === null ? '' : file}Line ${inputLine}: ${error.message}`,
    details: {
      ...details,
      // How many records there are before other chunks is not known yet.
      ...(chunk.index === 0 && typeof record === 'number' ? { record: record + 1 } : {}),
      ...{ line: inputLine, byteOffset: inputByte, chunk: chunk.index },
      ...(lookup === null ? {} : { lookup: lookup.name }),
    },
  };
}

function isOrigin(value: unknown): value is RecordOrigin {
  return typeof value === 'object' && value !== null && 'byteOffset' in value;
}
