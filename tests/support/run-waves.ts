import { expect } from 'vitest';
import {
  createChunkProgram,
  type ChunkProgram,
  type ChunkResult,
} from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { planWave, type WaveInput } from '../../pipeline/exchange/plan-wave.ts';
import { chunkKey, contextKey, taskKey } from '../../pipeline/keys/index.ts';
import { EXCHANGE_LIMITS, type ExchangeLimits } from '../../pipeline/limits.ts';
import type { KernelModule } from '../../pipeline/parsing/structural/kernel.ts';
import type { Lookup } from '../../pipeline/plan/lookup.ts';
import type { CompiledPlan } from '../../pipeline/plan/compile.ts';
import { encodeResult } from '../../pipeline/result/result-format.ts';

export interface WaveOptions {
  /** Lookups that are read in parts. */
  readonly lookupFiles?: readonly Lookup[];
  readonly limits?: ExchangeLimits;
  readonly kernel?: KernelModule | null;
  /** Texts of the lookups and of their parts, by key. */
  readonly lookups?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Runs all waves of a plan over the chunks of an input, through stored results and ranges of them as
 * a worker does. Gives the results by wave. Checks what must hold of any task: it is its bytes and
 * context's alone, and a wave takes what the wave before gave.
 */
export function runWaves(
  { waves }: CompiledPlan,
  chunks: readonly Uint8Array[],
  options: WaveOptions = {},
): ChunkResult[][] {
  const {
    limits = EXCHANGE_LIMITS,
    kernel = null,
    lookups = new Map(),
    lookupFiles = [],
  } = options;
  const stored = new Map<string, Buffer>();
  const results: ChunkResult[][] = [];
  const inputs: WaveInput[][] = [];
  let records: number | null = null;
  const partsOf = (name: string): Uint8Array[] => {
    const { parts = [] } = lookupFiles.find((file) => file.name === name) ?? {};
    return parts.map((part) => lookups.get(part.key)!);
  };
  const tasksOf = (context: ChunkContext, program: ChunkProgram): Uint8Array[] =>
    [...planWave(context, inputs, limits)].map(({ document, bytes }) => {
      const slices = program.slices(document);
      expect(slices.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(bytes);
      return document;
    });
  waves.forEach(({ context, lookup }, wave) => {
    const key = contextKey(context);
    const program = createChunkProgram(context, kernel, lookups, limits);
    const ofFile = lookup === undefined ? null : partsOf(lookup);
    const documents = wave === 0 ? chunks : (ofFile ?? tasksOf(context, program));
    const done = documents.map((document) => {
      const slices = program
        .slices(document)
        .map(({ name, start, end }) => Buffer.from(stored.get(name)!.subarray(start, end)));
      const result = program.run(document, slices);
      const task = taskKey(chunkKey(document), key);
      stored.set(`results/${task}`, Buffer.concat(encodeResult(result)));
      return { task, result };
    });
    results.push(done.map(({ result }) => result));
    inputs.push(
      done.map(({ task, result }) => ({
        taskKey: task,
        statistics: result.statistics,
        exchange: result.exchange,
      })),
    );
    // A wave that compares keys is not about records: the next one takes those of the wave before.
    // Nor is one that reads a lookup, or looks for matches in it.
    const isOfKeys =
      lookup !== undefined ||
      (context.input !== 'chunk' && ['distinct', 'build', 'portions'].includes(context.input.kind));
    const comes = isOfKeys ? 0 : (records ?? total(results[0]!, 'recordsIn'));
    // The one group of no records counts when it is rejected: it stands in the rejects.
    const isOneOfNone = comes === 0 && context.input !== 'chunk' && context.input.kind === 'group';
    const counted = isOneOfNone ? total(results[wave]!, 'rejected') : comes;
    expect(total(results[wave]!, 'recordsIn')).toBe(counted);
    if (!isOfKeys) records = total(results[wave]!, 'outputRecords');
  });
  return results;
}

/** A count of several results, added up. */
export function total(
  results: readonly ChunkResult[],
  name: Exclude<keyof ChunkResult['statistics'], 'warned'>,
): number {
  return results.reduce((sum, { statistics }) => sum + statistics[name], 0);
}
