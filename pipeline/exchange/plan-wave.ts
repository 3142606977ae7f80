import { invariant } from '../errors.ts';
import type { ChunkContext } from '../execution/context.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from '../limits.ts';
import type { ChunkStatistics } from '../protocol/messages.ts';
import { readBlockIndex } from './block-index.ts';
import { planLimit } from './plan-limit.ts';
import { planSort } from './plan-sort.ts';
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
 * The sub-tasks of a wave, in the order of their outputs; may be none. `inputs` are the results of
 * every wave before, by wave and then in order; null stands for one that there is not. The same
 * inputs give the same tasks. Throws `blob-corrupt` and `limit-exceeded`.
 */
export function planWave(
  context: ChunkContext,
  inputs: readonly (readonly (WaveInput | null)[])[],
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): WaveTask[] {
  const { input } = context;
  invariant(input !== 'chunk', 'the first wave is made of the chunks of the input');
  const last = (inputs.at(-1) ?? []).filter((result) => result !== null);
  const runs = last.map(({ taskKey, exchange }) => ({ taskKey, index: readBlockIndex(exchange) }));
  return documentsOf(input, runs, limits).map((document) => ({
    document: encodeDocument(document),
    bytes: document.slices.reduce((sum, slice) => sum + sliceBytes(slice), 0),
  }));
}

function documentsOf(
  input: Exclude<ChunkContext['input'], 'chunk'>,
  runs: Parameters<typeof planSort>[0],
  limits: ExchangeLimits,
): WaveDocument[] {
  switch (input.kind) {
    case 'sort':
      return planSort(runs, input.take, limits);
    case 'limit':
      return planLimit(runs, input);
  }
}
