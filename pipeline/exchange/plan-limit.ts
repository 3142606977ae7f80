import type { Run } from './plan-sort.ts';
import { sliceOf, type WaveDocument } from './wave-document.ts';

/**
 * A task for each output that holds records of `[offset, offset + count)`; what lies outside is told
 * of in the first one. One task of no slices where nothing is left of some records.
 */
export function planLimit(
  runs: readonly Run[],
  { offset, count }: { readonly offset: number; readonly count: number | null },
  tellsRuns = false,
): WaveDocument[] {
  const end = count === null ? Infinity : offset + count;
  const documents: Extract<WaveDocument, { kind: 'range' }>[] = [];
  let before = 0;
  let outside = 0;
  for (const [run, { taskKey, index, number = run }] of runs.entries()) {
    const { ordinals } = index;
    const total = ordinals[index.count]!;
    const from = Math.max(0, offset - before);
    const to = Math.min(total, end - before);
    before += total;
    if (to <= from) {
      outside += total;
      continue;
    }
    let first = 0;
    while (ordinals[first + 1]! <= from) first++;
    let last = first;
    while (ordinals[last]! < to) last++;
    documents.push({
      ...{ kind: 'range', skip: from - ordinals[first]!, count: to - from },
      ...{ slices: [sliceOf(taskKey, index, first, last)], filtered: total - (to - from) },
      ...(tellsRuns ? { runs: [number] } : {}),
    });
  }
  const [head] = documents;
  if (head !== undefined) {
    documents[0] = { ...head, filtered: head.filtered + outside };
  } else if (outside > 0) {
    documents.push({ kind: 'range', skip: 0, count: 0, slices: [], filtered: outside });
  }
  return documents;
}
