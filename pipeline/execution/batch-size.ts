import type { ChunkContext } from './context.ts';

/** Index, selection and typed vectors of so many records stay in the processor's caches. */
const RECORDS_MAX = 4_096;
const RECORDS_MIN = 64;
/** Cells of all computed columns of a batch: each takes some twenty bytes. */
const COMPUTED_CELLS_MAX = 2 * 1024 * 1024;

/** Records that a batch has at most: fewer where very many columns are computed. */
export function batchRecordsMax({ steps, input }: Pick<ChunkContext, 'steps' | 'input'>): number {
  const held = input === 'chunk' ? 0 : (input.records.layout?.computed.length ?? 0);
  const computed = held + steps.filter(({ kind }) => kind === 'derive').length;
  const fitting = Math.floor(COMPUTED_CELLS_MAX / Math.max(1, computed));
  return Math.max(RECORDS_MIN, Math.min(RECORDS_MAX, fitting));
}
