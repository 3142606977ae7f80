import { LIMITS, type ExchangeLimits } from '../limits.ts';
import { readLists, sliceOfList } from './distinct-index.ts';
import { matchesTooLarge } from './find-matches.ts';
import type { GatheredRun } from './gathered.ts';
import type { DistinctRun } from './plan-distinct.ts';
import { firstOfEach } from './plan-gather.ts';
import { ENTRY_BYTES_MIN, planSort, type Run } from './plan-sort.ts';
import { sliceBytes, sliceOf, type SliceDocument, type WaveDocument } from './wave-document.ts';

/** Records that match are written once for each output that asks for their key: a partition is so
 *  large that those come to some four of its size. */
const MATCHES_PER_PARTITION = 4;

/**
 * Tasks that find matches: each sees all entries of its keys, on either side. Ranges of keys that one
 * side does not have are left out. `builds` are the parts of a lookup in order.
 */
export function* planMatches(
  builds: readonly Run[],
  probes: readonly DistinctRun[],
  limits: ExchangeLimits,
): Generator<WaveDocument> {
  const lookups = new Set(builds.map(({ taskKey }) => taskKey));
  const entryBytes = Math.max(ENTRY_BYTES_MIN, meanBytes(builds) / MATCHES_PER_PARTITION);
  const different = firstOfEach(probes.map(({ taskKey }) => taskKey));
  const keyRuns = different.map((place) => {
    const { taskKey, index } = probes[place]!;
    return { taskKey, index: index.keys, start: index.keysStart, entryBytes };
  });
  yield* matchesOf([...builds, ...keyRuns], lookups, {}, limits);
}

/** The same of what was gathered: entries of keys say which output they are of. */
export function* planGatheredMatches(
  gathered: readonly GatheredRun[],
  depth: { readonly depth?: number },
  limits: ExchangeLimits,
): Generator<WaveDocument> {
  const builds = gathered.filter(({ side }) => side === 'lookup');
  const lookups = new Set(builds.map(({ taskKey }) => taskKey));
  const entryBytes = Math.max(ENTRY_BYTES_MIN, meanBytes(builds) / MATCHES_PER_PARTITION);
  const keyRuns = gathered
    .filter(({ side }) => side === 'records')
    .map((run) => ({ ...run, entryBytes }));
  for (const document of matchesOf([...builds, ...keyRuns], lookups, depth, limits)) {
    yield { ...document, gathered: true };
  }
}

/** Ranges that have both, `lookups` are the outputs of a lookup: they come first. */
function* matchesOf(
  runs: readonly Run[],
  lookups: ReadonlySet<string>,
  depth: { readonly depth?: number },
  limits: ExchangeLimits,
): Generator<Extract<WaveDocument, { kind: 'match' }>> {
  const plan = { take: null, splitsKeys: false, ...depth };
  for (const { lower, upper, slices } of planSort(runs, plan, limits)) {
    const count = slices.filter(({ result }) => lookups.has(result)).length;
    if (count === 0 || count === slices.length) continue;
    yield { kind: 'match', lower, upper, builds: count, slices, filtered: 0 };
  }
}

function meanBytes(runs: readonly Run[]): number {
  let bytes = 0;
  let records = 0;
  for (const { index } of runs) {
    bytes += index.starts[index.count]!;
    records += index.ordinals[index.count]!;
  }
  return records === 0 ? 0 : bytes / records;
}

/**
 * A task for each output of records, with the matches of its keys, and its number if it is told.
 * `answers` are of the tasks that found them. Throws `limit-exceeded` where one has more of them than a worker holds.
 */
export function* planJoined(
  probes: readonly DistinctRun[],
  answers: readonly { readonly taskKey: string; readonly exchange: Uint8Array }[],
  tellsRuns = false,
): Generator<WaveDocument> {
  const lists = new Map<string, SliceDocument[]>();
  const byNumber = new Map(probes.map(({ number, taskKey }) => [number, taskKey]));
  for (const { taskKey, exchange } of answers) {
    for (const list of readLists(exchange)) {
      if (list.bytes === 0) continue;
      const of = typeof list.of === 'number' ? byNumber.get(list.of) : list.of;
      if (of === undefined) continue;
      const known = lists.get(of);
      const slice = sliceOfList(taskKey, list);
      if (known === undefined) lists.set(of, [slice]);
      else known.push(slice);
    }
  }
  for (const { taskKey, number, index } of probes) {
    const { records } = index;
    if (records.count === 0) continue;
    const matches = lists.get(taskKey) ?? [];
    const bytes = matches.reduce((sum, slice) => sum + sliceBytes(slice), 0);
    if (bytes > LIMITS.joinOutputBytesMax) throw matchesTooLarge(bytes);
    const slices = [sliceOf(taskKey, records, 0, records.count), ...matches];
    yield { kind: 'joined', slices, filtered: 0, ...(tellsRuns ? { runs: [number] } : {}) };
  }
}
