import assert from 'node:assert/strict';
import {
  createChunkProgram,
  type ChunkProgram,
  type ChunkResult,
} from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { gatherGroups, planGather, planGatherAgain } from '../../pipeline/exchange/plan-gather.ts';
import {
  planWave,
  tasksOf as tasksOfDocuments,
  type WaveInput,
  type WaveTask,
} from '../../pipeline/exchange/plan-wave.ts';
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
  /** Makes the programs; they are made anew when left out. */
  readonly programOf?: (context: ChunkContext) => ChunkProgram;
  readonly kernel?: KernelModule | null;
  /** Texts of the lookups and of their parts, by key. */
  readonly lookups?: ReadonlyMap<string, Uint8Array>;
  /** Told of the tasks that gathered what a wave reads, once for each level. */
  readonly onGathered?: (results: readonly ChunkResult[]) => void;
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
    onGathered = () => undefined,
    programOf = (context) => createChunkProgram(context, kernel, lookups, limits),
  } = options;
  const stored = new Map<string, Buffer>();
  const results: ChunkResult[][] = [];
  const inputs: WaveInput[][] = [];
  let records: number | null = null;
  const partsOf = (name: string): Uint8Array[] => {
    const { parts = [] } = lookupFiles.find((file) => file.name === name) ?? {};
    return parts.map((part) => lookups.get(part.key)!);
  };
  const documentsOf = (tasks: Iterable<WaveTask>, program: ChunkProgram): Uint8Array[] =>
    [...tasks].map(({ document, bytes }) => {
      const slices = program.slices(document);
      assert.equal(
        slices.reduce((sum, { start, end }) => sum + end - start, 0),
        bytes,
      );
      return document;
    });
  waves.forEach(({ context, lookup }, wave) => {
    const key = contextKey(context);
    const program = programOf(context);
    const ofFile = lookup === undefined ? null : partsOf(lookup);
    const run = (documents: readonly Uint8Array[]) =>
      documents.map((document) => {
        const slices = program
          .slices(document)
          .map(({ name, start, end }) => Buffer.from(stored.get(name)!.subarray(start, end)));
        const result = program.run(document, slices);
        const task = taskKey(chunkKey(document), key);
        stored.set(`results/${task}`, Buffer.concat(encodeResult(result)));
        return { task, result };
      });
    const inputsOf = (done: ReturnType<typeof run>): WaveInput[] =>
      done.map(({ task, result: { statistics, exchange } }) => ({
        ...{ taskKey: task, statistics, exchange },
      }));
    // A wave that compares keys is not about records: the next one takes those of the wave before.
    // Nor is one that reads a lookup, or looks for matches in it.
    const isOfKeys =
      lookup !== undefined ||
      (context.input !== 'chunk' && ['distinct', 'build', 'portions'].includes(context.input.kind));
    let gathered: WaveInput[] | null = null;
    while (lookup === undefined) {
      const tasks = gatherTasks(context.input, inputs, limits, gathered);
      if (tasks === null) break;
      const done = run(documentsOf(tasks, program));
      const of = done.map(({ result }) => result);
      assert.equal(total(of, 'recordsIn'), isOfKeys ? 0 : records);
      if (!isOfKeys) records = total(of, 'outputRecords');
      gathered = inputsOf(done);
      onGathered(of);
    }
    const tasksOf = () => documentsOf(planWave(context, inputs, limits, gathered), program);
    const documents = wave === 0 ? chunks : (ofFile ?? tasksOf());
    const done = run(documents);
    results.push(done.map(({ result }) => result));
    inputs.push(inputsOf(done));
    const comes = isOfKeys ? 0 : (records ?? total(results[0]!, 'recordsIn'));
    // The one group of no records counts when it is rejected: it stands in the rejects.
    const isOneOfNone = comes === 0 && context.input !== 'chunk' && context.input.kind === 'group';
    const counted = isOneOfNone ? total(results[wave]!, 'rejected') : comes;
    assert.equal(total(results[wave]!, 'recordsIn'), counted);
    if (!isOfKeys) records = total(results[wave]!, 'outputRecords');
  });
  return results;
}

/** The tasks that gather once more what a wave reads; null when it can be planned. */
function gatherTasks(
  input: ChunkContext['input'],
  inputs: readonly (readonly WaveInput[])[],
  limits: ExchangeLimits,
  gathered: readonly WaveInput[] | null,
): Iterable<WaveTask> | null {
  if (input === 'chunk') return null;
  if (gathered !== null) {
    const again = planGatherAgain(input, gathered, limits);
    return again === null ? null : tasksOfDocuments(again);
  }
  const waves = [inputs.at(-1) ?? [], inputs.at(-2) ?? []];
  const keys = waves.map((wave) => wave.map(({ taskKey: key }) => key));
  const groups = gatherGroups(input, keys, limits);
  if (groups.length === 0) return null;
  return groups.flatMap((group) => {
    const results = group.places.map((place) => inputs.at(group.wave)![place]!);
    return [...tasksOfDocuments(planGather(input, group, results, limits))];
  });
}

/** A count of several results, added up. */
export function total(
  results: readonly ChunkResult[],
  name: Exclude<keyof ChunkResult['statistics'], 'warned'>,
): number {
  return results.reduce((sum, { statistics }) => sum + statistics[name], 0);
}
