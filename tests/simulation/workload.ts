import { finalAggregate } from '../../master/aggregator/final-aggregate.ts';
import { addStatistics, ZERO_STATISTICS } from '../../master/coordination/job-state.ts';
import { lastWave } from '../../master/storage/job-record.ts';
import type { JobFacts, JobWaves } from '../../master/storage/job-record.ts';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import type { CutChunk } from '../../pipeline/chunking/chunker.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkProgram, ChunkResult } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import { chunkKey, contextKey } from '../../pipeline/keys/index.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import type { CompiledPlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import type { PlanDocument } from '../../pipeline/plan/schema.ts';
import type { ChunkStatistics, Column, ColumnProfile } from '../../pipeline/protocol/index.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import type { PartialMergerOptions } from '../../pipeline/result/partial.ts';
import type { ExchangeLimits } from '../../pipeline/limits.ts';
import { Random } from './random.ts';
import { runWaves } from '../support/run-waves.ts';

/** A record that ends the worker which computes it, each time. */
export const CRASHES_WORKER = 'poison-crash';
/** A record on which the program fails, each time. */
export const FAILS_PROGRAM = 'poison-fail';
/** The same, but that only tasks of later waves fail. */
export const FAILS_LATER = 'poison-later';

export const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'integer' },
  { name: 'name', type: 'string' },
  { name: 'amount', type: 'number' },
];

/** How inputs are read is stated: the first records of a small sample do not tell. */
const READ = `format: csv, delim: ',', quote: '"', escape: '"', header: false`;
const SCHEMA =
  'schema: { fields: [{ name: id, type: integer }, { name: name, type: string }, ' +
  '{ name: amount, type: number }] }';

const PLANS = [
  '',
  'steps: [{ filter: amount > 20 }]',
  'steps: [{ aggregate: { by: [name], measures: { k: count(*), total: sum(amount) } } }]',
  'steps: [{ filter: id >= 0 }, { profile: [id, amount] }]\nwrite: { format: ndjson }',
  'steps: [{ sort: [{ by: name }, { by: amount, desc: true }] }]',
  'steps: [{ sort: [{ by: amount }] }, { filter: id > 3 }, { limit: { count: 6, offset: 2 } }]',
  'steps: [{ filter: amount > 9 }, { top_k: { by: [{ by: amount }], k: 9 } }]\nwrite: { format: json }',
  'steps: [{ dedupe: { by: [name, amount], keep: last } }, { sort: [{ by: id }] }]',
  'steps: [{ filter: amount > 5 }, { unique: [amount] }]',
  'steps: [{ limit: { offset: 3 } }, { sort: [{ by: name, desc: true }] }, { profile: [id] }]',
  'steps: [{ filter: amount > 20 }]',
];

/** So small that a wave behind the first has several tasks, and each reads several results. */
export const EXCHANGE: ExchangeLimits = {
  ...{ blockBytes: 40, partitionBytes: 200, partitionBytesMax: 400, taskBytesMax: 100_000 },
  ...{ fanInMax: 1024, gatheredFanInMax: 2, gatheredBlockBytes: 80 },
};

/** Some ten chunks of a record or two from an input that production would send whole. */
export const CHUNKS = { minBytes: 30, targetBytes: 60, easeBytes: 90, maxBytes: 140 };

export interface Prepared {
  readonly text: string;
  readonly plan: PlanDocument;
  readonly compiled: CompiledPlan;
  /** Contexts of the waves, with their keys. */
  readonly waves: JobWaves;
}

export interface Input {
  readonly bytes: Buffer;
  readonly chunks: readonly InputChunk[];
  /** What jobs over all of it come to, by their plans. */
  readonly expected: Map<Prepared, Expected>;
}

export interface InputChunk extends CutChunk {
  readonly key: string;
}

/** What a job over some of its chunks must come to. */
export interface Expected {
  readonly statistics: ChunkStatistics;
  readonly output: Buffer;
  readonly columns: readonly ColumnProfile[] | null;
}

const prepared = PLANS.map((steps, at): Prepared => {
  const dialect = { ...RFC_4180, header: false };
  const input = { format: 'csv', dialect, columns: COLUMNS } as const;
  const onError = at === PLANS.length - 1 ? 'fail' : 'reject';
  const text = `read: { ${READ}, on_error: ${onError} }\n${SCHEMA}\n${steps}`;
  const plan = parsePlan(text);
  return prepare(text, plan, compilePlan(plan, input));
});
const programs = new Map<string, ChunkProgram>();
/** Of the oracle, whose limits are production's. */
const oraclePrograms = new Map<ChunkContext, ChunkProgram>();
const inputs = new Map<string, Input>();
const INPUTS = 256;

function prepare(text: string, plan: PlanDocument, compiled: CompiledPlan): Prepared {
  const [first, ...later] = compiled.waves.map(({ context }) => ({
    ...{ context, contextKey: contextKey(context) },
  }));
  return { text, plan, compiled, waves: [first!, ...later] };
}

/** The plans, of which the last one ends its job at the first malformed record. */
export function pickPlan(random: Random): Prepared {
  return prepared[random.chance(0.08) ? prepared.length - 1 : random.below(prepared.length - 1)]!;
}

/** Programs hold no state between runs: one serves all workers. */
export function programOf(context: ChunkContext): ChunkProgram {
  const key = JSON.stringify(context);
  const known = programs.get(key);
  if (known !== undefined) return known;
  const program = createChunkProgram(context, null, new Map(), EXCHANGE);
  programs.set(key, program);
  return program;
}

/**
 * One of some inputs that all runs share: what jobs over it come to is then computed once. Nothing of
 * a run is in it, so that a seed alone still decides everything.
 */
export function pickInput(random: Random, recordsMax: number, poison: readonly string[]): Input {
  const number = random.below(INPUTS);
  const name = [number, recordsMax, ...poison].join();
  const known = inputs.get(name) ?? makeInput(new Random(number), recordsMax, poison);
  inputs.set(name, known);
  return known;
}

/** Records without header, some malformed, some the same, with poison now and then. */
function makeInput(random: Random, recordsMax: number, poison: readonly string[]): Input {
  const records: string[] = [];
  const count = random.between(1, recordsMax);
  // The first one tells how many columns there are.
  for (let id = 0; id < count; id++) records.push(id === 0 ? '0,ada,12.5' : record(random, id));
  for (const text of poison) {
    records.splice(random.between(1, records.length), 0, `7,${text},99`);
  }
  // A part that comes twice makes chunks that share their results.
  if (random.chance(0.3)) records.push(...records);
  const bytes = Buffer.from(records.map((text) => `${text}\n`).join(''));
  const chunker = new Chunker(RFC_4180, CHUNKS);
  const cuts = [...chunker.push(bytes), ...chunker.finish()];
  const chunks = cuts.map((cut): InputChunk => ({ ...cut, key: chunkKey(cut.bytes) }));
  return { bytes, chunks, expected: new Map() };
}

function record(random: Random, id: number): string {
  const dice = random.next();
  if (dice < 0.04) return `${id},short`;
  if (dice < 0.08) return `${id},"quoted, with ""quotes"" and\na line end",${random.below(90)}.5`;
  return `${id},${random.pick(['ada', 'bob', 'cy'])},${random.below(1000) / 10}`;
}

/** What the job must come to when all chunks but the `failed` ones are done. */
export function expectedWithout(
  plan: Prepared,
  input: Input,
  failed: readonly number[],
  facts: JobFacts,
): Expected {
  if (failed.length > 0) {
    const kept = input.chunks.filter((_, index) => !failed.includes(index));
    return expectedOf(plan, Buffer.concat(kept.map(({ bytes }) => bytes)), facts);
  }
  const known = input.expected.get(plan) ?? expectedOf(plan, input.bytes, facts);
  input.expected.set(plan, known);
  return known;
}

/** The plan over all of it in one piece: any way of cutting and merging must come to the same. */
function expectedOf(plan: Prepared, bytes: Uint8Array, facts: JobFacts): Expected {
  const { compiled, waves } = plan;
  const results = runWaves(compiled, [bytes], { programOf: oracleProgramOf });
  const options = waves.map(({ context }) => partialOptions(context));
  const merger = new PartialMerger(Object.assign({}, ...options) as PartialMergerOptions);
  for (const { partial } of results.flat()) if (partial.length > 0) merger.add(partial);
  const columns = merger.profile();
  const grouped = waves.findIndex(({ context }) => context.exchange?.kind === 'group');
  const statistics = accountOf(results, grouped);
  if (compiled.shape === 'aggregate') {
    const { bytes: output } = finalAggregate(facts, plan.plan, merger);
    return { statistics, output: Buffer.from(output), columns };
  }
  const frame = outputFrame(compiled.outputColumns, lastWave(waves).context.write);
  const outputs = (results.at(-1) ?? []).flatMap(({ output }) => output);
  const body = Buffer.concat(outputs).subarray(frame.skipFirstBytes);
  return { statistics, output: Buffer.concat([frame.header, body, frame.footer]), columns };
}

function oracleProgramOf(context: ChunkContext): ChunkProgram {
  const program = oraclePrograms.get(context) ?? createChunkProgram(context);
  oraclePrograms.set(context, program);
  return program;
}

/** Records come in by the first wave and out by the last one; what any wave took out is summed. None
 *  is left behind the one that makes groups of them, at `grouped`; -1 where there is none. */
function accountOf(results: ChunkResult[][], grouped: number): ChunkStatistics {
  const sum = (of: readonly ChunkResult[]) =>
    of.reduce((total, { statistics }) => addStatistics(total, statistics), ZERO_STATISTICS);
  const { recordsIn, lines, bytesIn } = sum(results[0] ?? []);
  const { recordsOut, outputRecords, outputBytes } = sum(results.at(-1) ?? []);
  if (grouped >= 0) {
    const counted = sum(results.slice(0, grouped + 1).flat());
    return { ...counted, recordsIn, lines, bytesIn, recordsOut: 0, outputRecords, outputBytes };
  }
  return {
    ...sum(results.flat()),
    ...{ recordsIn, lines, bytesIn, recordsOut, outputRecords, outputBytes },
  };
}

/** Whether a job of this plan can only fail on this input. */
export function failsOn({ waves }: Prepared, { bytes }: Input): boolean {
  const [{ context }] = waves;
  if (context.onError !== 'fail') return false;
  try {
    programOf(context).run(bytes);
    return false;
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === 'input-malformed') return true;
    throw thrown;
  }
}
