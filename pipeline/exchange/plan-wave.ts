import type { AggregateShape } from '../aggregation/shape.ts';
import { invariant, SluiceError } from '../errors.ts';
import type { ChunkContext } from '../execution/context.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from '../limits.ts';
import { readBlockIndex } from './block-index.ts';
import { readDistinctIndex } from './distinct-index.ts';
import { tellsChunks, type Exchange } from './exchange.ts';
import { chainsOf, type GatheredRun } from './gathered.ts';
import { gatheredRuns, sortPlanOf } from './plan-gather.ts';
import { planGatheredMatches, planJoined, planMatches } from './plan-join.ts';
import { planDuplicates, planKeys, type DistinctRun } from './plan-distinct.ts';
import { planPicks, type GroupRun } from './plan-picks.ts';
import { readGroupIndex } from './portions.ts';
import { planLimit } from './plan-limit.ts';
import { planSort, type MergeDocument, type Run } from './plan-sort.ts';
import { encodeDocument, sliceBytes, type WaveDocument } from './wave-document.ts';
import type { WaveInput } from './wave-input.ts';

export type { WaveInput } from './wave-input.ts';

/** A sub-task to be. */
export interface WaveTask {
  /** Stands for the bytes of a chunk: names what the task reads. */
  readonly document: Uint8Array;
  /** Of the slices that it reads. */
  readonly bytes: number;
}

/**
 * The sub-tasks of a wave, in the order of their outputs, one after another: all documents of a wide
 * wave take hundreds of megabytes. There may be none. `inputs` are the results of
 * the waves of the plan before, by wave and then in order, at least of those that `wavesRead` names;
 * null stands for one that there is not. `gathered` are those of the tasks that gathered the last of
 * them, where some did. The same inputs give the same tasks. Throws `blob-corrupt`, `limit-exceeded`, and
 * `chunk-failed` where none of them may be missing.
 */
export function* planWave(
  context: ChunkContext,
  inputs: readonly (readonly (WaveInput | null)[])[],
  limits: ExchangeLimits = EXCHANGE_LIMITS,
  gathered: readonly (WaveInput | null)[] | null = null,
): Generator<WaveTask> {
  const { input } = context;
  invariant(input !== 'chunk', 'the first wave is made of the chunks of the input');
  refuseMissing(input, inputs, gathered);
  const ready = gathered === null ? null : gatheredRuns(thoseThereAre(gathered));
  yield* tasksOf(documentsOf(input, { inputs, gathered: ready }, limits));
}

/** Throws `chunk-failed` where a result is missing of a wave of which none may be, or one of those that
 *  gathered: groups would lack some of their records then, and keys some of their duplicates. */
export function refuseMissing(
  input: Exchange,
  waves: readonly (readonly unknown[])[],
  gathered: readonly unknown[] | null = null,
): void {
  const lacksKeys = input.kind !== 'sort' && gathered?.includes(null) === true;
  const isMissing = wavesNeeded(input).some((wave) => waves.at(wave)?.includes(null) === true);
  if (lacksKeys || isMissing) throw resultsMissing();
}

/** Tasks that read what the documents name. */
export function* tasksOf(documents: Iterable<WaveDocument>): Generator<WaveTask> {
  for (const document of documents) {
    const bytes = document.slices.reduce((sum, slice) => sum + sliceBytes(slice), 0);
    yield { document: encodeDocument(document), bytes };
  }
}

export function thoseThereAre(results: readonly (WaveInput | null)[]): readonly WaveInput[] {
  return results.filter((result) => result !== null);
}

/** The waves, from the last one, whose results are read to plan one behind them. */
export function wavesRead(input: Exchange): readonly number[] {
  switch (input.kind) {
    case 'group':
      return input.reduced === 'picks' ? [-1, -2] : [-1];
    case 'duplicates':
    case 'build':
      return [-1, -2];
    case 'matches':
      return [-1, -3];
    default:
      return [-1];
  }
}

/** The waves, from the last one, of which no result may be missing: what stands in others would be
 *  wrong without. */
function wavesNeeded(input: Exchange): readonly number[] {
  if (input.kind === 'build' || input.kind === 'matches' || input.kind === 'portions') return [-1];
  if (input.kind !== 'group' || input.reduced === undefined) return [];
  return input.reduced === 'picks' ? [-1, -2] : [-1];
}

function resultsMissing(): SluiceError {
  const message =
    'A task of an earlier wave was given up, and without it records would get wrong matches, or groups ' +
    'wrong values. Retry runs it again';
  return new SluiceError('chunk-failed', message);
}

/** What a wave is planned of. */
interface DoneWaves {
  readonly inputs: readonly (readonly (WaveInput | null)[])[];
  readonly gathered: readonly GatheredRun[] | null;
}

function documentsOf(
  input: Exchange,
  { inputs, gathered }: DoneWaves,
  limits: ExchangeLimits,
): Iterable<WaveDocument> {
  const done = inputs.slice(-2).map(thoseThereAre);
  const last = done.at(-1) ?? [];
  const distinctRunsAt = (wave: number): DistinctRun[] => distinctRunsOf(inputs.at(wave) ?? []);
  const depth = gathered === null ? {} : { depth: chainsOf(gathered).length };
  const plan = { ...sortPlanOf(input), ...depth };
  switch (input.kind) {
    case 'sort': {
      const tellsRuns = gathered === null && tellsChunks(input);
      return planSort(
        gathered ?? numberedRuns(inputs.at(-1) ?? []),
        { ...plan, tellsRuns },
        limits,
      );
    }
    case 'values': {
      const tellsRuns = gathered === null;
      return planSort(gathered ?? runsOf(last), { ...plan, tellsRuns }, smaller(limits));
    }
    case 'portions':
      return planPicks(groupRunsOf(last), input.shape);
    case 'group': {
      const runs = gathered ?? runsOfGroups(input, done);
      const documents = planSort(runs, plan, smaller(limits));
      return groupsOf(gathered === null ? documents : ofGathered(documents), input.shape);
    }
    case 'limit':
      return planLimit(numberedRuns(inputs.at(-1) ?? []), input, tellsChunks(input));
    case 'distinct':
      return gathered === null
        ? planKeys(distinctRunsAt(-1), limits)
        : ofGathered(planSort(gathered, plan, limits));
    case 'duplicates':
      return planDuplicates(distinctRunsAt(-2), last, tellsChunks(input));
    case 'probe':
      throw new SluiceError('internal', 'the wave behind is about the lookup');
    case 'build':
      return gathered === null
        ? planMatches(runsOf(last), distinctRunsAt(-2), limits)
        : planGatheredMatches(gathered, depth, limits);
    case 'matches':
      return planJoined(distinctRunsAt(-3), last, tellsChunks(input));
  }
}

/** Tells the tasks that entries say themselves what they are of. */
function* ofGathered(documents: Iterable<MergeDocument>): Generator<WaveDocument> {
  for (const document of documents) yield { ...document, gathered: true };
}

/** Groups stand in memory as they came, merged, and as what becomes of them. */
function smaller(limits: ExchangeLimits): ExchangeLimits {
  return { ...limits, partitionBytes: limits.partitionBytes / 2 };
}

/** Groups of the wave before, and where some of their measures were picked of the one before that. */
function runsOfGroups(
  { reduced }: Extract<Exchange, { kind: 'group' }>,
  done: readonly (readonly WaveInput[])[],
): Run[] {
  const last = done.at(-1) ?? [];
  if (reduced === undefined) return runsOf(last);
  const results = reduced === 'picks' ? [...(done.at(-2) ?? []), ...last] : last;
  return groupRunsOf(results).map(({ taskKey, index }) => ({ taskKey, index: index.groups }));
}

function groupRunsOf(results: readonly WaveInput[]): GroupRun[] {
  return results.map(({ taskKey, exchange }) => ({ taskKey, index: readGroupIndex(exchange) }));
}

/** Without keys there is one group, of no records too. */
function* groupsOf(
  documents: Iterable<WaveDocument>,
  { keyTypes }: AggregateShape,
): Generator<WaveDocument> {
  let isEmpty = true;
  for (const document of documents) {
    isEmpty = false;
    yield document;
  }
  if (!isEmpty || keyTypes.length > 0) return;
  yield { kind: 'merge', lower: null, upper: null, slices: [], filtered: 0 };
}

function runsOf(results: readonly WaveInput[]): Run[] {
  return results.map(({ taskKey, exchange }) => ({ taskKey, index: readBlockIndex(exchange) }));
}

/** Each with its place among the tasks of its wave, with those that failed. */
function numberedRuns(results: readonly (WaveInput | null)[]): Run[] {
  return results.flatMap((result, number) =>
    result === null ? [] : runsOf([result]).map((run) => ({ ...run, number })),
  );
}

function distinctRunsOf(results: readonly (WaveInput | null)[]): DistinctRun[] {
  return results.flatMap((result, number) => {
    if (result === null) return [];
    const { taskKey, exchange } = result;
    return [{ taskKey, number, index: readDistinctIndex(exchange) }];
  });
}
