import { finalAggregate } from '../../master/aggregator/final-aggregate.ts';
import type { JobFacts, JobWaves } from '../../master/storage/job-record.ts';
import { Chunker } from '../../pipeline/chunking/chunker.ts';
import type { CutChunk } from '../../pipeline/chunking/chunker.ts';
import { SluiceError } from '../../pipeline/errors.ts';
import { createChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkProgram } from '../../pipeline/execution/chunk-program.ts';
import type { ChunkContext } from '../../pipeline/execution/context.ts';
import { outputFrame } from '../../pipeline/execution/output-frame.ts';
import { partialOptions } from '../../pipeline/execution/partial-options.ts';
import { contextKey } from '../../pipeline/keys/index.ts';
import { RFC_4180 } from '../../pipeline/parsing/dialect.ts';
import { compilePlan } from '../../pipeline/plan/compile.ts';
import type { CompiledPlan } from '../../pipeline/plan/compile.ts';
import { parsePlan } from '../../pipeline/plan/parse.ts';
import type { ChunkStatistics, Column, ColumnProfile } from '../../pipeline/protocol/index.ts';
import { PartialMerger } from '../../pipeline/result/partial.ts';
import type { Random } from './random.ts';
import { sortedLines, standInProgram } from './stand-in.ts';

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

const PLANS = [
  '',
  'steps: [{ filter: amount > 20 }]',
  'steps: [{ aggregate: { by: [name], measures: { k: count(*), total: sum(amount) } } }]',
  'steps: [{ filter: id >= 0 }, { profile: [id, amount] }]\nwrite: { format: ndjson }',
  'read: { on_error: fail }\nsteps: [{ filter: amount > 20 }]',
];

/** Some ten chunks of a record or two from an input that production would send whole. */
const CHUNKS = { minBytes: 30, targetBytes: 60, easeBytes: 90, maxBytes: 140 };

export interface Prepared {
  readonly text: string;
  readonly compiled: CompiledPlan;
  /** Contexts of the waves, with their keys. */
  readonly waves: JobWaves;
}

export interface Input {
  readonly bytes: Buffer;
  readonly chunks: readonly CutChunk[];
}

/** What a job over some of its chunks must come to. */
export interface Expected {
  readonly statistics: ChunkStatistics;
  readonly output: Buffer;
  readonly columns: readonly ColumnProfile[] | null;
}

const prepared = PLANS.map((text): Prepared => {
  const input = { format: 'csv', dialect: RFC_4180, columns: COLUMNS } as const;
  const compiled = compilePlan(parsePlan(text), input);
  return prepare(text, compiled);
});
for (const waveCount of [2, 3]) prepared.splice(-1, 0, inWaves(waveCount));
const programs = new Map<string, ChunkProgram>();

function prepare(text: string, compiled: CompiledPlan): Prepared {
  const [first, ...later] = compiled.waves.map(({ context }) => ({
    ...{ context, contextKey: contextKey(context) },
  }));
  return { text, compiled, waves: [first!, ...later] };
}

/** A plan whose tasks run in several waves, by a stand-in. */
function inWaves(waveCount: number): Prepared {
  const text = 'steps: [{ filter: amount > 20 }]\nwrite: { format: ndjson }';
  const input = { format: 'csv', dialect: RFC_4180, columns: COLUMNS } as const;
  const compiled = compilePlan(parsePlan(text), input);
  const [{ context, columns }] = compiled.waves;
  const records = { then: [], layout: null };
  const exchange = { kind: 'limit', offset: waveCount, count: null, records } as const;
  const [first, ...later] = Array.from({ length: waveCount }, (_, at) => ({
    context: {
      ...context,
      input: at === 0 ? ('chunk' as const) : exchange,
      exchange: at === waveCount - 1 ? null : exchange,
    },
    columns,
  }));
  return prepare(text, { ...compiled, waves: [first!, ...later] });
}

/** The plans, of which the last one ends its job at the first malformed record. */
export function pickPlan(random: Random): Prepared {
  return prepared[random.chance(0.08) ? prepared.length - 1 : random.below(prepared.length - 1)]!;
}

/** Programs hold no state between runs: one serves all workers. */
export function programOf(context: ChunkContext): ChunkProgram {
  const key = contextKey(context);
  const known = programs.get(key);
  if (known !== undefined) return known;
  const isAlone = context.input === 'chunk' && context.exchange === null;
  const program = isAlone ? createChunkProgram(context) : standInProgram(context);
  programs.set(key, program);
  return program;
}

/** Records without header, some malformed, some the same, with poison now and then. */
export function makeInput(random: Random, poison: readonly string[]): Input {
  const records: string[] = [];
  const count = random.between(0, 30);
  for (let id = 0; id < count; id++) records.push(record(random, id));
  for (const text of poison) {
    records.splice(random.below(records.length + 1), 0, `7,${text},99`);
  }
  // A part that comes twice makes chunks that share their results.
  if (random.chance(0.3)) records.push(...records);
  const bytes = Buffer.from(records.map((text) => `${text}\n`).join(''));
  const chunker = new Chunker(RFC_4180, CHUNKS);
  return { bytes, chunks: [...chunker.push(bytes), ...chunker.finish()] };
}

function record(random: Random, id: number): string {
  const dice = random.next();
  if (dice < 0.04) return `${id},short`;
  if (dice < 0.08) return `${id},"quoted, with ""quotes"" and\na line end",${random.below(90)}.5`;
  return `${id},${random.pick(['ada', 'bob', 'cy'])},${random.below(1000) / 10}`;
}

/** The program over all of it in one piece: any way of cutting and merging must come to the same. */
export function expectedOf(plan: Prepared, bytes: Uint8Array, facts: JobFacts): Expected {
  const { compiled } = plan;
  const context = { ...compiled.waves[0].context, exchange: null };
  const whole = createChunkProgram(context).run(bytes);
  const merger = new PartialMerger(partialOptions(context));
  if (whole.partial.length > 0) merger.add(whole.partial);
  const columns = merger.profile();
  if (compiled.shape === 'aggregate') {
    const { bytes: output } = finalAggregate(facts, parsePlan(plan.text), merger);
    return { statistics: whole.statistics, output: Buffer.from(output), columns };
  }
  const frame = outputFrame(compiled.outputColumns, context.write);
  const sorted = sortedLines(Buffer.concat(whole.output), compiled.waves.length);
  const body = (compiled.waves.length > 1 ? sorted : Buffer.concat(whole.output)).subarray(
    frame.skipFirstBytes,
  );
  const output = Buffer.concat([frame.header, body, frame.footer]);
  return { statistics: whole.statistics, output, columns };
}

/** Whether a job of this plan can only fail on these bytes. */
export function failsOn(plan: Prepared, bytes: Uint8Array): boolean {
  try {
    programOf(plan.waves[0].context).run(bytes);
    return false;
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === 'input-malformed') return true;
    throw thrown;
  }
}
