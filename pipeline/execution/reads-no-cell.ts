import type { ChunkContext } from './context.ts';

/** Whether the steps only count records, and no cell of any record is looked at. */
export function readsNoCell({ steps }: ChunkContext): boolean {
  const [first] = steps;
  if (first?.kind !== 'aggregate' || first.by.length > 0) return false;
  return first.measures.every(
    ({ function: fn, column, filter, order }) =>
      fn === 'count' && column === null && filter === undefined && order === undefined,
  );
}
