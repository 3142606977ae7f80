import type { ExchangeLimits } from '../limits.ts';
import { readLists, sliceOfList, type DistinctIndex, type ListPlace } from './distinct-index.ts';
import { planSort } from './plan-sort.ts';
import { sliceOf, type SliceDocument, type WaveDocument } from './wave-document.ts';

/** An output of records and keys. */
export interface DistinctRun {
  readonly taskKey: string;
  /** Its place among the tasks of its wave, with those that failed. */
  readonly number: number;
  readonly index: DistinctIndex;
}

/** Tasks that compare keys: each sees all entries of its keys. */
export function planKeys(
  runs: readonly DistinctRun[],
  limits: ExchangeLimits,
): Iterable<WaveDocument> {
  const keyRuns = runs.map(({ taskKey, index }) => ({
    ...{ taskKey, index: index.keys, start: index.keysStart },
  }));
  return planSort(keyRuns, { take: null, splitsKeys: false }, limits);
}

/**
 * A task for each output of records, with what was found out about it, and its number if it is told. `answers` are of the tasks
 * that compared keys: each names, in order, the outputs that it read.
 */
export function planDuplicates(
  runs: readonly DistinctRun[],
  answers: readonly { readonly taskKey: string; readonly exchange: Uint8Array }[],
  tellsRuns = false,
): WaveDocument[] {
  const lists: SliceDocument[][] = runs.map(({ taskKey, index }) =>
    listSlices(taskKey, index.duplicates),
  );
  const byNumber = new Map(runs.map(({ number }, run) => [number, lists[run]]));
  const positions = new Map<string, number[]>();
  runs.forEach(({ taskKey }, run) => {
    const known = positions.get(taskKey);
    if (known === undefined) positions.set(taskKey, [run]);
    else known.push(run);
  });
  for (const { taskKey, exchange } of answers) {
    // Equal outputs have equal keys: where one was read the others were, in the same order.
    const seen = new Map<string, number>();
    for (const list of readLists(exchange)) {
      if (typeof list.of === 'number') {
        byNumber.get(list.of)?.push(...listSlices(taskKey, list));
        continue;
      }
      const count = seen.get(list.of) ?? 0;
      seen.set(list.of, count + 1);
      const run = positions.get(list.of)?.[count];
      if (run !== undefined) lists[run]?.push(...listSlices(taskKey, list));
    }
  }
  return runs.flatMap(({ taskKey, number, index: { records } }, run) => {
    if (records.count === 0) return [];
    const slices = [sliceOf(taskKey, records, 0, records.count), ...(lists[run] ?? [])];
    const told = tellsRuns ? { runs: [number] } : {};
    return [{ kind: 'without', slices, filtered: 0, ...told } as const];
  });
}

function listSlices(taskKey: string, list: ListPlace): SliceDocument[] {
  return list.bytes === 0 ? [] : [sliceOfList(taskKey, list)];
}
