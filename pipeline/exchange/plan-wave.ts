import type { AggregateShape } from '../aggregation/shape.ts';
import { invariant, SluiceError } from '../errors.ts';
import type { ChunkContext } from '../execution/context.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from '../limits.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';
import { readBlockIndex } from './block-index.ts';
import { readDistinctIndex } from './distinct-index.ts';
import type { Exchange } from './exchange.ts';
import { planJoined, planMatches } from './plan-join.ts';
import { planDuplicates, planKeys, type DistinctRun } from './plan-distinct.ts';
import { planPicks, type GroupRun } from './plan-picks.ts';
import { readGroupIndex } from './portions.ts';
import { planLimit } from './plan-limit.ts';
import { planSort, type Run } from './plan-sort.ts';
import { encodeDocument, sliceBytes, type WaveDocument } from './wave-document.ts';

/** What is known of a task that is done. */
export interface WaveInput {
  readonly taskKey: string;
  readonly statistics: ChunkStatistics;
  /** The verified exchange section of its result. */
  readonly exchange: Uint8Array;
}

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
 * every wave before, by wave and then in order; null stands for one that there is not. The same
 * inputs give the same tasks. Throws `blob-corrupt`, `limit-exceeded`, and
 * `chunk-failed` where none of them may be missing.
 */
export function* planWave(
  context: ChunkContext,
  inputs: readonly (readonly (WaveInput | null)[])[],
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Generator<WaveTask> {
  const { input } = context;
  invariant(input !== 'chunk', 'the first wave is made of the chunks of the input');
  if (wavesNeeded(input).some((wave) => inputs.at(wave)?.includes(null) === true)) {
    throw resultsMissing();
  }
  const done = inputs.map((results) => results.filter((result) => result !== null));
  for (const document of documentsOf(input, done, limits)) {
    const bytes = document.slices.reduce((sum, slice) => sum + sliceBytes(slice), 0);
    yield { document: encodeDocument(document), bytes };
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

function documentsOf(
  input: Exchange,
  done: readonly (readonly WaveInput[])[],
  limits: ExchangeLimits,
): Iterable<WaveDocument> {
  const last = done.at(-1) ?? [];
  switch (input.kind) {
    case 'sort':
      return planSort(runsOf(last), { take: input.take, splitsKeys: true }, limits);
    case 'values': {
      const plan = { take: null, splitsKeys: false, tellsRuns: true };
      return planSort(runsOf(last), plan, smaller(limits));
    }
    case 'portions':
      return planPicks(groupRunsOf(last), input.shape);
    case 'group': {
      const plan = { take: null, splitsKeys: false };
      return groupsOf(planSort(runsOfGroups(input, done), plan, smaller(limits)), input.shape);
    }
    case 'limit':
      return planLimit(runsOf(last), input);
    case 'distinct':
      return planKeys(distinctRunsOf(last), limits);
    case 'duplicates':
      return planDuplicates(distinctRunsOf(done.at(-2) ?? []), last);
    case 'probe':
      throw new SluiceError('internal', 'the wave behind is about the lookup');
    case 'build':
      return planMatches(runsOf(last), distinctRunsOf(done.at(-2) ?? []), limits);
    case 'matches':
      return planJoined(distinctRunsOf(done.at(-3) ?? []), last);
  }
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

function distinctRunsOf(results: readonly WaveInput[]): DistinctRun[] {
  return results.map(({ taskKey, exchange }) => ({ taskKey, index: readDistinctIndex(exchange) }));
}
