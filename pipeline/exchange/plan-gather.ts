import type { ExchangeLimits } from '../limits.ts';
import { readBlockIndex } from './block-index.ts';
import { readDistinctIndex } from './distinct-index.ts';
import { tellsChunks, type Exchange } from './exchange.ts';
import { chainsOf, readGathered, type GatheredRun } from './gathered.ts';
import { planSort, type Run, type SortPlan } from './plan-sort.ts';
import type { GatheredSide, WaveDocument } from './wave-document.ts';
import type { WaveInput } from './wave-input.ts';

type GatherDocument = Extract<WaveDocument, { kind: 'gather' }>;

type TaskKeys = readonly (string | null)[];

/** Outputs side by side, to be gathered. */
export interface GatherGroup {
  /** The wave they are of, from the last one: -1 or -2. */
  readonly wave: number;
  readonly side: GatheredSide;
  /** Their places among the tasks of that wave, with those that failed. */
  readonly places: readonly number[];
}

/**
 * The outputs that have to be gathered before the tasks of a wave can read them in the order of their
 * keys: none unless there are more than `fanInMax`. `taskKeys` are of the tasks of the waves before,
 * from the last one; null stands for one that failed.
 */
export function gatherGroups(
  input: Exchange,
  taskKeys: readonly TaskKeys[],
  { fanInMax }: ExchangeLimits,
): GatherGroup[] {
  const [last = [], before = []] = taskKeys;
  const sources = sourcesOf(input, last, before);
  const count = sources.reduce((sum, { places }) => sum + places.length, 0);
  if (count <= fanInMax) return [];
  return sources.flatMap(({ places, ...source }) =>
    batchesOf(places, fanInMax).map((some) => ({ ...source, places: some })),
  );
}

/** What a wave reads in the order of keys. What tasks that took values together left is in one order
 *  from output to output, and that of a limit in none. */
function sourcesOf(input: Exchange, last: TaskKeys, before: TaskKeys): GatherGroup[] {
  const all = (keys: TaskKeys): number[] =>
    keys.flatMap((key, place) => (key === null ? [] : [place]));
  switch (input.kind) {
    case 'sort':
    case 'values':
    case 'distinct':
      return [{ wave: -1, side: 'records', places: all(last) }];
    case 'group':
      return input.reduced === undefined ? [{ wave: -1, side: 'records', places: all(last) }] : [];
    case 'build':
      return [
        { wave: -1, side: 'lookup', places: all(last) },
        { wave: -2, side: 'records', places: firstOfEach(before) },
      ];
    default:
      return [];
  }
}

/** Equal outputs have equal keys and matches: they are asked for once. */
export function firstOfEach(taskKeys: TaskKeys): number[] {
  const places = new Map<string, number>();
  taskKeys.forEach((taskKey, place) => {
    if (taskKey !== null && !places.has(taskKey)) places.set(taskKey, place);
  });
  return [...places.values()];
}

/** The tasks that gather the outputs of one group; null stands for one that there is not. */
export function planGather(
  input: Exchange,
  { side, places }: GatherGroup,
  results: readonly (WaveInput | null)[],
  limits: ExchangeLimits,
): Iterable<GatherDocument> {
  const runs: Run[] = [];
  const numbers: number[] = [];
  results.forEach((result, i) => {
    if (result === null) return;
    runs.push(runOf(input, side, result));
    numbers.push(places[i]!);
  });
  const tells = side === 'records' && (input.kind !== 'sort' || tellsChunks(input));
  return gatherRuns(input, side, runs, tells ? numbers : null, limits);
}

/** The tasks that gather what was gathered once more; null where it can be read as it is. */
export function planGatherAgain(
  input: Exchange,
  gathered: readonly WaveInput[],
  limits: ExchangeLimits,
): Iterable<GatherDocument> | null {
  const chains = chainsOf(gatheredRuns(gathered));
  if (chains.length <= limits.gatheredFanInMax) return null;
  const sides = (['lookup', 'records'] as const).map((side) => ({
    ...{ side, chains: chains.filter(([run]) => run?.side === side) },
  }));
  return gatherChains(input, sides, limits);
}

function* gatherChains(
  input: Exchange,
  sides: readonly { readonly side: GatheredSide; readonly chains: readonly GatheredRun[][] }[],
  limits: ExchangeLimits,
): Generator<GatherDocument> {
  for (const { side, chains } of sides) {
    for (const some of batchesOf(chains, limits.gatheredFanInMax)) {
      yield* gatherRuns(input, side, some.flat(), null, limits, some.length);
    }
  }
}

/** `numbers` are those of the runs, where tasks have to tell them; null where they need not, or did
 *  before. */
function* gatherRuns(
  input: Exchange,
  side: GatheredSide,
  runs: readonly Run[],
  numbers: readonly number[] | null,
  limits: ExchangeLimits,
  depth = runs.length,
): Generator<GatherDocument> {
  const plan = { ...sortPlanOf(input), tellsRuns: numbers !== null, depth };
  for (const { runs: places = [], ...document } of planSort(runs, plan, limits)) {
    const told = numbers === null ? {} : { runs: places.map((place) => numbers[place]!) };
    yield { ...document, kind: 'gather', side, ...told };
  }
}

/** What of the order of all entries a wave's tasks take. */
export function sortPlanOf(input: Exchange): Pick<SortPlan, 'take' | 'splitsKeys'> {
  return input.kind === 'sort'
    ? { take: input.take, splitsKeys: true }
    : { take: null, splitsKeys: false };
}

export function gatheredRuns(gathered: readonly WaveInput[]): GatheredRun[] {
  return gathered.map(({ taskKey, exchange }) => readGathered(taskKey, exchange));
}

function runOf(input: Exchange, side: GatheredSide, { taskKey, exchange }: WaveInput): Run {
  const isOfKeys = input.kind === 'distinct' || (input.kind === 'build' && side === 'records');
  if (!isOfKeys) return { taskKey, index: readBlockIndex(exchange) };
  const { keys, keysStart } = readDistinctIndex(exchange);
  return { taskKey, index: keys, start: keysStart };
}

function batchesOf<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let at = 0; at < items.length; at += size) batches.push(items.slice(at, at + size));
  return batches;
}
